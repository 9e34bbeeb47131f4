"""The pages hold together: links, commands, drawings, and the promise of the README."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from tests.docs import inventory
from tests.docs.inventory import DOCS, PAGES, ROOT

_PROGRAM = re.compile(r"(?:\S*[/\\])?mediawatch(?:\.exe)?")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link leads to a file that is there, and to a heading that is in it."""
    broken = []
    for link in _LINK.findall(page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert [] == broken


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=_name)
def test_every_page_can_be_found(page: Path) -> None:
    """Each page is linked from the index of the documentation."""
    index = DOCS / "README.md"
    linked = {(DOCS / link).resolve() for link in _LINK.findall(index.read_text("utf-8"))}

    assert page in linked | {index}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    """What stands in code as a command of mediawatch is one, with options that it has."""
    commands = inventory.commands()
    wrong = []
    for line in _code_of(page.read_text("utf-8")):
        words = [word.strip("'\"") for word in line.split()]
        at = next((n for n, word in enumerate(words) if _PROGRAM.fullmatch(word)), None)
        if at is None:
            continue
        words = words[at:]
        known = next((n for n in (" ".join(words[1:3]), *words[1:2]) if n in commands), "")
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        allowed = {o for name in [known] if name for p in commands[name].params for o in p.opts}
        general = {"--version", "--help", "--install-completion", "--show-completion"}
        groups = {name.split()[0] for name in commands if " " in name}
        if not known and words[1:] and words[1] not in groups | general:
            wrong.append(line)
        if options - allowed - general:
            wrong.append(line)

    assert [] == wrong


def _code_of(text: str) -> list[str]:
    """Every line of the shell blocks, and every piece in backticks, without comments."""
    blocks = re.findall(r"```(?:sh|powershell)\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line for block in blocks for line in block.splitlines()] + inline
    return [line.split("#")[0].strip() for line in lines]


def test_the_readme_names_every_command() -> None:
    """Nobody has to look further than the README to know what there is."""
    text = (ROOT / "README.md").read_text("utf-8")
    shown = set(re.findall(r"`(?:mediawatch )?([a-z -]+)`", text))
    missing = [n for n in inventory.commands() if n not in shown and n.split()[-1] not in shown]

    assert [] == missing


def test_the_make_targets_that_are_shown_exist() -> None:
    """Each `make something` of the pages is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {
        words[1]
        for page in PAGES
        for line in _code_of(page.read_text("utf-8"))
        for words in [shlex.split(line) if line.startswith("make ") else []]
        if len(words) > 1
    }

    assert {"demo", "test"} <= shown
    assert set() == shown - targets


def test_the_files_that_are_named_exist() -> None:
    """Each source file that the map names is there."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", text)

    assert len(named) > 10
    roots = (inventory.SOURCE, ROOT)
    assert [] == [name for name in named if not any((root / name).is_file() for root in roots)]


def test_the_drawing_of_the_state_machine_is_up_to_date() -> None:
    """The page shows the table as it is; `python docs/draw_state_machine.py` draws it anew."""
    drawing = runpy.run_path(str(DOCS / "draw_state_machine.py"))

    assert 0 == drawing["main"](["--check"])


def test_a_drawing_that_is_out_of_date_is_seen() -> None:
    """The check compares: another word on the page makes another page."""
    drawing = runpy.run_path(str(DOCS / "draw_state_machine.py"))
    page = inventory.page("explanation/state-machine.md")
    older = page.replace("running --> done: finish", "running --> done: end")

    assert page == drawing["redrawn"](older)
    assert page != older


def test_the_man_page_is_up_to_date() -> None:
    """It tells the commands as they are; `python docs/draw_man_page.py` writes it anew."""
    drawing = runpy.run_path(str(DOCS / "draw_man_page.py"))

    assert drawing["draw"]() == drawing["PAGE"].read_text("utf-8")

"""Whatever people may use or meet is in the documentation, and nothing else is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web

from mediawatch.config import GUIDE_NAMES
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.log import ACTIONS
from mediawatch.simulator.faults import Do, Endpoint, Rule, Scenario
from mediawatch.web.app import create_app
from tests.docs import inventory
from tests.support.web_house import House

_FENCE = re.compile(r"```.*?```", re.DOTALL)
#: Words of the errors page that are no codes of our own sources: outcomes of a pass, plain HTTP.
_OTHER_CODES = {"unfinished", "unreadable", "problem", "not-found", "method-not-allowed"}


def _first_cells(text: str) -> list[str]:
    """The words in backticks in the first column of every table."""
    rows = re.findall(r"^\| (`[^|]*) \|", _FENCE.sub("", text), re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def _sections(text: str) -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_is_documented() -> None:
    """Each command has a section, and its section names each of its options."""
    sections = _sections(inventory.page("reference/commands.md"))
    commands = inventory.commands()
    missing = [
        f"{name} {option}"
        for name, command in commands.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and f"`{option}`" not in sections.get(f"mediawatch {name}", "")
    ]

    assert {f"mediawatch {name}" for name in commands} == set(sections)
    assert [] == missing


def test_every_setting_is_documented() -> None:
    """Each table has a section that lists its keys, all of them and no others."""
    sections = _sections(inventory.page("reference/settings.md"))
    documented = {
        heading[1:-1]: set(_first_cells(text))
        for heading, text in sections.items()
        if heading.startswith("[")
    }

    assert {table: set(keys) for table, keys in inventory.settings().items()} == documented


def test_every_name_of_the_guides_is_documented() -> None:
    """Each name that the guides use stands beside the setting that it sets."""
    text = inventory.page("reference/settings.md")
    rows = {name: f"| `{name}` | `[{table}] {key}` |" for name, (table, key) in GUIDE_NAMES.items()}

    assert [] == [name for name, row in rows.items() if row not in text]


_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")


def test_every_route_is_documented(tmp_path: Path) -> None:
    """Each address for programs has a section, and no section is about an address that is not; each
    page stands in the table of pages, by itself or by the page above it."""
    app: web.Application = create_app(House(tmp_path, cast("SqliteJournal", None)).doors())
    found = [
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    ]
    sections = _sections(inventory.page("reference/http-api.md"))
    pages = re.findall(r"`(/[a-z/]*)`", sections.pop("Pages"))

    programs = {f"{method} {path}" for method, path in found if path.startswith(_FOR_PROGRAMS)}
    assert programs == set(sections)
    assert "/" in pages
    pages.remove("/")  # it is above all of them
    rest = {path for _, path in found if not path.startswith(_FOR_PROGRAMS)} - {"/"}
    assert set() == {
        path for path in rest if not path.startswith(tuple(pages)) and path != "/static"
    }


def test_every_action_of_the_log_is_documented() -> None:
    """The vocabulary of the log is listed whole, each word with its tag."""
    rows = re.findall(
        r"^\| `([a-z-]+)` \| ([A-Z]+) \|", inventory.page("reference/log.md"), re.MULTILINE
    )

    assert {action: tag for action, (_, tag) in ACTIONS.items()} == dict(rows)


def test_every_error_code_is_documented() -> None:
    """Each code that people may meet is on the page of errors."""
    text = inventory.page("reference/errors.md")

    assert [] == sorted(code for code in inventory.error_codes() if f"`{code}`" not in text)


def test_no_code_is_documented_that_nobody_can_meet() -> None:
    """The tables of the documentation name no code that the sources do not have."""
    known = inventory.error_codes() | _OTHER_CODES
    table = inventory.page("how-to/troubleshooting.md")
    named = set(_first_cells(inventory.page("reference/errors.md")))
    named |= set(re.findall(r"^\|[^|]*\| `([^`]+)` \|", table, re.MULTILINE))

    assert set() == named - known


def test_the_inventory_of_codes_sees_what_it_should() -> None:
    """A code is found in each of the ways in which codes are written down."""
    ways = {
        "already-running",  # of a class
        "port-taken",  # of a call
        "ftp-unreachable",  # given together with the message
        "folder-missing",  # one of two
        "unknown-outcome",  # a Reason
        "rate-limit",  # a Verdict
        "ftp-no-tls",  # the table of FTP answers
        "disk-full",  # the table of the disk
        "aspect",  # a word for refused pictures
        "foreign-host",  # a refusal of the API
    }

    assert set() == ways - inventory.error_codes()


def test_every_fault_is_documented() -> None:
    """The page on faults names each endpoint, each fault, and each key of a rule."""
    text = inventory.page("how-to/try-faults.md")
    words = {*Endpoint, *Do, *Rule.model_fields}

    assert [] == sorted(word for word in words if f"`{word}`" not in text)


@pytest.mark.parametrize(
    "scenario",
    [
        block
        for page in ("how-to/try-faults.md", "how-to/try-the-login.md")
        for block in re.findall(r"```toml\n(.*?)```", inventory.page(page), re.DOTALL)
    ],
)
def test_every_scenario_of_the_documentation_works(scenario: str) -> None:
    """A scenario that is shown can be copied and used."""
    document: dict[str, Any] = tomllib.loads(scenario)

    parsed = Scenario.parse(document)
    for table in ("rules", "persons", "apps"):
        assert len(document.get(table, [])) == len(getattr(parsed, table))

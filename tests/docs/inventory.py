"""What the program has, found by looking at it: what the documentation must name."""

from __future__ import annotations

import ast
import enum
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from mediawatch.config import Settings
from mediawatch.config.schema import of_list

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mediawatch"
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
]


def page(name: str) -> str:
    """The text of a page below docs/."""
    return (DOCS / name).read_text("utf-8")


def commands() -> dict[str, Any]:
    """Every command of the program, as Typer builds it, by its words: ``posts list``."""
    from mediawatch.cli.main import app

    return dict(_leaves(typer.main.get_command(app), ""))


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, inner in below.items():
        yield from _leaves(inner, f"{name} {word}".strip())


def settings() -> dict[str, list[str]]:
    """Every key of every table of the settings, the ``<secret>_file`` keys too.

    A table in a table is named by both: ``media.limits``.
    """
    return dict(_tables(Settings))


def _tables(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, field in model.model_fields.items():
        several = of_list(field.annotation)
        if several is not None:
            yield f"{above}{name}", list(several.model_fields)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            secrets = getattr(inner, "secrets", ())
            keys = [*inner.model_fields, *(f"{secret}_file" for secret in secrets)]
            yield above + name, keys
            yield from _tables(inner, f"{above}{name}.")


def error_codes() -> set[str]:
    """Every code that people may meet: of an error, or as the reason of a post that stands still.

    Written down in the sources as ``code = "…"`` of a class, as ``code="…"`` of a call, as the
    first word of a Reason or a Verdict, or in one of the tables of codes.
    """
    found = {code for file in _files() for code in _codes_in(ast.parse(file.read_text("utf-8")))}
    found |= {row.code for row in _module("hosts.ftp_errors")._TABLE}
    found |= {code for code, _ in _module("errors")._DISK_REMEDIES.values()}
    words = _module("model.posts")
    found |= {words.JOURNAL_RESTORED, words.SCHEDULED, words.ACCOUNT_BUSY}
    found |= {_module("model.accounts").DISCONNECTED}
    found |= {words.APPROVAL, words.ACCOUNT_FOLDER}
    refused = _module("media.rules").Reason
    assert issubclass(refused, enum.StrEnum)
    return found | set(refused)


def _module(name: str) -> Any:
    return importlib.import_module(f"mediawatch.{name}")


def _files() -> Iterator[Path]:
    for file in sorted(SOURCE.rglob("*.py")):
        if not {"simulator", "demo"} & set(file.relative_to(SOURCE).parts):
            yield file


def _codes_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from _assigned(node)
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            yield from _texts(*(word.value for word in node.keywords if word.arg == "code"))
            if name in {"Reason", "Verdict"}:
                yield from _texts(*node.args[:1])
            if name == "refusal" and len(node.args) == 4:  # of the web: status, code, …
                yield from _texts(node.args[1])


def _assigned(line: ast.Assign) -> Iterator[str]:
    """The text given to the name ``code``, also where several names are given theirs at once."""
    for target in line.targets:
        if isinstance(target, ast.Tuple) and isinstance(line.value, ast.Tuple):
            pairs = list(zip(target.elts, line.value.elts, strict=True))
        else:
            pairs = [(target, line.value)]
        for name, value in pairs:
            if isinstance(name, ast.Name) and name.id == "code":
                yield from _texts(value)


def _texts(*values: ast.expr) -> Iterator[str]:
    for value in values:
        for part in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value

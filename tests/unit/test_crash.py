"""The switch that kills a process at a named point."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediawatch import crash
from mediawatch.errors import ConfigError

SOURCE = Path(crash.__file__).parent


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    crash.arm({})


def test_unset_it_arms_nothing() -> None:
    """Whoever sets nothing passes every point."""
    crash.arm({})
    for point in crash.POINTS:
        crash.at(point)


@pytest.mark.parametrize(
    "told", ["publish.askd", "publish.asked#0", "publish.asked#x", "#1", "publish.asked#-1"]
)
def test_what_cannot_be_armed_is_refused(told: str) -> None:
    """A slip of the pen must not look like a point that is survived."""
    with pytest.raises(ConfigError, match="MEDIAWATCH_CRASH_AT") as refused:
        crash.arm({crash.VARIABLE: told})
    assert refused.value.problems[0].remedy


@pytest.mark.parametrize(("told", "printed"), [("file.moved", ""), ("file.moved#3", "..")])
def test_the_process_dies_at_the_passage_that_is_named(told: str, printed: str) -> None:
    """Not before, and not after; nobody gets to clean up."""
    program = """
import os, sys
from mediawatch import crash
crash.arm(os.environ)
try:
    for _ in range(5):
        crash.at("note.placed")
        crash.at("file.moved")
        os.write(1, b".")
finally:
    os.write(1, b"cleaned up")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={crash.VARIABLE: told, "PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert printed == ended.stdout
    assert (137 if sys.platform == "win32" else -9) == ended.returncode


def test_every_point_of_the_list_is_in_the_code_and_no_other() -> None:
    """Names in calls of ``crash.at``, and in the table of the one call that looks its name up."""
    named = set()
    for file in SOURCE.rglob("*.py"):
        if file == Path(crash.__file__):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "crash.at":
                named |= set(_texts(node.args[0]))
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_WRITTEN":
                assert isinstance(node.value, ast.Dict)
                named |= {text for value in node.value.values for text in _texts(value)}
    assert crash.POINTS == named


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value

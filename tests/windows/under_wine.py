"""How tests for Windows are collected and run on Linux."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.windows import wine
from tests.windows.neighbours import neighbours

#: Seconds that all of them may take together; some 100 are normal.
LIMIT = 400.0

_told = pytest.StashKey[dict[str, list[dict[str, str]]]]()


class OnlyInside(pytest.File):
    """A file of tests for Windows; they are found without importing it."""

    def collect(self) -> Iterator[pytest.Item]:
        for part in ast.parse(self.path.read_text(encoding="utf-8")).body:
            named = isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
            if named and part.name.startswith("test_"):
                yield UnderWine.from_parent(self, name=part.name)


class Failed(Exception):
    """What the Windows side says."""


class UnderWine(pytest.Item):
    """One test, or all cases of it, that runs in the Windows Python."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.add_marker(pytest.mark.timeout(2 * LIMIT + 60))

    def runtest(self) -> None:
        _need_wine()
        told = self.config.stash.get(_told, None)
        if told is None:
            # Starting Windows takes longer than most tests: all run at the first one's turn.
            told = self.config.stash[_told] = _run_all(self.session)
        outcomes = told[self.address]
        if not outcomes:
            for entry in told.pop("", []):
                raise Failed(entry["text"])
            raise Failed("It did not run either: one of those that did not tells why.")
        for entry in outcomes:
            if entry["outcome"] == "failed":
                raise Failed(entry["text"])
        for entry in outcomes:
            if entry["outcome"] == "skipped":
                _skip(entry["text"])

    @property
    def address(self) -> str:
        return f"{self.path.relative_to(wine.REPOSITORY).as_posix()}::{self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.name} (under Wine)"


def _need_wine() -> None:
    if reason := wine.missing():
        _skip(reason)


def _skip(reason: str) -> None:
    if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
        raise Failed(f"It was skipped: {reason}")
    pytest.skip(reason)


def _run_all(session: pytest.Session) -> dict[str, list[dict[str, str]]]:
    wanted = sorted({item.address for item in session.items if isinstance(item, UnderWine)})
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    place = factory.mktemp("windows")
    outcomes = place / "outcomes.jsonl"
    outcomes.touch()
    # All share one Windows, whoever runs them.
    with FileLock(wine.ROOT / "lock", timeout=LIMIT), neighbours(place / "host") as tables:
        try:
            ended = wine.python(
                *("-m", "pytest", "-p", "no:cacheprovider", "--timeout", "90", "-q"),
                *("--basetemp", wine.seen_inside(place / "inside"), "--durations", "15"),
                *wanted,
                limit=LIMIT,
                MEDIAWATCH_TEST_NEIGHBOURS=json.dumps(tables),
                MEDIAWATCH_TEST_OUTCOMES=wine.seen_inside(outcomes),
            )
            said = ended.stdout
        except subprocess.TimeoutExpired as late:
            said = (
                f"Not ended after {LIMIT:.0f} s.\n{(late.stdout or b'').decode(errors='replace')}"
            )
        finally:
            wine.end_all()
    (place / "said.txt").write_text(said, encoding="utf-8")
    if session.config.option.verbose > 0:
        print(said)
    told: dict[str, list[dict[str, str]]] = defaultdict(list)
    told[""] = [{"outcome": "failed", "text": f"It did not run. Windows said:\n{said}"}]
    for line in outcomes.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        told[entry["address"]].append(entry)
    return told

"""The Windows side: neighbours to talk to, and a word to Linux about the outcome of each test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_OUTCOMES = os.environ.get("MEDIAWATCH_TEST_OUTCOMES")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if _OUTCOMES is None or (report.when != "call" and report.passed):
        return
    if report.skipped and isinstance(report.longrepr, tuple):
        text = report.longrepr[2].removeprefix("Skipped: ")
    else:
        text = "\n".join(
            [report.longreprtext, *(f"--- {name}\n{said}" for name, said in report.sections)]
        )
    entry = {
        "address": report.nodeid.partition("[")[0],
        "outcome": report.outcome,
        "text": f"{report.nodeid}\n{text}" if report.failed else text,
    }
    with Path(_OUTCOMES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """Settings that lead to a Graph and an FTP server on loopback."""
    given = os.environ.get("MEDIAWATCH_TEST_NEIGHBOURS")
    if given:
        yield json.loads(given)
        return
    from tests.windows.neighbours import neighbours

    with neighbours(tmp_path_factory.mktemp("host")) as found:
        yield found

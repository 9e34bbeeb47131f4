"""The demo, as the README's first command runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes import command


@pytest.mark.slow
async def test_the_demo_shows_every_sample_to_its_end(tmp_path: Path) -> None:
    """Exit 0 with each sample as it should be, and nothing of it left on the disk."""
    ended = await command("demo", "--once", "--pause", "0.05", folder=tmp_path, limit=90)
    assert 0 == ended.code, ended.out + ended.err
    assert "19 of 19 samples ended as they should" in ended.out
    for outcome in ("published", "ignored", "held", "duplicate"):
        assert f"{outcome}:" in ended.out
    for kind in ("a reel;", "a story;", "carousel of 3;"):
        assert kind in ended.out
    dropped = next(line for line in ended.out.splitlines() if "dropped into" in line)
    assert not Path(dropped.split("into ")[1].strip()).exists()

"""Chaos in small: rounds that must end well, and mistakes that must be seen."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.chaos.__main__ import report, run
from tests.chaos.plan import Fate, Gesture, plan, recognize
from tests.chaos.round import published_twice
from tests.chaos.sabotage import SABOTAGE

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
JOBS = 2
IMAGES = {"jpeg", ".png"}


@POSIX
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_rounds_of_chaos_lose_and_double_nothing() -> None:
    """25 rounds of kills, cuts and faults; a failed one says how it is played again."""
    assert 0 == report(run(range(1, 26), JOBS))


@POSIX
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_a_mistake_that_posts_twice_is_seen(sabotage: str) -> None:
    """The harness is not blind: it reports the duplicate, within a few rounds."""
    told = run(range(1, 5), JOBS, sabotage)
    assert any(published_twice(one["problems"]) for one in told), told


def test_a_seed_decides_everything() -> None:
    """The same seed is the same round, another one is another."""
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_pictures_are_told_apart() -> None:
    """Each picture of a round is recognized as itself, and nothing else as one of them."""
    for seed in range(20):
        drawn = plan(seed)
        for file in drawn.files:
            if file.shows is not None and file.shows.startswith("picture"):
                assert file.shows == recognize(file.content, drawn)
            elif file.fate is Fate.FAILED:
                strange = next(f for f in plan(seed + 1000).files if f.name[-4:] in IMAGES)
                assert recognize(strange.content, drawn) is None


def test_rounds_meet_everything() -> None:
    """Among a hundred rounds is each fate, each gesture, and each fault more than once."""
    drawn = [plan(seed) for seed in range(100)]
    fates = Counter(file.fate for one in drawn for file in one.files)
    gestures = Counter(file.gesture for one in drawn for file in one.files)
    faults = Counter(f"{rule['on']} {rule['do']}" for one in drawn for rule in one.rules)
    for met in (fates, gestures, faults):
        assert min(met.values()) > 1
    assert 4 == len(fates)
    assert len(Gesture) == len(gestures)
    albums = [album for one in drawn for album in one.albums]
    assert {Fate.PUBLISHED, Fate.FAILED} == {album.fate for album in albums}
    assert any(album.name.startswith("again") for album in albums)
    assert any(file.name.endswith(".mp4") and file.shows for one in drawn for file in one.files)
    assert any(one.kills for one in drawn)
    assert any(one.cuts for one in drawn)
    assert any(one.stops for one in drawn)

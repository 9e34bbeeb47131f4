"""Who waits for whom: the bookkeeping of names that belong together, on a turned clock."""

from __future__ import annotations

import pytest

from mediawatch.watch.candidates import Outcome
from mediawatch.watch.companions import LEFT_CLIP, LONELY_COVER
from mediawatch.watch.filters import RAW
from mediawatch.watch.listing import Look, Sight
from mediawatch.watch.settle import AWAITS, EMPTY, TRAVELS, SettleRule
from mediawatch.watch.tracker import Tracker
from mediawatch.watch.writers import Writer


class Book:
    """A tracker, and what it decided."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, Outcome | None]] = []
        self.tracker = Tracker(
            SettleRule(settle=2.0),
            100,
            lambda name, outcome, _reason: self.outcomes.append((name, outcome)),
            lambda name: None,
        )

    def come(self, *names: str, at: float = 0.0) -> None:
        """They are found, and looked at once."""
        self.tracker.adopt(names, at, at)
        for name in names:
            self.look(name, at)

    def look(self, name: str, now: float, size: int = 10, **facts: object) -> None:
        """One look at one name, which is of that size."""
        told: dict[str, object] = {"sight": Sight.FILE, "key": (1, size, 1, 1), "size": size}
        self.tracker.judge([Look(name, **{**told, **facts})], now)  # type: ignore[arg-type]

    def rest(self, *names: str, at: float = 2.0) -> None:
        """They have stood still, and nobody writes to them."""
        for name in names:
            self.look(name, at, writer=Writer.NONE)

    def offered(self) -> list[str]:
        """What the taker gets now; it looks into clips, which all are, and puts all down."""
        names = self.tracker.next_ready(10, 1000)
        for name in names:
            if self.tracker.companions.may_be_clip(name):
                self.tracker.decide_clip(name, is_clip=True)
        for name in names:
            self.tracker.taking.discard(name)
        settling = self.tracker.settling
        return [name for name in names if name in settling and not settling[name].travels]


@pytest.fixture
def book() -> Book:
    return Book()


PAIRS = [("a.jpg", "a.CR2"), ("a.HEIC", "a.MOV"), ("a.mp4", "a.cover.jpg")]


@pytest.mark.parametrize(("own", "companion"), PAIRS)
@pytest.mark.parametrize("order", [("own", "companion"), ("companion", "own")])
def test_a_companion_goes_with_its_file_whichever_comes_and_settles_first(
    book: Book, own: str, companion: str, order: tuple[str, str]
) -> None:
    """It is never offered; its file is, once both have come to rest."""
    names = {"own": own, "companion": companion}
    for which in order:
        book.come(names[which])
    if companion in book.tracker.settling:
        book.look(companion, 0.0)
    assert {own, companion} == book.tracker.settling.keys()
    offered = []
    for which in reversed(order):
        assert own not in offered
        book.rest(names[which])
        offered += book.offered()
    offered += book.offered()
    assert [own] == offered
    assert [companion] == book.tracker.take_along(own)
    book.tracker.taken(own)
    assert set() == book.tracker.known()
    assert {(own, Outcome.TAKEN), (companion, Outcome.TAKEN)} <= set(book.outcomes)


def test_a_file_waits_for_a_companion_that_changes_again(book: Book) -> None:
    """Both were ready; then the RAW grows once more."""
    book.come("a.CR2", "a.jpg")
    book.look("a.CR2", 0.0)
    book.rest("a.jpg", "a.CR2")
    assert TRAVELS == book.tracker.settling["a.CR2"].reason
    book.look("a.CR2", 3.0, size=20, writer=Writer.NONE)
    assert [] == book.offered()
    assert AWAITS == book.tracker.settling["a.jpg"].reason
    book.look("a.CR2", 5.0, size=20, writer=Writer.NONE)
    assert ["a.jpg"] == book.offered()


def test_a_companion_that_goes_is_waited_for_no_longer(book: Book) -> None:
    """The RAW is taken away while it is copied: its picture goes alone."""
    book.come("a.jpg", "a.CR2")
    book.rest("a.jpg")
    assert [] == book.offered()
    book.tracker.drop(["a.CR2"])
    assert ["a.jpg"] == book.offered()
    assert [] == book.tracker.take_along("a.jpg")


def test_a_companion_whose_file_goes_is_alone(book: Book) -> None:
    """It says why it stays; a clip is looked at as a video of its own."""
    names = ("a.CR2", "a.MOV", "a.jpg", "b.cover.jpg", "b.mp4")
    book.come(*names)
    book.look("a.CR2", 0.0)
    book.look("b.cover.jpg", 0.0)
    book.rest(*names)
    book.offered()
    book.tracker.drop(["a.jpg", "b.mp4"])
    reasons = {name: entry.reason for name, entry in book.tracker.ignored.items()}
    assert {"a.CR2": RAW, "b.cover.jpg": LONELY_COVER} == reasons
    assert ["a.MOV"] == book.offered()


def test_a_clip_is_left_while_its_picture_cannot_be_taken(book: Book) -> None:
    """The picture is there, and unreadable: the clip is not offered by itself meanwhile."""
    book.come("a.jpg", "a.MOV")
    book.look("a.jpg", 0.0, sight=Sight.UNREADABLE, reason="no permission")
    book.rest("a.MOV")
    assert [] == book.offered()
    assert LEFT_CLIP == book.tracker.ignored["a.MOV"].reason
    book.tracker.reconsider("a.jpg", 5.0, 5.0)
    assert {"a.jpg", "a.MOV"} == book.tracker.settling.keys()


def test_a_clip_whose_picture_is_gone_for_good_is_alone(book: Book) -> None:
    """The unreadable picture is taken away: the clip is not left for ever."""
    book.come("a.jpg", "a.MOV")
    book.look("a.jpg", 0.0, sight=Sight.UNREADABLE, reason="no permission")
    book.rest("a.MOV")
    book.offered()
    book.tracker.drop(["a.jpg"])
    book.tracker.adopt([], 5.0, 5.0)
    book.look("a.MOV", 5.0)
    book.rest("a.MOV", at=7.0)
    assert ["a.MOV"] == book.offered()


def test_what_goes_along_counts_by_its_bytes(book: Book) -> None:
    """RAWs are read whole before a claim: few of them are dealt with at a time."""
    for name in "abc":
        book.come(f"{name}.CR2", f"{name}.jpg")
        book.look(f"{name}.CR2", 0.0, size=900)
        book.look(f"{name}.CR2", 2.0, size=900, writer=Writer.NONE)
        book.rest(f"{name}.jpg")
    assert ["a.jpg", "b.jpg"] == book.tracker.next_ready(10, 1000)


def test_a_video_that_is_no_clip_is_a_file_like_others(book: Book) -> None:
    """Looked into once: neither waits for the other."""
    book.come("a.MOV", "a.jpg")
    book.rest("a.jpg", "a.MOV")
    assert ["a.MOV"] == book.tracker.next_ready(10, 100)
    book.tracker.decide_clip("a.MOV", is_clip=False)
    assert ["a.jpg"] == book.offered()


def test_a_clip_has_no_cover(book: Book) -> None:
    """The video turns out to go with a picture: what would be its cover is alone."""
    book.come("a.MOV", "a.cover.jpg", "a.heic")
    book.look("a.cover.jpg", 0.0)
    book.rest("a.MOV", "a.cover.jpg", "a.heic")
    assert [] == book.offered()
    assert ["a.heic"] == book.offered()
    assert LONELY_COVER == book.tracker.ignored["a.cover.jpg"].reason


def test_a_video_in_reels_is_meant(book: Book) -> None:
    """It is no clip, whatever lies beside it."""
    book.come("reels/a.MOV", "reels/a.jpg")
    book.rest("reels/a.jpg")
    assert ["reels/a.jpg"] == book.offered()


def test_an_empty_raw_is_left_and_an_empty_cover_goes(book: Book) -> None:
    """A reel that was meant to have a cover is held; a picture needs no RAW."""
    book.tracker.adopt(["a.CR2", "a.jpg", "b.cover.jpg", "b.mp4"], 0.0, 0.0)
    for now in (0.0, 10.0):
        for name, size in (("a.CR2", 0), ("a.jpg", 10), ("b.cover.jpg", 0), ("b.mp4", 10)):
            book.look(name, now, size=size, writer=Writer.NONE)
    assert EMPTY == book.tracker.ignored["a.CR2"].reason
    assert {"a.jpg", "b.mp4"} == set(book.offered())
    assert ["b.cover.jpg"] == book.tracker.take_along("b.mp4")


def test_a_cover_that_cannot_be_read_keeps_its_reel(book: Book) -> None:
    """It is not published without; once the cover can be read, both go."""
    book.come("a.cover.jpg", "a.mp4")
    book.look("a.cover.jpg", 0.0, sight=Sight.UNREADABLE, reason="no permission")
    book.rest("a.mp4")
    assert [] == book.offered()
    book.tracker.reconsider("a.cover.jpg", 5.0, 5.0)
    book.look("a.cover.jpg", 5.0)
    book.rest("a.cover.jpg", at=7.0)
    assert ["a.mp4"] == book.offered()


def test_a_companion_of_two_goes_with_one_of_them(book: Book) -> None:
    """Two pictures of one stem and a RAW: both are offered, and one takes it along."""
    book.come("a.CR2", "a.heic", "a.jpg")
    book.look("a.CR2", 0.0)
    book.rest("a.CR2", "a.heic", "a.jpg")
    assert {"a.heic", "a.jpg"} == set(book.offered())
    assert ["a.CR2"] == book.tracker.take_along("a.jpg")
    assert [] == book.tracker.take_along("a.heic")


def test_what_is_put_down_again_waits_on(book: Book) -> None:
    """The claim was too early: both settle again, and go together."""
    book.come("a.CR2", "a.jpg")
    book.look("a.CR2", 0.0)
    book.rest("a.CR2", "a.jpg")
    assert ["a.jpg"] == book.tracker.next_ready(10, 100)
    book.tracker.take_along("a.jpg")
    book.tracker.settle_again("a.jpg", 3.0)
    book.tracker.put_down(["a.jpg"], 3.0)
    book.rest("a.jpg", at=3.0)
    assert ["a.jpg"] == book.offered()
    assert ["a.CR2"] == book.tracker.take_along("a.jpg")


@pytest.mark.parametrize("end", ["later", "refused", "gone"])
def test_what_was_to_go_along_is_alone_when_its_file_is_not_taken(book: Book, end: str) -> None:
    """The claim came to nothing: what was to go along does not wait for ever."""
    tracker = book.tracker
    names = ("a.CR2", "a.MOV", "a.jpg")
    book.come(*names)
    book.look("a.CR2", 0.0)
    book.rest(*names)
    book.offered()
    assert ["a.jpg"] == tracker.next_ready(10, 1000)
    assert {"a.CR2", "a.MOV"} == set(tracker.take_along("a.jpg"))
    match end:
        case "later":
            tracker.try_later("a.jpg", Outcome.PROBLEM, "it cannot be taken", 3.0)
        case "refused":
            tracker.leave("a.jpg", "it was refused")
        case "gone":
            tracker.gone("a.jpg")
    tracker.put_down(["a.jpg"], 3.0)
    assert RAW == tracker.ignored["a.CR2"].reason
    if end == "later":
        assert LEFT_CLIP == tracker.ignored["a.MOV"].reason
        tracker.reconsider("a.jpg", 8.0, 8.0)
        assert set(names) == tracker.settling.keys()
    else:
        assert ["a.MOV"] == book.offered()

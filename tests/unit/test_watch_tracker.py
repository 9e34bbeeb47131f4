"""The bookkeeping of names: one place for each, one outcome at a time."""

from __future__ import annotations

import pytest

from mediawatch.watch.candidates import Outcome
from mediawatch.watch.listing import Look, Sight
from mediawatch.watch.settle import SettleRule
from mediawatch.watch.tracker import LONELY_SIDECAR, Tracker
from mediawatch.watch.writers import Writer

KEY = (1, 10, 100, 100)


class Book:
    """A tracker, and what it decided."""

    def __init__(self, track_max: int = 100) -> None:
        self.outcomes: list[tuple[str, Outcome | None]] = []
        self.held: list[str] = []
        self.tracker = Tracker(
            SettleRule(settle=2.0),
            track_max,
            lambda name, outcome, _reason: self.outcomes.append((name, outcome)),
            self.held.append,
        )

    def look(self, name: str, now: float, **facts: object) -> None:
        """One look at one name."""
        defaults: dict[str, object] = {"sight": Sight.FILE, "key": KEY, "size": 10}
        self.tracker.judge([Look(name, **{**defaults, **facts})], now)  # type: ignore[arg-type]

    def settle(self, name: str) -> None:
        """Bring a name to being ready."""
        self.tracker.adopt([name], 0.0, 0.0)
        self.look(name, 0.0)
        self.look(name, 2.0, writer=Writer.NONE)


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_settled_name_is_offered_once(book: Book) -> None:
    """Ready, offered, taken, forgotten."""
    book.settle("a.jpg")
    assert ["a.jpg"] == book.tracker.next_ready(10, 100)
    assert [] == book.tracker.next_ready(10, 100)
    book.tracker.taken("a.jpg")
    assert set() == book.tracker.known()
    assert [("a.jpg", Outcome.TAKEN)] == book.outcomes


def test_a_name_that_is_being_taken_is_not_gone(book: Book) -> None:
    """The claim itself makes it vanish from the listing."""
    book.settle("a.jpg")
    book.tracker.next_ready(10, 100)
    book.tracker.drop({"a.jpg"})
    assert [] == book.outcomes
    assert "a.jpg" in book.tracker.settling


def test_a_sidecar_beside_a_picture_is_not_spoken_of(book: Book) -> None:
    """It is no post, and it is not ignored either; the order of arrival does not matter."""
    book.tracker.adopt(["a.txt", "a.jpg"], 0.0, 0.0)
    assert {"a.txt"} == book.tracker.quiet()
    assert {} == book.tracker.ignored


def test_a_lonely_sidecar_is_ignored_until_its_picture_comes(book: Book) -> None:
    """It says why, and stops saying so when the picture is there."""
    book.tracker.adopt(["a.txt"], 0.0, 0.0)
    assert LONELY_SIDECAR == book.tracker.ignored["a.txt"].reason
    book.tracker.adopt(["a.jpg"], 1.0, 1.0)
    assert {} == book.tracker.ignored
    assert {"a.txt"} == book.tracker.quiet()


def test_a_sidecar_is_known_however_its_accents_are_written(book: Book) -> None:
    """A Mac writes two characters where others write one: it is the same name to people."""
    book.tracker.adopt(["cafe\u0301.txt", "caf\u00e9.jpg"], 0.0, 0.0)
    assert {"cafe\u0301.txt"} == book.tracker.quiet()
    book.tracker.gone("caf\u00e9.jpg")
    assert set() == book.tracker.quiet()


def test_a_sidecar_that_is_left_behind_is_new_again(book: Book) -> None:
    """After its picture was taken it is looked at anew, and is lonely then."""
    book.tracker.adopt(["a.txt"], 0.0, 0.0)
    book.settle("a.jpg")
    book.tracker.next_ready(10, 100)
    book.tracker.taken("a.jpg")
    assert set() == book.tracker.known()
    book.tracker.adopt(["a.txt"], 3.0, 3.0)
    assert {"a.txt"} == book.tracker.ignored.keys()


def test_what_cannot_be_read_is_tried_again_less_and_less(book: Book) -> None:
    """It stays visible, and is looked at again after 5, 10, 30 seconds."""
    book.tracker.adopt(["a.jpg"], 0.0, 0.0)
    delays, now = [], 0.0
    for _ in range(3):
        book.look("a.jpg", now, sight=Sight.UNREADABLE, reason="no permission")
        due = book.tracker.next_due()
        while due is not None and due <= now:
            book.tracker.questions(now, 10)
            due = book.tracker.next_due()
        assert due is not None
        assert "no permission" == book.tracker.ignored["a.jpg"].reason
        delays.append(due - now)
        now = due
        assert ["a.jpg"] == [question.name for question in book.tracker.questions(now, 10)]
    assert [5.0, 10.0, 30.0] == delays
    assert ("a.jpg", Outcome.UNREADABLE) == book.outcomes[0]


def test_the_folder_being_away_says_nothing_of_its_files(book: Book) -> None:
    """No name is forgotten because the whole folder is missing."""
    book.tracker.adopt(["a.jpg"], 0.0, 0.0)
    book.look("a.jpg", 0.0, sight=Sight.AWAY)
    assert [] == book.outcomes
    assert "a.jpg" in book.tracker.settling


def test_a_file_held_open_is_warned_about_once(book: Book) -> None:
    """One warning for one stretch, however often it is looked at."""
    book.tracker.adopt(["a.jpg"], 0.0, 0.0)
    book.look("a.jpg", 0.0)
    for now in (900.0, 960.0, 1020.0):
        book.look("a.jpg", now, writer=Writer.SOME)
    assert ["a.jpg"] == book.held


def test_rechecks_go_round(book: Book) -> None:
    """A few of the ignored names at a time, each in its turn."""
    names = ["a", "b", "c"]
    book.tracker.adopt(names, 0.0, 0.0)
    for name in names:
        book.look(name, 0.0, sight=Sight.OTHER, reason="a link")
    turns = [[name for name, _ in book.tracker.rechecks(2)] for _ in range(3)]
    assert [["a", "b"], ["c"], ["b", "c"]] == turns


def test_many_early_looks_queue_one_late_look(book: Book) -> None:
    """Events may cause a look a hundred times; the queue of looks does not grow."""
    book.tracker.adopt(["a.jpg"], 0.0, 0.0)
    book.tracker.questions(0.0, 10)
    for step in range(100):
        book.look("a.jpg", step / 100)
    assert 1 == len(book.tracker._due)


def test_after_a_stop_everything_is_looked_at_again(book: Book) -> None:
    """A look or an offer that was cut off is not lost."""
    book.settle("a.jpg")
    book.tracker.adopt(["b.jpg"], 2.0, 2.0)
    book.tracker.next_ready(10, 100)
    book.tracker.questions(2.0, 10)
    book.tracker.put_down(["a.jpg"], 2.0)
    book.tracker.requeue(3.0)
    asked = {question.name for question in book.tracker.questions(3.0, 10)}
    assert {"a.jpg", "b.jpg"} == asked

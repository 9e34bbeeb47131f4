"""The settle rule, row by row, on a clock that only the test moves."""

from __future__ import annotations

from mediawatch.watch.settle import (
    CUT_SHORT,
    EMPTY,
    UNSURE,
    WRITTEN,
    SettleRule,
    Settling,
    Verdict,
)
from mediawatch.watch.writers import Writer

RULE = SettleRule(settle=2.0)
KEY = (1, 10, 100, 100)


def _settled_since(since: float) -> Settling:
    return Settling(found=0.0, since=since, due=since, key=KEY, size=10)


def test_a_new_file_waits_for_the_settle_time() -> None:
    """The first look only starts the clock."""
    entry = Settling(found=0.0, since=0.0, due=0.0)
    assert Verdict.WAIT is RULE.judge(entry, KEY, 10, None, 5.0)
    assert 7.0 == entry.due


def test_any_change_starts_the_clock_again() -> None:
    """Another size, time or identity: the file is not what stood still."""
    entry = _settled_since(0.0)
    assert Verdict.WAIT is RULE.judge(entry, (1, 11, 101, 101), 11, Writer.NONE, 2.0)
    assert (2.0, 4.0) == (entry.since, entry.due)


def test_what_stood_still_without_a_writer_is_ready() -> None:
    """Both conditions hold: taken at once."""
    assert Verdict.READY is RULE.judge(_settled_since(0.0), KEY, 10, Writer.NONE, 2.0)


def test_a_look_before_its_time_decides_nothing() -> None:
    """An event may cause a look early; the file still waits until its time."""
    entry = _settled_since(0.0)
    assert Verdict.WAIT is RULE.judge(entry, KEY, 10, None, 1.0)
    assert 2.0 == entry.due


def test_a_writer_keeps_the_file_however_still_it_stands() -> None:
    """A stalled upload with its handle open is not whole."""
    entry = _settled_since(0.0)
    assert Verdict.WAIT is RULE.judge(entry, KEY, 10, Writer.SOME, 899.0)
    assert WRITTEN == entry.reason
    assert 899.0 < entry.due <= 904.0


def test_a_writer_is_asked_about_often_at_first() -> None:
    """The file is taken soon after it is closed, and a forgotten handle costs nothing."""
    assert [0.25, 0.5, 2.5, 5.0] == [RULE.ask_again(age) for age in (0.1, 2.0, 10.0, 800.0)]


def test_a_file_held_open_for_very_long_is_taken_if_it_is_whole() -> None:
    """A process that keeps its descriptor must not keep the file for ever."""
    entry = _settled_since(0.0)
    assert Verdict.READY_IF_WHOLE is RULE.judge(entry, KEY, 10, Writer.SOME, 900.0)


def test_where_nobody_can_say_it_must_stand_still_longer() -> None:
    """Without a lease the time is all there is: ten seconds."""
    entry = _settled_since(0.0)
    assert Verdict.WAIT is RULE.judge(entry, KEY, 10, Writer.UNKNOWN, 9.9)
    assert (10.0, UNSURE) == (entry.due, entry.reason)
    assert Verdict.READY is RULE.judge(entry, KEY, 10, Writer.UNKNOWN, 10.0)


def test_a_long_settle_time_holds_where_nobody_can_say() -> None:
    """A settle time above ten seconds is not shortened."""
    rule = SettleRule(settle=30.0)
    assert Verdict.WAIT is rule.judge(_settled_since(0.0), KEY, 10, Writer.UNKNOWN, 20.0)
    assert Verdict.READY is rule.judge(_settled_since(0.0), KEY, 10, Writer.UNKNOWN, 30.0)


def test_an_empty_file_is_never_ready() -> None:
    """Zero bytes wait, and after a while only a change counts."""
    entry = Settling(found=0.0, since=0.0, due=0.0, key=(1, 0, 1, 1))
    assert Verdict.WAIT is RULE.judge(entry, (1, 0, 1, 1), 0, None, 5.0)
    assert EMPTY == entry.reason
    assert Verdict.EMPTY is RULE.judge(entry, (1, 0, 1, 1), 0, None, 10.0)


def test_a_file_replaced_while_it_was_asked_about_settles_again() -> None:
    """The open descriptor showed another file than lstat did."""
    entry = _settled_since(0.0)
    assert Verdict.WAIT is RULE.judge(entry, KEY, 10, Writer.CHANGED, 3.0)
    assert 3.0 == entry.since


def test_a_cut_short_file_is_tried_with_growing_delays() -> None:
    """10, 30, then every 60 seconds; nothing is handed on before its time."""
    entry = _settled_since(0.0)
    dues = []
    now = 2.0
    while not RULE.incomplete(entry, now):
        assert Verdict.WAIT is RULE.judge(entry, KEY, 10, Writer.NONE, entry.due - 0.5)
        assert CUT_SHORT == entry.reason
        dues.append(entry.due)
        now = entry.due
        assert Verdict.READY is RULE.judge(entry, KEY, 10, Writer.NONE, now)

    assert [12.0, 42.0, 102.0, 162.0] == dues[:4]
    assert 3600.0 == now


def test_a_change_forgets_that_a_file_was_cut_short() -> None:
    """New bytes get a new chance at once."""
    entry = _settled_since(0.0)
    RULE.incomplete(entry, 2.0)
    RULE.judge(entry, (1, 20, 200, 200), 20, None, 5.0)
    assert (7.0, 0, 0.0) == (entry.due, entry.cut_short, entry.not_before)
    assert Verdict.READY is RULE.judge(entry, (1, 20, 200, 200), 20, Writer.NONE, 7.0)

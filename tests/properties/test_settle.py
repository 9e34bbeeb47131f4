"""The settle rule against writers of every habit and clocks of every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.watch.settle import SettleRule, Settling, Verdict
from mediawatch.watch.writers import Key, Writer
from tests.support.fuzzing import examples


class Does(Enum):
    """What happens between two looks."""

    WAIT = "wait"
    WRITE = "write"  # more bytes
    TOUCH = "touch"  # the same length, other bytes: only the times tell
    REPLACE = "replace"  # another file under the name
    EMPTY = "empty"
    OPEN = "open"  # somebody opens it for writing
    CLOSE = "close"


@dataclass
class File:
    """A file, the program that writes it, and what the system can say of that program."""

    lease: bool
    inode: int = 1
    size: int = 0
    stamp: int = 0
    held: bool = False
    changed: float = 0.0
    history: list[tuple[float, Key]] = field(default_factory=list)

    def does(self, what: Does, now: float) -> None:
        match what:
            case Does.WAIT:
                return
            case Does.OPEN | Does.CLOSE:
                self.held = what is Does.OPEN
                return
            case Does.WRITE:
                self.size += 1
            case Does.REPLACE:
                self.inode += 1
                self.size = max(1, self.size)
            case Does.EMPTY:
                self.size = 0
        self.stamp += 1
        self.changed = now

    @property
    def key(self) -> Key:
        return (self.inode, self.size, self.stamp)

    @property
    def writer(self) -> Writer:
        if not self.lease:
            return Writer.UNKNOWN
        return Writer.SOME if self.held else Writer.NONE


STEPS = st.tuples(
    st.sampled_from(Does),
    st.one_of(
        st.floats(0, 30, allow_nan=False),
        st.sampled_from([0.0, 0.1, 1.0, 1.999999, 2.0, 9.999, 10.0, 900.0, 3600.0, 86400.0]),
    ),
    st.booleans(),
)
RULES = st.builds(
    SettleRule, settle=st.sampled_from([0.2, 2.0, 30.0]), unsure=st.sampled_from([0.5, 10.0])
)


@examples(4)
@example(
    rule=SettleRule(2.0),
    steps=[(Does.WRITE, 2.0, True), (Does.TOUCH, 1.999999, True), (Does.WAIT, 2.0, True)],
    lease=False,
)
@given(rule=RULES, steps=st.lists(STEPS, max_size=30), lease=st.booleans())
def test_a_file_is_never_taken_before_it_stood_still_for_its_time(
    rule: SettleRule, steps: list[tuple[Does, float, bool]], lease: bool
) -> None:
    """Ready means: not empty, nobody writes as far as is known, and the key that was looked at
    has been the same for the whole window; and a look that says wait says until when."""
    now, file = 1000.0, File(lease)
    entry = Settling(found=now, since=now, due=now)
    for what, seconds, asked in steps:
        file.does(what, now)
        now += seconds
        verdict = rule.judge(entry, file.key, file.size, file.writer if asked else None, now)
        still = now - file.changed
        match verdict:
            case Verdict.READY:
                assert file.size > 0
                assert asked
                assert still >= rule.settle - 1e-6
                assert lease or still >= rule.unsure - 1e-6
                assert not (lease and file.held)
            case Verdict.READY_IF_WHOLE:
                assert file.held
                assert still >= rule.hold_max - 1e-6
            case Verdict.EMPTY:
                assert 0 == file.size
            case Verdict.WAIT:
                assert entry.due > now or now - entry.since >= rule.settle
                assert entry.reason


@given(rule=RULES, lease=st.booleans(), before=st.lists(STEPS, max_size=10))
def test_a_file_that_nobody_touches_any_more_is_taken(
    rule: SettleRule, lease: bool, before: list[tuple[Does, float, bool]]
) -> None:
    """Whatever its writer did before: looking whenever a look is due comes to an end, and not
    much later than the window after the last change."""
    now, file = 1000.0, File(lease)
    entry = Settling(found=now, since=now, due=now)
    for what, seconds, asked in before:
        file.does(what, now)
        now += seconds
        rule.judge(entry, file.key, file.size, file.writer if asked else None, now)
    file.does(Does.WRITE, now)
    file.does(Does.CLOSE, now)
    last, looks = now, 0
    while rule.judge(entry, file.key, file.size, file.writer, now) is not Verdict.READY:
        now = max(entry.due, now + 0.01)
        looks += 1
        assert looks < 20
    assert now - last <= max(rule.settle, 0 if lease else rule.unsure) + 0.1


@given(
    rule=RULES,
    looks=st.lists(st.floats(0.1, 500), min_size=1, max_size=60),
)
def test_a_file_without_its_end_is_given_an_hour_and_no_more(
    rule: SettleRule, looks: list[float]
) -> None:
    """Not handed on before its time as long as time is left; handed on once it is over."""
    entry = Settling(found=0.0, since=0.0, due=0.0, key=(1,), size=1)
    now = 0.0
    for seconds in looks:
        now += seconds
        over = rule.incomplete(entry, now)
        assert over == (now >= rule.incomplete_max)
        if over:
            return
        assert now < entry.due <= max(rule.incomplete_max, now)
        assert Verdict.READY is not rule.judge(entry, (1,), 1, Writer.NONE, now)

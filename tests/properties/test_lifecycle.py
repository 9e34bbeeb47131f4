"""The state machine in the real journal: workers that come too late, people who meddle, clocks
that run on, in any order."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawatch.errors import Conflict
from mediawatch.journal import accounts, posts
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.model.lifecycle import FINAL, Event, IllegalMove, Publication, Stage, State, may
from mediawatch.model.posts import Post
from tests.contract.test_journal import NOW, a_post
from tests.support.fuzzing import Loop, examples

LEASE = 60.0
#: Claiming has a statement of its own (``posts.claim``), which raises the fence.
ACTS = tuple(event for event in Event if event is not Event.CLAIM)
#: What leads to where a mistake would hurt is drawn more often than the rest.
FAVOURITES = {Event.ASK: 6, Event.ADVANCE: 3, Event.DENY: 3, Event.FAIL: 3, Event.CONFIRM: 2}
#: What is known after these events that was not known before.
FACTS: dict[Event, dict[str, Any]] = {
    Event.ASK: {"publish_asked_at": NOW},
    Event.DENY: {"publish_asked_at": None},
    Event.DISOWN: {"publish_asked_at": None},
    Event.CONFIRM: {"media_id": "17900000000000001"},
    Event.VOUCH: {"media_id": "17900000000000001"},
}


class House:
    """Posts of one account. ``hands`` are what workers and people saw: any of them may be out of
    date. ``asked`` and ``live`` are our own ledger of the call, kept by events alone."""

    def __init__(self, loop: Loop, journal: SqliteJournal, number: int) -> None:
        self.loop = loop
        self.journal = journal
        self.account = f"account{number}"
        self.now = NOW
        self.ids: list[str] = []
        self.hands: list[Post] = []
        self.asked: set[str] = set()
        self.live: set[str] = set()
        self.accepted: Counter[Event] = Counter()
        self._apply([accounts.ensure(self.account)])

    def _apply(self, statements: list[Any]) -> list[Any]:
        return self.loop(self.journal.apply(statements))

    def _actual(self, post_id: str) -> Post:
        post = self.loop(posts.find(self.journal, post_id))
        assert post is not None
        return post

    def _all(self) -> list[Post]:
        return self.loop(posts.listed(self.journal, ids=self.ids, limit=1000))

    def _taken(self, content_key: str, but: str = "") -> bool:
        return any(
            content_key == post.content_key
            and post.id != but
            and post.state not in {State.FAILED, State.CANCELLED}
            for post in self._all()
        )

    # What happens.

    def add(self, content: int, stage: int) -> None:
        """A file of this content arrives, some of its way done already, so that the far end is
        reached often: a post, or a conflict with the one that there is."""
        post_id = f"{self.account}-{len(self.ids)}-{len(self.hands)}"
        content_key = f"{self.account} {content % 2}"
        post = a_post(
            post_id,
            content_key,
            account_id=self.account,
            stage=(Stage.PUBLISH, Stage.CONVERT, Stage.CONTAINER)[stage % 3],
            created_at=self.now,
        )
        taken = self._taken(content_key)
        try:
            self._apply(posts.add(post))
        except Conflict:
            assert taken
            assert self.loop(posts.find(self.journal, post_id)) is None
        else:
            assert not taken
            self.ids.append(post_id)
            self.hands.append(post)

    def work(self, which: int, seed: int) -> None:
        """A worker takes a post that is ready, due, or whose worker is silent, and goes some
        steps with it; or gets nothing."""
        if not self.ids:
            return
        before = self._actual(self.ids[which % len(self.ids)])
        free = (
            before.state is State.READY
            or (before.state is State.WAITING and (before.wait_until or 0) <= self.now)
            or (before.state is State.RUNNING and (before.lease_until or 0) < self.now)
        )
        rows = self._apply([posts.claim(before.id, now=self.now, lease=LEASE)])[0]
        assert free == bool(rows)
        after = self._actual(before.id)
        assert before.fence + bool(rows) == after.fence
        if rows:
            self.hands.append(after)
            dice = random.Random(seed)
            for _ in range(dice.randrange(9)):
                self._act(len(self.hands) - 1, _possible(self.hands[-1], dice), {})

    def act(self, which: int, seed: int) -> None:
        """Whoever holds a post, of now or of long ago, wants something of it: what he thinks
        possible, or at times anything, with a fact that the event does not tell."""
        if not self.hands:
            return
        number = len(self.hands) - 1 - which % min(len(self.hands), 6)
        dice = random.Random(seed)
        if dice.random() < 0.8:
            self._act(number, _possible(self.hands[number], dice), {})
        else:
            self._act(number, dice.choice(ACTS), {"publish_asked_at": dice.choice([None, NOW])})

    def _act(self, number: int, event: Event | None, stray: dict[str, Any]) -> None:
        if event is None:
            return  # the end of the post's life, as far as this one knows
        seen = self.hands[number]
        before = self._actual(seen.id)
        facts = {**FACTS.get(event, {}), **stray}
        waits = event in {Event.RETRY, Event.SNOOZE, Event.DEFER}
        facts["wait_until"] = self.now + LEASE / 2 if waits else None
        try:
            after, statement = posts.move(seen, event, now=self.now, **facts)
        except IllegalMove:
            assert not may(seen.position, event)
            return
        except ValueError:
            assert stray  # the facts tell of an ask, or of none, where the event does not
            return
        current = (seen.fence, seen.stage, seen.state) == (before.fence, before.stage, before.state)
        doubled = event is Event.REOPEN and self._taken(before.content_key, before.id)
        try:
            self._apply([statement])
        except Conflict:
            assert not current or doubled
            assert before == self._actual(before.id)
            return
        assert current
        assert not doubled
        assert may(before.position, event)
        self.hands[number] = after
        self._book(before.id, event)
        stored = self._actual(before.id)
        assert after.position == stored.position
        assert dataclasses.replace(after, items=()) == dataclasses.replace(stored, items=())

    def _book(self, post_id: str, event: Event) -> None:
        self.accepted[event] += 1
        match event:
            case Event.ASK:
                assert post_id not in self.asked | self.live
                self.asked.add(post_id)
            case Event.DENY | Event.DISOWN:
                self.asked.remove(post_id)
            case Event.CONFIRM | Event.VOUCH:
                self.asked.discard(post_id)
                self.live.add(post_id)
            case Event.REBUILD:
                assert post_id not in self.asked | self.live

    def turn(self, which: int, seed: int) -> None:
        """Time runs on, and leases run out. Somebody looks at a post, to act on it later."""
        self.now += (1.0, LEASE, LEASE + 1, 3600.0)[seed % 4]
        if self.ids:
            self.hands.append(self._actual(self.ids[which % len(self.ids)]))

    def restart(self, _which: int, _seed: int) -> None:
        """The daemon starts anew: nobody works on anything."""
        self._apply([posts.rescue_all(self.now), posts.unpark_all(self.now)])
        assert State.RUNNING not in {post.state for post in self._all()}

    # What must be so after each of them.

    def check(self) -> None:
        """Never final while the outcome is open; what is live stays live; one post a content."""
        everything = self._all()
        for post in everything:
            assert self._known(post.id) is post.publication
            assert post.id not in self.asked or post.state not in FINAL
            assert post.id in self.live or post.state is not State.DONE
        contents = [
            post.content_key
            for post in everything
            if post.state not in {State.FAILED, State.CANCELLED}
        ]
        assert sorted(set(contents)) == sorted(contents)

    def _known(self, post_id: str) -> Publication:
        if post_id in self.live:
            return Publication.LIVE
        return Publication.ASKED if post_id in self.asked else Publication.NOT_ASKED


def _possible(seen: Post, dice: random.Random) -> Event | None:
    possible = [event for event in ACTS if may(seen.position, event)]
    weighted = [event for event in possible for _ in range(FAVOURITES.get(event, 1))]
    return dice.choice(weighted) if weighted else None


HAPPENINGS: dict[str, Callable[[House, int, int], None]] = {
    "add": House.add,
    "work": House.work,
    "act": House.act,
    "turn": House.turn,
    "restart": House.restart,
}
STEPS = st.tuples(
    st.sampled_from(["add", *["work"] * 4, *["act"] * 5, *["turn"] * 2, "restart"]),
    st.integers(0, 9),
    st.integers(0, 99_999),
)


class Houses:
    """A journal, with an account of its own for each example."""

    def __init__(self, loop: Loop, journal: SqliteJournal) -> None:
        self._loop, self._journal, self._made = loop, journal, 0
        self.accepted: Counter[Event] = Counter()

    def build(self) -> House:
        self._made += 1
        return House(self._loop, self._journal, self._made)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    loop = Loop()
    journal = SqliteJournal(tmp_path_factory.mktemp("journal") / "journal.db")
    loop(journal.__aenter__())
    try:
        yield Houses(loop, journal)
    finally:
        loop(journal.__aexit__(None, None, None))
        loop.close()


@examples(0.25)
@given(steps=st.lists(STEPS, min_size=15, max_size=40))
def _no_order_breaks_a_promise(houses: Houses, steps: list[tuple[str, int, int]]) -> None:
    house = houses.build()
    for number in range(2):
        house.add(number, number)
    for what, which, seed in steps:
        HAPPENINGS[what](house, which, seed)
        house.check()
    houses.accepted += house.accepted


def test_no_order_of_events_breaks_a_promise(houses: Houses) -> None:
    """No second ask without a denial, no end while the outcome is unknown, nothing written by
    whoever was overtaken, one live post a content: whoever does what, and however late."""
    _no_order_breaks_a_promise(houses)
    dangerous = {Event.ASK, Event.CONFIRM, Event.FAIL, Event.REOPEN}
    assert dangerous <= set(houses.accepted), "the walk does not reach far enough"

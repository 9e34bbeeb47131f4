"""The owner is told: each thing once, many in one message, and again until it is through. The
journal, Apprise and the receiver are real; only the clock is turned."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mediawatch.alerts.addresses import addresses
from mediawatch.alerts.sender import Sender
from mediawatch.config import AlertSettings, LogSettings
from mediawatch.config.addresses import secret_parts
from mediawatch.errors import JournalError
from mediawatch.journal import accounts, posts, standing
from mediawatch.journal.schema import alerts_due
from mediawatch.journal.sqlite import SqliteJournal
from mediawatch.log import open_log
from mediawatch.maintenance.alerts import Alerts, Pace
from mediawatch.maintenance.conditions import Conditions
from mediawatch.maintenance.disks import Room
from mediawatch.model.alerts import SHOWN, USUAL, AlertKind
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.posts import Item, Post
from tests.support.alert_receiver import SECRET, Receiver, receiver
from tests.support.turned_clock import TurnedClock

ACCOUNT = "17841400000000001"
NOW = 1_800_000_000.0
DAY = 86_400.0
PACE = Pace()


class House:
    """A housekeeper with its neighbours; what it is to find is set here."""

    def __init__(self, journal: SqliteJournal, *urls: str) -> None:
        self.journal = journal
        self.clock = TurnedClock()
        self.clock.time = NOW
        self.urls = urls
        self.folder: str | None = ""
        self.rooms: dict[str, Room] | None = None
        self.expires: float | None = None
        self.sick: JournalError | None = None
        self.heard = io.StringIO()
        masked = tuple(part for url in urls for part in secret_parts(url))
        self.log = open_log(LogSettings(level="debug", format="json"), masked, self.heard)
        self.kinds: Collection[AlertKind] = USUAL
        self.limit = 10.0

    async def start(self) -> Alerts:
        """The daemon starts, or starts again: nothing is in memory."""
        self.alerts = Alerts(
            self.journal,
            Sender(self.limit),
            addresses(map(SecretStr, self.urls)),
            self.clock,
            self.log,
            kinds=self.kinds,
            conditions=Conditions(
                self.journal,
                self.clock,
                folders=lambda: {Path("/in"): self.folder},
                rooms=lambda: self.rooms,
                ends=lambda: {ACCOUNT: self.expires} if self.expires else {},
                min_free=1000,
            ),
            sick=lambda: self.sick,
        )
        await self.alerts.open()
        return self.alerts

    async def wait(self, seconds: float) -> int:
        """Time passes, with looks at its begin and its end; how many messages went."""
        went = await self.alerts.run_once()
        self.clock.time += seconds
        return went + await self.alerts.run_once()

    async def post(self, name: str, state: State, **facts: Any) -> Post:
        """A post that stands so since now."""
        stage = Stage.ARCHIVE if state is State.DONE else Stage.CONVERT
        number = f"{len(await posts.listed(self.journal, limit=10_000)):012x}"
        post = Post(
            id=number,
            account_id=ACCOUNT,
            kind=PostKind.IMAGE,
            name=name,
            caption="A",
            content_key=number,
            stage=stage,
            state=state,
            created_at=self.clock.time,
            updated_at=self.clock.time,
            detail=f"{name} is broken.",
            remedy="Mend it.",
            items=(Item(number, 0, name, Path("/in") / name, "ff" * 32, 10),),
        )
        post = dataclasses.replace(post, **facts)
        await self.journal.apply(posts.add(post))
        return post


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "data" / "journal.db") as journal:
        await journal.apply([accounts.ensure(ACCOUNT)])
        yield journal


@pytest.fixture
async def owner() -> AsyncIterator[Receiver]:
    async with receiver() as opened:
        yield opened


@pytest.fixture
async def house(journal: SqliteJournal, owner: Receiver) -> House:
    house = House(journal, owner.url)
    await house.start()
    return house


def room(free: int, device: int = 1, folder: str = "/in") -> Room:
    return Room(Path(folder), device, free, 10_000)


async def stopped(journal: SqliteJournal) -> None:
    await journal.apply(
        [
            standing.stop(
                ACCOUNT,
                code="token",
                detail="Meta refuses the token.",
                remedy="Make a new one.",
                now=NOW,
                until=None,
            )
        ]
    )


async def makes(house: House, kind: AlertKind) -> None:
    """Have it happen."""
    match kind:
        case AlertKind.FAILED:
            await house.post("a.jpg", State.FAILED)
        case AlertKind.HELD:
            await house.post("a.jpg", State.HELD)
        case AlertKind.PUBLISHED:
            await house.post("a.jpg", State.DONE, published_at=house.clock.time, permalink="p")
        case AlertKind.ACCOUNT:
            await stopped(house.journal)
        case AlertKind.QUOTA:
            waits = {"reason": "quota", "wait_until": NOW + DAY}
            await house.post("a.jpg", State.WAITING, **waits)
        case AlertKind.TOKEN:
            house.expires = NOW + 6.5 * DAY
        case AlertKind.DISK:
            house.rooms = {"inbox": room(999)}
        case AlertKind.FOLDER:
            house.folder = "The folder /in is missing."
        case AlertKind.JOURNAL:
            house.sick = JournalError("The journal is ill.", remedy="Free some space.")


TITLES = {
    AlertKind.FAILED: "a.jpg failed",
    AlertKind.HELD: "a.jpg needs you",
    AlertKind.PUBLISHED: "a.jpg is published",
    AlertKind.ACCOUNT: f"The account {ACCOUNT} is stopped",
    AlertKind.QUOTA: "Instagram's number of posts in 24 hours is used up",
    AlertKind.TOKEN: "The access token ends in 7 days or less",
    AlertKind.DISK: f"The disk of {Path('/in')} is nearly full",
    AlertKind.FOLDER: "The folder is not watched",
    AlertKind.JOURNAL: "The journal cannot be written",
}


@pytest.mark.parametrize("kind", AlertKind)
async def test_each_kind_is_told_once_with_its_remedy(
    house: House, owner: Receiver, kind: AlertKind
) -> None:
    """And not again, however often it is looked at; nor after a restart, but for the journal,
    in which nothing can be written down of its own illness."""
    house.kinds = tuple(AlertKind)
    await house.start()
    await makes(house, kind)
    await house.wait(PACE.patience)
    for _ in range(5):
        await house.wait(PACE.gap)

    assert [f"mediawatch: {TITLES[kind]}"] == owner.titles
    if kind is not AlertKind.PUBLISHED:
        assert "→ " in owner.told[0]["message"]
    if kind is not AlertKind.JOURNAL:
        await house.start()
        await house.wait(PACE.patience)
        await house.wait(PACE.gap)
        assert 1 == len(owner.told)


async def test_what_is_not_wanted_is_not_told(house: House, owner: Receiver) -> None:
    """That a post is published, unless somebody asked for it; and a kind that was taken out."""
    house.kinds = [AlertKind.HELD]
    await house.start()
    for kind in (AlertKind.PUBLISHED, AlertKind.FAILED, AlertKind.DISK, AlertKind.HELD):
        await makes(house, kind)
    await house.wait(PACE.gap)

    assert ["mediawatch: a.jpg needs you"] == owner.titles


async def test_what_was_before_anybody_wanted_to_be_told_is_no_news(
    journal: SqliteJournal, owner: Receiver
) -> None:
    """Years of failed posts do not come at once when an address is first written down."""
    house = House(journal, owner.url)
    await house.post("old.jpg", State.FAILED)
    house.clock.time += 1
    await house.start()
    await house.post("new.jpg", State.FAILED)
    await house.wait(PACE.gap)

    assert ["mediawatch: new.jpg failed"] == owner.titles


async def test_many_make_one_message(house: House, owner: Receiver) -> None:
    """Twenty files that fail within seconds are one message, which names some and counts all."""
    for number in range(20):
        await house.post(f"{number:02}.jpg", State.FAILED)
        await house.wait(1)
    await house.wait(PACE.gather)
    await house.wait(PACE.gap)

    (message,) = owner.told
    assert "mediawatch: 20 posts failed" == message["title"]
    assert SHOWN == message["message"].count("is broken")
    assert "… and 10 more. `mediawatch posts list --state failed` shows all." in message["message"]
    assert 1 == message["message"].count("→ Mend it.")


async def test_a_name_is_what_it_is_in_every_form(journal: SqliteJournal, owner: Receiver) -> None:
    """Where messages are HTML it is no part of it; and it ends no line, nor a heading."""
    house = House(journal, f"{owner.url}?format=html")
    await house.start()
    await house.post("a <b>c\nd.jpg", State.FAILED)
    await house.wait(PACE.gather)

    assert ["mediawatch: a <b>c d.jpg failed"] == owner.titles
    assert "<b>" not in owner.told[0]["message"]
    assert "&lt;b&gt;" in owner.told[0]["message"]


async def test_a_storm_that_does_not_end_is_told_every_few_minutes(
    house: House, owner: Receiver
) -> None:
    """It is not waited for quiet for ever, and not every one of them rings a bell."""
    for number in range(120):
        await house.post(f"{number}.jpg", State.FAILED)
        await house.wait(5)

    assert 2 == len(owner.told)


async def test_a_way_that_is_down_is_tried_again(house: House, owner: Receiver) -> None:
    """Nothing is lost by that, and what came meanwhile goes with it. It is said once in the log."""
    owner.status = 503
    await house.post("a.jpg", State.FAILED)
    for pause in PACE.retries:
        await house.wait(pause)
    assert [] == owner.told
    assert len(PACE.retries) <= owner.asked <= 2 * len(PACE.retries)
    await house.start()  # and a restart in between
    await house.post("b.jpg", State.FAILED)
    owner.status = 200
    await house.wait(PACE.gather)

    assert ["mediawatch: 2 posts failed"] == owner.titles
    assert 1 == house.heard.getvalue().count('"level": "warning"')
    assert "it was refused with 503" in house.heard.getvalue()


async def test_of_two_ways_only_the_one_that_was_down_is_used_again(
    journal: SqliteJournal, owner: Receiver
) -> None:
    """Each address is told once, however another one fares."""
    async with receiver() as other:
        house = House(journal, owner.url, other.url)
        await house.start()
        other.status = 500
        await house.post("a.jpg", State.HELD)
        await house.wait(PACE.gather)
        await house.start()
        other.status = 200
        await house.wait(PACE.gap)

        assert 1 == len(owner.told)
        assert 1 == len(other.told)


async def test_a_way_that_hangs_holds_up_nothing(journal: SqliteJournal, owner: Receiver) -> None:
    """Its message counts as not sent after a while; the other address has its message."""
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(receiver())
        dead.hangs = True
        house = House(journal, dead.url, owner.url)
        house.limit = 0.3
        await house.start()
        await house.post("a.jpg", State.HELD)
        await house.wait(PACE.gather)

        assert 1 == len(owner.told)
        assert "was not through after" in house.heard.getvalue()
        # The thread that hangs is not joined by others.
        for _ in range(3):
            await house.wait(PACE.retries[-1])
        assert 1 == dead.asked
        assert "an earlier message is still on its way" in house.heard.getvalue()


async def test_a_condition_that_comes_back_is_told_again(house: House, owner: Receiver) -> None:
    """But one that flickers is one occasion."""
    house.rooms = {"inbox": room(999)}
    await house.wait(PACE.gather)
    for _ in range(10):
        house.rooms = {"inbox": room(9999)}
        await house.wait(30)
        house.rooms = {"inbox": room(999)}
        await house.wait(30)
    assert 1 == len(owner.told)
    house.rooms = {"inbox": room(9999)}
    await house.wait(PACE.over)
    house.rooms = {"inbox": room(999)}
    await house.wait(PACE.gap)

    assert 2 == len(owner.told)


async def test_a_folder_that_is_back_in_a_moment_is_not_told(house: House, owner: Receiver) -> None:
    """A share that is mounted anew is no reason to wake anybody."""
    house.folder = "The folder /in is missing."
    await house.wait(PACE.patience - 1)
    house.folder = ""
    await house.wait(5)
    house.folder = "The folder /in is missing."
    await house.wait(PACE.patience - 1)

    assert [] == owner.told


async def test_what_is_not_known_ends_nothing(house: House, owner: Receiver) -> None:
    """Just after a start nobody has asked the disks yet: that is no room, and no lack of it."""
    house.rooms = {"inbox": room(999)}
    await house.wait(PACE.gather)
    house.rooms = None
    await house.start()
    await house.wait(2 * PACE.over)
    house.rooms = {"inbox": room(999)}
    await house.wait(PACE.gap)

    assert 1 == len(owner.told)


async def test_folders_of_one_disk_are_one_alert(house: House, owner: Receiver) -> None:
    """Inbox and processed mostly lie on the same one."""
    house.rooms = {
        "inbox": room(9, 1, "/in"),
        "processed": room(9, 1, "/p"),
        "data": room(9, 2, "/d"),
    }
    await house.wait(PACE.gap)

    assert 2 == owner.told[0]["message"].count("is nearly full")


async def test_a_token_is_told_of_at_seven_three_and_one_day(house: House, owner: Receiver) -> None:
    """Three messages on its way, and one when it is over; of a token without an end, none."""
    house.expires = NOW + 8 * DAY
    for _ in range(8 * 4 + 2):
        await house.wait(DAY / 4)

    ends = ["ends in 7 days or less", "ends in 3 days or less", "ends in 1 day or less"]
    assert [f"mediawatch: The access token {end}" for end in (*ends, "has ended")] == owner.titles


async def test_what_stands_for_months_is_told_once(house: House, owner: Receiver) -> None:
    """Also when the mark that it was told is not kept any more."""
    await house.post("a.jpg", State.FAILED)
    for _ in range(70):
        await house.wait(DAY)
        await house.alerts.tidy()

    assert 1 == len(owner.told)


async def test_a_clock_that_was_ahead_silences_nobody(house: House, owner: Receiver) -> None:
    """Alerts were set up by a clock that was years ahead; it is right now."""
    house.clock.time -= 1000 * DAY
    await house.start()
    await house.post("a.jpg", State.FAILED)
    await house.wait(PACE.gap)

    assert ["mediawatch: a.jpg failed"] == owner.titles


async def test_a_post_that_is_held_once_more_is_told_once_more(
    house: House, owner: Receiver
) -> None:
    """It is another occasion: somebody tried it, and it stands again."""
    post = await house.post("a.jpg", State.HELD)
    await house.wait(PACE.gap)
    claimed = dataclasses.replace(post, state=State.RUNNING)
    await house.journal.apply(
        [
            posts.move(post, posts.Event.RELEASE, now=house.clock.time)[1],
            posts.claim(post.id, now=house.clock.time, lease=60),
        ]
    )
    claimed = (await posts.listed(house.journal))[0]
    held = posts.move(claimed, posts.Event.HOLD, now=house.clock.time, detail="d", remedy="r")[1]
    await house.journal.apply([held])
    await house.wait(PACE.gap)

    assert 2 == len(owner.told)


async def test_no_address_leaves_a_trace(
    house: House, owner: Receiver, journal: SqliteJournal, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither when it goes nor when it does not: not in the log, the journal, or a repr."""
    house.urls = (owner.url, f"json://owner:{SECRET}@127.0.0.1:1/{SECRET}", f"nosuch://{SECRET}")
    await house.start()
    await house.post("a.jpg", State.FAILED)
    await house.wait(PACE.gather)
    owner.status = 401
    await house.post("b.jpg", State.FAILED)
    await house.wait(PACE.gap)

    said = house.heard.getvalue()
    assert "it cannot be reached" in said
    assert "Apprise does not know this kind of address" in said
    assert '"library"' not in said, "what Apprise says itself goes nowhere"
    kept = b"".join(file.read_bytes() for file in journal.path.parent.iterdir() if file.is_file())
    settings = AlertSettings(urls=house.urls)  # type: ignore[arg-type]
    known = addresses(settings.urls)
    for text in (said, repr(settings), str(settings), repr(known), *capfd.readouterr()):
        assert SECRET not in text
    assert SECRET.encode() not in kept
    assert "json://•••" in known[0].shown


async def test_an_address_that_is_taken_out_is_waited_for_no_more(
    journal: SqliteJournal, owner: Receiver
) -> None:
    """What it was not told of goes nowhere."""
    house = House(journal, f"json://127.0.0.1:1/{SECRET}", owner.url)
    await house.start()
    await house.post("a.jpg", State.FAILED)
    await house.wait(PACE.gather)
    house.urls = (owner.url,)
    await house.start()
    await house.wait(PACE.gap)
    rows: Sequence[Any] = await journal.read(posts.select(alerts_due))

    assert 1 == len(owner.told)
    assert [] == list(rows)


async def test_what_reached_nobody_for_days_is_given_up(
    journal: SqliteJournal, owner: Receiver
) -> None:
    """It is no news any more; that it was lost is said in the log."""
    owner.status = 500
    house = House(journal, owner.url)
    await house.start()
    await house.post("a.jpg", State.FAILED)
    await house.wait(PACE.gather)
    await house.alerts.tidy()
    assert "given up" not in house.heard.getvalue()
    house.clock.time += PACE.give_up
    await house.alerts.tidy()
    owner.status = 200
    await house.wait(PACE.gap)

    assert [] == owner.told
    assert "1 alerts reached nobody for days" in house.heard.getvalue()

"""Several inboxes, and folders that are called like accounts: each file goes where it is meant."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mediawatch import config
from mediawatch.actions import posts as actions
from mediawatch.actions.posts import NotPossible
from mediawatch.clock import SystemClock
from mediawatch.daemon import Daemon
from mediawatch.doctor import inboxes
from mediawatch.journal import posts
from mediawatch.model.findings import Finding
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import State
from mediawatch.model.posts import Post
from mediawatch.watch import watched
from mediawatch.watch.intake import Intake
from tests.support.actors import MACHINE
from tests.support.daemon import until
from tests.support.pictures import jpeg
from tests.support.river import River, open_river
from tests.support.several_accounts import (
    ALICE,
    BOB,
    OWN,
    USERS,
    at_work,
    connect,
    disconnect,
    lying,
    one_token,
    published,
)

__all__ = ["one_token"]
pytestmark = pytest.mark.usefixtures("one_token")


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[River]:
    async with open_river(tmp_path, users=USERS) as made:
        yield made


def inbox(river: River, name: str, **keys: Any) -> dict[str, Any]:
    """Settings of an inbox in a place of its own, which is made."""
    folder = river.root / name / "in"
    folder.mkdir(parents=True)
    return {"folder": str(folder), **keys}


def drop(folder: Path, name: str, seed: int = 1) -> Path:
    """A picture that appears whole, as a download that is renamed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(jpeg(400, 320, seed=seed))
    return part.rename(path)


async def done(running: Daemon, count: int) -> list[Post]:
    """All posts, once so many are done."""
    journal = running.app.journal

    async def seen() -> list[Post] | None:
        found = await posts.listed(journal, limit=1000)
        return found if sum(post.state is State.DONE for post in found) == count else None

    found: list[Post] = await until(seen)
    return found


async def stands(running: Daemon, name: str, state: State) -> Post:
    """The post of that file, once it stands so."""

    async def seen() -> Post | None:
        found = await posts.listed(running.app.journal, limit=1000)
        return next((post for post in found if post.name == name and post.state is state), None)

    found: Post = await until(seen)
    return found


async def doctor(river: River) -> list[Finding]:
    """What the doctor says of the inboxes."""
    settings = config.load(river.config, {})
    return await inboxes.examine(settings, river.data / "journal.db", SystemClock())


async def test_each_inbox_posts_to_its_account_in_its_words(river: River) -> None:
    """Account, caption, kind and folders are those of the inbox; the same picture in two of them
    is two posts, of which the second is not converted again."""
    river.configure(
        watch={
            "inboxes": [
                inbox(river, "own", caption="own {stem}"),
                inbox(river, "a", account="Alice", caption="alice {stem}", archive_by="day"),
                inbox(river, "b", account=BOB, kind="story"),
            ]
        }
    )
    folders = {name: river.root / name for name in ("own", "a", "b")}
    async with at_work(river) as running:
        await connect(running.app.journal, ALICE, "alice")
        await connect(running.app.journal, BOB, "bob")
        drop(folders["own"] / "in", "same.jpg")
        await done(running, 1)
        drop(folders["a"] / "in", "same.jpg")
        drop(folders["b"] / "in", "other.jpg", 2)
        found = await done(running, 3)
        from_cache = running.app.metrics.files_prepared.labels("cache")._value.get()
        status = await running.status()

    assert {OWN: ["own same"], ALICE: ["alice same"]} == {
        user: captions for user, captions in published(river).items() if user != BOB
    }
    assert PostKind.STORY is next(post for post in found if post.account_id == BOB).kind
    assert 1 == from_cache
    assert ["same.jpg"] == lying(folders["own"] / "processed")
    (filed,) = lying(folders["a"] / "processed")
    assert ("same.jpg", 4) == (Path(filed).name, len(Path(filed).parts))
    assert ["other.jpg"] == lying(folders["b"] / "processed")
    assert [[]] * 3 == [lying(folder / "in") for folder in folders.values()]
    assert [OWN, ALICE, BOB] == [each["account"] for each in status["inboxes"]]


async def test_an_inbox_of_one_account_speaks_for_no_other(river: River) -> None:
    """A folder of another account in it: its files are held, and published only if somebody says
    so; the account's own folder is as good as the inbox."""
    river.configure(watch={"inboxes": [inbox(river, "a", account="Alice")]})
    folder = river.root / "a" / "in"
    async with at_work(river) as running:
        await connect(running.app.journal, ALICE, "alice")
        await connect(running.app.journal, BOB, "bob")
        await running.app.watched.accounts.refresh(at_once=True)
        drop(folder, "bob/strange.jpg")
        drop(folder, "alice/own.jpg", 2)
        await until(lambda: {"strange.jpg"} & set(lying(river.root / "a" / "held")))
        await until(lambda: ALICE in published(river))

    assert {ALICE} == published(river).keys()


async def test_an_inbox_feeds_every_account(river: River) -> None:
    """Whoever publishes it at once may do so for each account whose folder may lie in it."""
    async with at_work(river) as running:
        await connect(running.app.journal, ALICE, "alice")
        await running.app.watched.accounts.refresh(at_once=True)
        assert sorted([OWN, ALICE]) == await running._accounts_fed()


async def test_a_folder_named_after_an_account_posts_there(river: River) -> None:
    """Its files, its stories and reels and its carousels; by username in any case, or by id."""
    async with at_work(river) as running:
        await connect(running.app.journal, ALICE, "alice")
        await connect(running.app.journal, BOB, "bob")
        drop(river.inbox, "own.jpg", 1)
        drop(river.inbox, "ALICE/hers.jpg", 2)
        drop(river.inbox, "ALICE/stories/story.jpg", 3)
        album = river.root / "album"
        drop(album, "1.jpg", 4)
        drop(album, "2.jpg", 5)
        album.rename(river.inbox / "ALICE" / "album")
        drop(river.inbox, f"{BOB}/his.jpg", 6)
        found = await done(running, 5)

    assert {
        "own.jpg": (OWN, PostKind.IMAGE),
        "hers.jpg": (ALICE, PostKind.IMAGE),
        "story.jpg": (ALICE, PostKind.STORY),
        "album": (ALICE, PostKind.CAROUSEL),
        "his.jpg": (BOB, PostKind.IMAGE),
    } == {post.name: (post.account_id, post.kind) for post in found}
    assert [] == lying(river.inbox)
    assert (river.inbox / "ALICE" / "stories").is_dir()


async def test_what_lay_there_before_the_account_was_connected_is_held(river: River) -> None:
    """Nobody knows for whom it was meant. Released, it goes to the account; what comes later goes
    there at once, also when the account is called otherwise by then or is another's name."""
    drop(river.inbox, "alice/old.jpg", 1)
    async with at_work(river) as running:
        journal = running.app.journal
        # Connected before the folder could settle as a carousel.
        await connect(journal, ALICE, "alice", at=time.time() + 1)
        old = await stands(running, "old.jpg", State.HELD)
        assert (ALICE, "account-folder") == (old.account_id, old.reason)
        assert {} == published(river)

        running.app.engine.wake(
            (await actions.release(journal, running.app.clock, MACHINE, old.id)).id, 0
        )
        await done(running, 1)
        await connect(journal, ALICE, "alice.b")
        await running.app.watched.accounts.refresh(at_once=True)
        # Connected a second ahead of the clock, above.
        path = drop(river.inbox, "new.part", 2)
        await until(lambda: time.time() > old.created_at + 2)
        path.rename(river.inbox / "alice" / "new.jpg")
        await stands(running, "new.jpg", State.DONE)
        await disconnect(journal, ALICE)
        await running.app.watched.accounts.refresh(at_once=True)
        assert "alice" in running.app.watched.accounts.folders

    assert {ALICE} == set(published(river))


async def test_an_approval_is_asked_for_and_given_by_one_command_only(river: River) -> None:
    """The post is held, its original lies in held/ with the reason; to try it again, or all that is
    held, is no approval; with the approval it is published, once."""
    river.configure(publish={"approval": True})
    async with at_work(river) as running:
        journal, clock = running.app.journal, running.app.clock
        drop(river.inbox, "a.jpg")
        post = await stands(running, "a.jpg", State.HELD)
        await until(lambda: lying(river.held) == ["a.jpg"])
        note = json.loads((river.held / "a.jpg.mediawatch.json").read_text(encoding="utf-8"))
        assert f"mediawatch posts release {post.id}" in note["what_to_do"] == post.remedy
        assert f"mediawatch posts release {post.id}" == note["try_again"]
        with pytest.raises(NotPossible, match="no approval"):
            await actions.retry(journal, clock, MACHINE, post.id)
        assert [] == await actions.retry_all(journal, clock, MACHINE)
        # Whoever only puts it back has not approved it either.
        (river.held / "a.jpg").rename(river.inbox / "a.jpg")
        await until(lambda: lying(river.held) == [])
        await until(lambda: lying(river.held) == ["a.jpg"])
        post = await stands(running, "a.jpg", State.HELD)
        assert "approval" == post.reason

        running.app.engine.wake((await actions.release(journal, clock, MACHINE, post.id)).id, 0)
        await done(running, 1)

    assert ["a"] == river.captions()
    assert ["a.jpg"] == lying(river.processed)


async def test_posts_take_the_next_free_slots_of_the_week(river: River) -> None:
    """One each, in all inboxes of the account; a time that was wished for stays."""
    slots = {"slots": ["Mon 09:00", "Thu 18:30"], "zone": "Europe/Paris"}
    river.configure(
        watch={"inboxes": [inbox(river, "a", **slots), inbox(river, "b", **slots)]},
    )
    async with at_work(river) as running:
        for number, name in enumerate(("a", "b", "a")):
            drop(river.root / name / "in", f"{number}.jpg", number)
        drop(river.root / "a/in", "2098-12-24 18.00 tree.jpg", 9)
        for name in ("0.jpg", "1.jpg", "2.jpg", "2098-12-24 18.00 tree.jpg"):
            await stands(running, name, State.WAITING)
        found = await posts.listed(running.app.journal)

    planned = sorted(post.wishes.publish_at for post in found if post.wishes.publish_at is not None)
    assert 4 == len(set(planned))
    assert {(0, 9, 0), (3, 18, 30)} == {
        (each.weekday(), each.hour, each.minute) for each in planned[:3]
    }
    assert planned[2].timestamp() < time.time() + 15 * 86_400
    assert 2098 == planned[3].year


async def test_what_came_from_an_inbox_that_is_gone_is_finished(river: River) -> None:
    """Its post goes on, and its original is filed where those of the first inbox are."""
    first, second = inbox(river, "a"), inbox(river, "b", approval=True, processed=str(river.failed))
    river.configure(watch={"inboxes": [first, second]})
    async with at_work(river) as running:
        drop(river.root / "b/in", "b.jpg")
        post = await stands(running, "b.jpg", State.HELD)
        await until(lambda: lying(river.root / "b/held") == ["b.jpg"])

    river.configure(watch={"inboxes": [first]})
    async with at_work(river) as running:
        app = running.app
        app.engine.wake((await actions.release(app.journal, app.clock, MACHINE, post.id)).id, 0)
        await done(running, 1)

    assert ["b.jpg"] == lying(river.root / "a/processed")
    assert [] == lying(river.root / "b")


async def test_an_inbox_whose_account_is_not_connected_keeps_its_files(river: River) -> None:
    """That is told, and the other inbox goes on; once it is connected they are taken."""
    river.configure(
        watch={"inboxes": [inbox(river, "a", account="alice"), inbox(river, "own", account=OWN)]}
    )
    async with at_work(river) as running:
        drop(river.root / "a/in", "hers.jpg", 1)
        drop(river.root / "own/in", "own.jpg", 2)
        await done(running, 1)
        (waiting, well) = (await running.status())["inboxes"]
        assert "no account of this name is connected" in waiting["problem"]
        assert "" == well["problem"]
        assert ["hers.jpg"] == lying(river.root / "a/in")
        (unknown, known) = await doctor(river)
        assert (False, True) == (unknown.ok, known.ok)
        assert "accounts connect" in unknown.remedy

        await connect(running.app.journal, ALICE, "alice")
        await done(running, 2)

    assert {OWN: ["own"], ALICE: ["hers"]} == published(river)


async def test_one_throttled_account_slows_no_other(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meta takes no more calls of one account, whose posts wait, as many as it may have: files of
    the others, in the same inbox, are published meanwhile; its own stay in their folder."""
    monkeypatch.setattr(watched, "Intake", functools.partial(Intake, backlog=3))
    river.simulator.script({"on": "create", "match": "alice", "do": "error", "code": 80002})
    async with at_work(river) as running:
        await connect(running.app.journal, ALICE, "alice")
        await connect(running.app.journal, BOB, "bob")
        for number in range(8):
            drop(river.inbox, f"alice/alice{number}.jpg", number)
        await until(lambda: len(lying(river.inbox)) == 5)
        for number in range(4):
            drop(river.inbox, f"bob/bob{number}.jpg", 10 + number)
            drop(river.inbox, f"own{number}.jpg", 20 + number)
        found = await done(running, 8)
        standing = {each["id"]: each["state"] for each in (await running.status())["standings"]}

    assert {OWN: 4, BOB: 4} == {user: len(each) for user, each in published(river).items()}
    assert {ALICE: "paused"} == standing
    waiting = [post for post in found if post.account_id == ALICE]
    assert [State.WAITING] * 3 == [post.state for post in waiting]
    assert 5 == len(lying(river.inbox / "alice"))


async def test_one_pass_tells_of_each_inbox(river: River) -> None:
    """The report is that of all together, with the numbers of each; one that is missing does not
    keep the others from it."""
    river.configure(watch={"inboxes": [inbox(river, "a"), inbox(river, "b"), inbox(river, "c")]})
    drop(river.root / "a/in", "same.jpg", 1)
    drop(river.root / "b/in", "same.jpg", 2)
    (river.root / "c/in").rmdir()
    ended = await river.run("once", "--json")

    report = json.loads(ended.out)
    assert str(river.root / "a/in") == report["source_directory"]
    assert 2 == report["result"]["stats"]["files_published"]
    assert ["folder-missing"] == [each["code"] for each in report["result"]["stats"]["errors"]]
    assert [1, 1, 0] == [each["stats"]["files_published"] for each in report["inboxes"]]
    assert 1 == ended.code

"""What can happen to a file, each way played once: together they pass every point."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import update

from mediawatch.journal.database import Statement
from mediawatch.journal.ownership import running
from mediawatch.journal.schema import accounts
from mediawatch.journal.sqlite import SqliteJournal
from tests.crash.stage import End, Stage
from tests.support.alert_receiver import receiver
from tests.support.clips import clip
from tests.support.login import FACEBOOK_APP, consent
from tests.support.pictures import MP4, encoded, jpeg, photo
from tests.support.river import River, contents
from tests.support.simulator import TOKEN
from tests.support.simulator import USER as ACCOUNT

CLIP = MP4 + bytes(4096)


#: Points of the straight way.
USUAL = frozenset(
    {
        *("owner.locked", "owner.written", "owner.announced", "owner.left"),
        *("account.recorded", "account.token-remembered", "backup.written", "backup.placed"),
        *("journal.made", "journal.placed", "door.cleared", "door.opened", "door.closed"),
        *("recovery.rescued", "withheld.cleared", "withheld.looked"),
        *("claim.intended", "claim.renamed", "claim.caption-renamed", "claim.recorded"),
        *("post.claimed", "post.advanced", "post.noted", "post.done", "convert.prepared"),
        *("cache.noted", "cache.kept"),
        *("upload.stored", "upload.renamed", "container.answered", "quota.recorded"),
        *("publish.asked", "publish.witness-written", "publish.witnessed"),
        *("publish.answered", "publish.recorded"),
        *("work.prepared-removed", "work.folder-removed"),
        *("rename.linked", "file.moved", "note.removed"),
        "lease.renewed",  # by the clock: only a long step passes it for certain
    }
)
#: The same without those of filing, which differ with what is filed and where.
BUT_FILING = USUAL - {"rename.linked", "file.moved", "note.removed", "work.folder-removed"}
#: What the scenario of a refused token is killed at.
TOKEN_REFUSED = BUT_FILING | {
    *("account.stopped", "account.released", "post.waits", "account.freed"),
    *("rename.linked", "file.moved", "note.removed", "work.folder-removed"),
}


@dataclass(frozen=True)
class Scenario:
    """How it is played, and in which world. ``armed_life``: the life of the daemon that is killed.

    ``usual``: points that it passes as other scenarios do, and is not killed at again; of the
    rest it is killed at each passage. ``alter`` is told the river. ``settings`` go on top of the
    stage's.
    """

    play: Callable[[Stage], Awaitable[None]]
    armed_life: int = 1
    usual: frozenset[str] = USUAL
    tls: bool = False
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    alter: Callable[[River], dict[str, Any]] = lambda river: {}


async def straight(stage: Stage) -> None:
    """A picture with its caption beside it, from the inbox to processed."""
    _picture_with_caption(stage.river)
    await stage.start()
    await stage.ends(PUBLISHED)


PUBLISHED = End(
    captions=["Sunset"],
    processed={"beach.jpg", "beach.txt"},
    states={"beach.jpg": "done"},
    hosted=1,
)


def _picture_with_caption(river: River) -> None:
    river.drop("beach.txt", b"Sunset")
    river.drop("beach.jpg", jpeg(400, 320))


async def stopped(stage: Stage) -> None:
    """Stopped while Meta is slow, and started again."""
    river = stage.river
    river.simulator.script({"on": "create", "do": "delay", "seconds": 3, "times": 1})
    _picture_with_caption(river)
    await stage.start()
    await stage.until(lambda: river.simulator.state.asked["create"])  # type: ignore[index]
    await stage.stop()
    await stage.start()
    await stage.ends(PUBLISHED)


async def tried_again(stage: Stage) -> None:
    """Meta fails three times, and then makes nothing of the first container."""
    stage.river.simulator.script(
        {"on": "create", "do": "error", "code": 2, "times": 3},
        {"on": "create", "do": "status", "status": "ERROR", "nth": 4},
    )
    await straight(stage)


async def answer_lost_and_done(stage: Stage) -> None:
    """Published, but the answer never came."""
    stage.river.simulator.script({"on": "media_publish", "do": "drop-after", "times": 1})
    await straight(stage)


async def answer_lost_and_not_done(stage: Stage) -> None:
    """Not published, and no answer came."""
    stage.river.simulator.script({"on": "media_publish", "do": "drop-before", "times": 1})
    await straight(stage)


async def one_after_another(stage: Stage) -> None:
    """Two pictures, and Meta takes its time with the first: the second waits for the account."""
    river = stage.river
    river.simulator.script({"on": "media_publish", "do": "delay", "seconds": 0.4, "times": 1})
    for seed in (1, 2):
        river.drop(f"{seed}.jpg", jpeg(400, 320, seed=seed))
    await stage.start()
    await stage.ends(
        End(
            captions=["1", "2"],
            processed={"1.jpg", "2.jpg"},
            states={"1.jpg": "done", "2.jpg": "done"},
            hosted=2,
        )
    )


async def two_inboxes(stage: Stage) -> None:
    """A picture in each of two inboxes, and one in the folder that is named after the account."""
    river = stage.river
    second = river.root / "second"
    second.mkdir()
    river.tables["watch"]["inboxes"] = [
        {"folder": str(river.inbox)},
        {"folder": str(second), "caption": "second {stem}"},
    ]
    river.write_settings()
    await stage.start()
    await stage.stop()
    async with SqliteJournal(river.data / "journal.db") as journal:
        await journal.apply([Statement(update(accounts).values(username="me"), rows=1)])
    await stage.start()
    # What lay in Me/ before that was a name would be held.
    await stage.until(lambda: len(river.said("start")) > 1)
    river.drop("1.jpg", jpeg(400, 320, seed=1))
    (second / "2.jpg").write_bytes(jpeg(400, 320, seed=2))
    (second / "Me").mkdir()
    (second / "Me" / "3.jpg").write_bytes(jpeg(400, 320, seed=3))
    names = {"1.jpg", "2.jpg", "3.jpg"}
    await stage.ends(
        End(
            captions=["1", "second 2", "second 3"],
            processed=names,
            states=dict.fromkeys(names, "done"),
            hosted=3,
        )
    )


async def the_same_again(stage: Stage) -> None:
    """A copy of what is published already, with a caption of its own."""
    river = stage.river
    _picture_with_caption(river)
    await stage.start()
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    river.drop("copy.txt", b"Once more")
    river.drop("copy.jpg", jpeg(400, 320))
    await stage.ends(
        End(
            captions=["Sunset"],
            processed={"beach.jpg", "beach.txt"},
            duplicate={"copy.jpg", "copy.txt"},
            states={"beach.jpg": "done"},
            hosted=1,
        )
    )


async def damaged(stage: Stage) -> None:
    """A picture that nobody can decode."""
    stage.river.drop("broken.txt", b"Sunset")
    stage.river.drop("broken.png", _damaged())
    await stage.start()
    await stage.ends(End(failed={"broken.png", "broken.txt"}, states={"broken.png": "failed"}))


def _damaged() -> bytes:
    whole = encoded(photo(400, 300), "PNG")
    middle = len(whole) // 2
    return whole[:middle] + bytes(64) + whole[middle + 64 :]


async def failed_and_put_back(stage: Stage) -> None:
    """A damaged picture is put back into the inbox, and fails once more."""
    river = stage.river
    river.drop("broken.png", _damaged())
    await stage.start()
    await stage.until(lambda: "broken.png" in contents(river.failed) and not river.leftovers())
    await stage.until(lambda: _all_stand_still(stage))
    (river.failed / "broken.png").rename(river.inbox / "broken.png")
    await stage.until(lambda: "broken.png" in contents(river.failed) and not river.leftovers())
    await stage.ends(End(failed={"broken.png"}, states={"broken.png": "failed"}))


async def held_and_put_back(stage: Stage) -> None:
    """A video is held; then a copy of it is dropped; then it is put back itself."""
    river = stage.river
    river.drop("clip.mp4", CLIP)
    await stage.start()
    await stage.until(lambda: "clip.mp4" in contents(river.held) and not river.leftovers())
    await stage.until(lambda: _is_held(stage, "clip.mp4"))
    river.drop("copy.mp4", CLIP)
    await stage.until(lambda: "copy.mp4" in contents(river.duplicate) and not river.leftovers())
    await stage.until(lambda: _is_held(stage, "clip.mp4"))
    (river.held / "clip.mp4").rename(river.inbox / "clip.mp4")
    await stage.until(lambda: "clip.mp4" in contents(river.held) and not river.leftovers())
    await stage.ends(End(held={"clip.mp4"}, duplicate={"copy.mp4"}, states={"clip.mp4": "held"}))


async def put_back_with_other_words(
    stage: Stage, filed: frozenset[str] | set[str] = frozenset()
) -> None:
    """A caption with too many hashtags is shortened, and both files are put back."""
    river = stage.river
    river.drop("beach.txt", b"#tag " * 31)
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start()
    await stage.until(lambda: _is_held(stage, "beach.jpg"))
    await stage.until(lambda: "beach.txt" in contents(river.held) and not river.leftovers())
    (river.held / "beach.txt").write_bytes(b"Sunset")
    for name in ("beach.txt", "beach.CR2", "beach.jpg"):
        if (river.held / name).exists():
            (river.held / name).rename(river.inbox / name)
    await stage.ends(replace(PUBLISHED, processed=set(filed) or PUBLISHED.processed))


RAW = b"II*\0" + bytes(4096)


async def picture_and_raw(stage: Stage) -> None:
    """A picture and the RAW of it: one post, both filed."""
    river = stage.river
    river.drop("beach.CR2", RAW)
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start()
    await stage.ends(
        End(
            captions=["beach"],
            processed={"beach.jpg", "beach.CR2"},
            states={"beach.jpg": "done"},
            hosted=1,
        )
    )
    assert RAW == contents(river.processed)["beach.CR2"]


async def raw_put_back(stage: Stage) -> None:
    """Held with its RAW for its caption; all is put back, the caption mended."""
    river = stage.river
    river.drop("beach.CR2", RAW)
    await put_back_with_other_words(stage, PUBLISHED.processed | {"beach.CR2"})
    assert RAW == contents(river.processed)["beach.CR2"]


async def reel_with_cover(stage: Stage) -> None:
    """A video and its cover: both are converted, uploaded and filed, as one post."""
    river = stage.river
    river.drop("waves.cover.jpg", jpeg(360, 640))
    river.drop("waves.mp4", clip(seconds=3))
    await stage.start()
    await stage.ends(
        End(
            captions=["waves"],
            processed={"waves.mp4", "waves.cover.jpg"},
            states={"waves.mp4": "done"},
            hosted=2,
        )
    )
    (media,) = river.simulator.state.publications
    assert media.container.details.cover is not None


def _drop_folder(river: River, name: str, more: Mapping[str, bytes] | None = None) -> None:
    folder = river.root / "prepared" / name
    folder.mkdir(parents=True)
    for file, content in (more or {}).items():
        (folder / file).write_bytes(content)
    for seed, file in enumerate(("a.jpg", "b.jpg")):
        (folder / file).write_bytes(jpeg(400, 320, seed=seed))
    (folder / "caption.txt").write_bytes(b"Our trip")
    folder.rename(river.inbox / name)


async def carousel(stage: Stage) -> None:
    """A folder of two pictures with its caption: one post, filed as a folder."""
    river = stage.river
    _drop_folder(river, "trip")
    await stage.start()
    await stage.ends(
        End(captions=["Our trip"], processed={"trip"}, states={"trip": "done"}, hosted=2)
    )
    files = {"a.jpg", "b.jpg", "caption.txt"}
    assert files == contents(river.processed / "trip").keys(), river.story()


async def carousel_with_a_damaged_picture(stage: Stage) -> None:
    """One bad file fails the folder, which is filed whole, its caption too."""
    river = stage.river
    whole = encoded(photo(400, 300), "PNG")
    middle = len(whole) // 2
    _drop_folder(river, "trip", {"c.png": whole[:middle] + bytes(64) + whole[middle + 64 :]})
    await stage.start()
    await stage.ends(End(failed={"trip"}, states={"trip": "failed"}))
    files = {"a.jpg", "b.jpg", "c.png", "caption.txt"}
    assert files == contents(river.failed / "trip").keys(), river.story()


async def carousel_again(stage: Stage) -> None:
    """The same folder under another name is filed aside, whole."""
    river = stage.river
    _drop_folder(river, "trip")
    await stage.start()
    await stage.until(lambda: _is_done(stage, "trip"))
    await stage.until(lambda: not river.leftovers())
    _drop_folder(river, "copy")
    await stage.until(lambda: "copy" in _names(river.duplicate) and not river.leftovers())
    await stage.stop()
    files = {"a.jpg", "b.jpg", "caption.txt"}
    assert files == contents(river.duplicate / "copy").keys(), river.story()
    assert {"copy", "copy.mediawatch.json"} == _names(river.duplicate), river.story()
    assert ["Our trip"] == river.captions()


async def sent_directly(stage: Stage) -> None:
    """A reel is sent to Meta itself, and the line breaks off on the way: no host has a part in it,
    and what is published is the whole video."""
    river = stage.river
    river.simulator.script({"on": "upload", "nth": 1, "do": "drop-within", "bytes": 300_000})
    river.drop("waves.mp4", clip(seconds=20))
    await stage.start()
    await stage.ends(End(captions=["waves"], processed={"waves.mp4"}, states={"waves.mp4": "done"}))
    (media,) = river.simulator.state.publications
    (post,) = (await river.posts()).values()
    assert [post.items[0].prepared_sha256] == [video.sha256 for video in media.container.videos]


async def sent_after_all_by_the_host(stage: Stage) -> None:
    """Meta takes no uploads: the reel goes by the web host."""
    river = stage.river
    river.simulator.script({"on": "upload", "do": "error", "code": 10})
    river.drop("waves.mp4", clip(seconds=3))
    await stage.start()
    await stage.ends(
        End(captions=["waves"], processed={"waves.mp4"}, states={"waves.mp4": "done"}, hosted=1)
    )


async def commented(stage: Stage) -> None:
    """A post with a first comment: it is written once."""
    river = stage.river
    river.drop("beach.toml", b'caption = "Sunset"\nfirst_comment = "Low tide"\n')
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start()
    await stage.until(lambda: _has_comment(stage, "beach.jpg"))
    await stage.stop()
    (media,) = river.simulator.state.snapshot()["publications"]
    assert 1 == len(media["comments"]), river.story()


async def _has_comment(stage: Stage, name: str) -> bool:
    post = (await stage.river.posts()).get(name)
    return post is not None and post.comment_id is not None


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


async def _is_done(stage: Stage, name: str) -> bool:
    post = (await stage.river.posts()).get(name)
    return post is not None and post.state == "done"


async def _is_held(stage: Stage, name: str, *, after: int = 0) -> bool:
    """Whether it is held and filed, and was claimed since it had that fence."""
    post = (await stage.river.posts()).get(name)
    if post is None or post.state != "held" or post.fence <= after:
        return False
    return post.items[0].moving_to is None


async def held_and_tried_again(stage: Stage) -> None:
    """A held video is tried again where it lies, and held once more."""
    river = stage.river
    river.drop("clip.mp4", CLIP)
    await stage.start()
    await stage.until(lambda: _is_held(stage, "clip.mp4"))
    (post,) = (await river.posts()).values()
    while await stage.ask("posts", "retry", post.id) != 0:
        pass
    await stage.until(lambda: _is_held(stage, "clip.mp4", after=post.fence))
    await stage.ends(End(held={"clip.mp4"}, states={"clip.mp4": "held"}))


async def put_back_and_changed(stage: Stage) -> None:
    """A held file is put back, and somebody writes to it just then: it is another file now."""
    river = stage.river
    river.drop("clip.mp4", CLIP)
    await stage.start()
    await stage.until(lambda: "clip.mp4" in contents(river.held) and not river.leftovers())
    await stage.until(lambda: _is_held(stage, "clip.mp4"))
    (river.held / "clip.mp4").rename(river.inbox / "clip.mp4")
    await stage.until(lambda: _with_suffix(river.held, ".mp4") and not river.leftovers())
    await stage.stop()
    (name,) = _with_suffix(river.held, ".mp4")
    assert CLIP + b"more" == contents(river.held)[name]
    assert f"{name}.mediawatch.json" in contents(river.held)


def _with_suffix(folder: Path, suffix: str) -> set[str]:
    return {name for name in contents(folder) if name.endswith(suffix)}


async def to_another_disk(stage: Stage) -> None:
    """processed lies on another disk: the original is copied, compared, and let go of."""
    await straight(stage)


async def changed_while_claimed(stage: Stage) -> None:
    """Somebody goes on writing between the reading and the rename: it settles once more."""
    river = stage.river
    _picture_with_caption(river)
    await stage.start()
    await stage.ends(PUBLISHED)


async def gone_while_claimed(stage: Stage) -> None:
    """Taken away between the intent and the rename: there is no post."""
    stage.river.drop("beach.jpg", jpeg(400, 320))
    await stage.start()
    await stage.until(lambda: not stage.river.leftovers())
    await stage.ends(End())


async def gone_while_dead(stage: Stage) -> None:
    """Killed after the intent; then the file is taken away."""
    river = stage.river
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start(dies_at="claim.intended")
    await stage.until_death()
    (river.inbox / "beach.jpg").unlink()
    await stage.start()
    await stage.ends(End())


async def original_gone_while_dead(stage: Stage) -> None:
    """Killed while the original of a published post is filed; then that is taken away."""
    river = stage.river
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start(dies_at="publish.recorded")
    await stage.until_death()
    await stage.start(dies_at="post.noted")
    await stage.until_death()
    for file in (river.inbox / ".mediawatch" / "work").glob("*/beach.jpg"):
        file.unlink()
    await stage.start()
    await stage.ends(End(captions=["beach"], states={"beach.jpg": "done"}, hosted=1))


async def cut_off_while_filed(stage: Stage) -> None:
    """Killed when the original has both names: recovery lets go of the old one."""
    _picture_with_caption(stage.river)
    await stage.start(dies_at="rename.linked")
    await stage.until_death()
    await stage.start()
    await stage.ends(PUBLISHED)


async def another_of_the_same_name(stage: Stage) -> None:
    """Killed after the rename, not yet written down; then another file comes under the old name,
    as cameras name theirs: it is a post of its own."""
    river = stage.river
    river.drop("webcam.jpg", jpeg(400, 320, seed=1))
    await stage.start(dies_at="claim.renamed")
    await stage.until_death()
    river.drop("webcam.jpg", jpeg(400, 320, seed=2))
    await stage.start()
    await stage.until(lambda: len(river.captions()) == 2)
    await stage.until(lambda: len(_names(river.processed)) == 2 and not river.leftovers())
    await stage.stop()
    kept = {bytes(content) for content in contents(river.processed).values()}
    assert {jpeg(400, 320, seed=1), jpeg(400, 320, seed=2)} == kept, river.story()


async def name_taken_while_dead(stage: Stage) -> None:
    """Killed after the intent; then something else lies where the file was to go."""
    river = stage.river
    _picture_with_caption(river)
    await stage.start(dies_at="claim.intended")
    await stage.until_death()
    post = (await river.posts())["beach.jpg"]
    folder = river.inbox / ".mediawatch" / "work" / post.id
    folder.mkdir(parents=True)
    (folder / "beach.jpg").write_bytes(b"not ours")
    await stage.start()
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    # What lay there is nobody's, and may have been published: a person decides.
    await stage.ends(replace(PUBLISHED, held={"beach.jpg"}))


async def journal_lost(stage: Stage) -> None:
    """The journal is gone while a file is claimed: nobody knows whether it is published."""
    river = stage.river
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start(dies_at="claim.recorded")
    await stage.until_death()
    for file in (*river.data.glob("journal*"), *river.data.glob("backups/*")):
        file.unlink()
    await stage.start()
    # Held before the inbox of this new journal is looked at: a stop could cut that look off.
    await stage.until(river.was_looked)
    await stage.ends(End(held={"beach.jpg"}))


async def journal_older(stage: Stage) -> None:
    """Meta was asked more often than the journal knows: held until a person says to go on."""
    river = stage.river
    _picture_with_caption(river)
    await stage.start(dies_at="container.answered")
    await stage.until_death()
    account = river.tables["instagram"]["user_id"]
    (river.data / "asked.json").write_text(json.dumps({account: 3}))
    await stage.start()
    await stage.until(lambda: "beach.jpg" in contents(river.held))
    await stage.until(lambda: _retried(stage, "beach.jpg"))
    await stage.ends(PUBLISHED)


async def _retried(stage: Stage, name: str) -> bool:
    """Ask for a retry while the post stands still; true once it does so no more."""
    post = (await stage.river.posts()).get(name)
    if post is not None and (post.state == "held" or post.reason == "quota"):
        await stage.ask("posts", "retry", post.id)
    return post is not None and post.state == "done"


async def wanted_again(stage: Stage) -> None:
    """Published, and published once more because its owner asks for that."""
    river = stage.river
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start()
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    (post,) = (await river.posts()).values()
    answered = await stage.ask("posts", "publish", post.id, "--again") == 0
    await stage.until(lambda: _all_stand_still(stage))
    await stage.stop()
    published = river.captions().count("beach")
    # Who was not answered may have got it or not; nobody gets it twice, or half.
    assert published == 2 if answered else published in {1, 2}, river.story()
    assert published == len(_with_suffix(river.processed, ".jpg")), river.story()
    assert set() == river.leftovers(), river.story()


async def wanted_again_and_cut_off(stage: Stage) -> None:
    """Killed while the copy was made: there is no second post, and it may be asked for anew."""
    river = stage.river
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start(dies_at="again.copied")
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    (post,) = (await river.posts()).values()
    await stage.ask_to_death("posts", "publish", post.id, "--again")
    assert 2 == len(await river.all_posts())
    await stage.start()
    await stage.ends(
        End(
            captions=["beach"],
            processed={"beach.jpg"},
            states={"beach.jpg": "done"},
            hosted=1,
        )
    )
    assert 1 == len(await river.all_posts())


async def _all_stand_still(stage: Stage) -> bool:
    found = await stage.river.all_posts()
    return all(post.state in {"done", "failed", "held"} for post in found)


async def wanted_again_but_changed(stage: Stage) -> None:
    """What was published is another picture by now: nothing is published again."""
    river = stage.river
    river.drop("beach.jpg", jpeg(400, 320))
    await stage.start()
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    (river.processed / "beach.jpg").write_bytes(jpeg(400, 320, seed=2))
    (post,) = (await river.posts()).values()
    assert 0 != await stage.ask("posts", "publish", post.id, "--again")
    await stage.until(lambda: _all_stand_still(stage))
    await stage.stop()
    assert ["beach"] == river.captions()
    assert set() == river.leftovers(), river.story()


async def full_at_the_first_start(stage: Stage) -> None:
    """More files than are published unasked: held back until they are released."""
    river = stage.river
    names = [f"{seed}.jpg" for seed in (1, 2)]
    for seed, name in enumerate(names):
        river.drop(name, jpeg(400, 320, seed=seed))
    await stage.start()
    await stage.until(lambda: river.said("withheld"))
    while await stage.ask("posts", "release", "--all") != 0:
        pass
    await stage.ends(
        End(
            captions=["1", "2"],
            processed=set(names),
            states=dict.fromkeys(names, "done"),
            hosted=2,
        )
    )


async def long_step(stage: Stage) -> None:
    """Meta takes long: the lease of the post is renewed meanwhile."""
    stage.river.simulator.script({"on": "create", "do": "delay", "seconds": 0.5, "times": 1})
    await straight(stage)


async def cleaned_up(stage: Stage) -> None:
    """What nobody needs any more is deleted from the host."""
    _picture_with_caption(stage.river)
    await stage.start()
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    await stage.until(lambda: _is_forgotten(stage, "beach.jpg"))
    await stage.ends(
        End(
            captions=["Sunset"],
            processed={"beach.jpg", "beach.txt"},
            states={"beach.jpg": "done"},
        )
    )


async def token_refused(stage: Stage) -> None:
    """Meta refuses the token: the account stops, and goes on with another token."""
    river = stage.river
    river.simulator.script({"on": "create", "do": "error", "code": 190})
    _picture_with_caption(river)
    await stage.start()
    await stage.until(lambda: _is_waiting(stage, "beach.jpg"))
    await stage.stop()
    river.simulator.script()
    river.tables["instagram"]["access_token"] = f"{TOKEN}-renewed"
    river.write_settings()
    await stage.start()
    await stage.ends(PUBLISHED)


async def connected(stage: Stage) -> None:
    """An account is pasted while nothing runs: it is connected, or it is not and is pasted again;
    then it is published for, and no half of a key or token lies about."""
    river = stage.river
    _forget_account(river)
    token = river.root / "token"
    token.write_text(TOKEN)
    words = ("accounts", "paste", "--token-file", str(token))
    if await stage.command(*words) != 0:
        assert 0 == await stage.command(*words), river.story()
    _picture_with_caption(river)
    await stage.start()
    await stage.ends(PUBLISHED)


async def connected_by_browser(stage: Stage) -> None:
    """Somebody logs in at Meta from a page; whenever it is cut off, the login begins anew, and in
    the end the account is connected and published for."""
    river = stage.river
    for key in ("user_id", "access_token"):
        del river.tables["instagram"][key]
    river.tables["instagram"] |= {
        "facebook_app_id": FACEBOOK_APP[0],
        "facebook_app_secret": FACEBOOK_APP[1],
    }
    river.write_settings()
    await stage.start()

    async def dance() -> bool:
        with contextlib.suppress(aiohttp.ClientError, OSError, KeyError, ValueError):
            home = json.loads((river.data / "daemon.json").read_text())["url"]
            jar = aiohttp.CookieJar(unsafe=True)  # of an address that is no name
            async with aiohttp.ClientSession(cookie_jar=jar) as browser:
                begin = f"{home}/api/auth/instagram"
                asked = {"login": "facebook"}
                async with browser.get(begin, params=asked, allow_redirects=False) as answer:
                    there = answer.headers["Location"]
                told = await consent(browser, there)
                back = {"code": told["code"], "state": told["state"]}
                async with browser.get(told["to"], params=back, allow_redirects=False) as answer:
                    choice = answer.headers["Location"]
                chosen = {"account": ACCOUNT}
                await browser.post(f"{home}{choice}", data=chosen, allow_redirects=False)
        with contextlib.suppress(sqlite3.OperationalError):
            address = f"{(river.data / 'journal.db').as_uri()}?mode=ro"
            with contextlib.closing(sqlite3.connect(address, uri=True)) as journal:
                return bool(journal.execute("SELECT account_id FROM tokens").fetchall())
        return False

    await stage.until(dance)
    _picture_with_caption(river)
    await stage.ends(PUBLISHED)


async def sealed_anew(stage: Stage) -> None:
    """A new key: whenever it is cut off, every token opens, and the next one ends it."""
    river = stage.river
    await connected(stage)
    keys = (river.data / "keys").read_text().splitlines()
    if await stage.command("accounts", "rotate-key") != 0:
        river.drop("later.jpg", jpeg(400, 320, seed=7))
        assert 0 == await stage.command("accounts", "rotate-key"), river.story()
    else:
        river.drop("later.jpg", jpeg(400, 320, seed=7))
    left = (river.data / "keys").read_text().splitlines()
    assert len(keys) == len(left), left
    assert keys[-1] != left[-1]
    await stage.start()
    await stage.until(lambda: _is_done(stage, "later.jpg"))
    await stage.stop()


async def people(stage: Stage) -> None:
    """Somebody is made a user, gets another password and a key, logs in and out: each of it is so,
    or is not and is asked for again."""
    river = stage.river
    password = river.root / "password"
    password.write_text("four plain words together")
    said = ("--password-file", str(password))

    def rows(query: str) -> list[Any]:
        with contextlib.suppress(sqlite3.OperationalError):  # it is being made
            address = f"{(river.data / 'journal.db').as_uri()}?mode=ro"
            with contextlib.closing(sqlite3.connect(address, uri=True)) as journal:
                return [row[0] for row in journal.execute(query)]
        return []

    async def insist(seen: Callable[[], bool], *words: str) -> None:
        async def asked() -> bool:
            owner = running(river.data)
            if not seen() and owner is not None and owner.url:
                await stage.ask(*words)
            return seen()

        await stage.until(asked)

    await stage.start()
    add = ("users", "add", "ana", "--role", "owner", *said)
    await insist(lambda: rows("SELECT name FROM users") == ["ana"], *add)
    first = rows("SELECT password_hash FROM users")
    passwd = ("users", "passwd", "ana", *said)
    await insist(lambda: rows("SELECT password_hash FROM users") != first, *passwd)
    create = ("keys", "create", "script", "--user", "ana")
    await insist(lambda: bool(rows("SELECT id FROM api_keys")), *create)
    gone = "SELECT id FROM api_keys WHERE revoked_at IS NOT NULL"
    revoke = ("keys", "revoke", rows("SELECT id FROM api_keys")[0])
    await insist(lambda: bool(rows(gone)), *revoke)

    async def logged_in() -> bool:
        with contextlib.suppress(aiohttp.ClientError, OSError, KeyError, ValueError):
            url = json.loads((river.data / "daemon.json").read_text())["url"]
            sent = {"name": "ana", "password": password.read_text(), "next": ""}
            async with aiohttp.ClientSession() as session:
                await session.post(f"{url}/login", data=sent, allow_redirects=False)
        return bool(rows("SELECT user_id FROM sessions"))

    await stage.until(logged_in)
    _picture_with_caption(river)
    await stage.ends(PUBLISHED)
    assert not (river.data / "local.key").exists()


async def disconnected(stage: Stage) -> None:
    """The token is forgotten, or the order is given again; the picture waits, and goes out when
    the account is connected anew."""
    river = stage.river
    await connected(stage)
    await stage.command("accounts", "disconnect", ACCOUNT, "--yes")
    await stage.command("accounts", "disconnect", ACCOUNT, "--yes")
    river.drop("later.jpg", jpeg(400, 320, seed=7))
    token = river.root / "token"
    assert 0 == await stage.command("accounts", "paste", "--token-file", str(token))
    await stage.start()
    await stage.until(lambda: _is_done(stage, "later.jpg"))
    await stage.stop()


async def refreshed(stage: Stage) -> None:
    """Meta refuses to refresh a token, and then does; its account is shared. After a kill the old
    token or the new one is there, and both are good."""
    river = stage.river
    _forget_account(river)
    token = river.root / "token"
    token.write_text(TOKEN)
    paste = ("accounts", "paste", "--login", "instagram", "--token-file", str(token))
    assert 0 == await stage.command(*paste), river.story()
    with contextlib.closing(sqlite3.connect(river.data / "journal.db")) as journal, journal:
        journal.execute("UPDATE tokens SET issued_at = issued_at - 200000")
        row = ("u1", "ben", "ben", "editor", "", 0.0)
        journal.execute(
            "INSERT INTO users (id, name, name_key, role, password_hash, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )
    for kept in river.simulator.state.grants._tokens.values():
        kept.issued_at -= 200_000.0  # Meta refreshes none that is younger than a day
    river.simulator.script({"on": "refresh", "do": "error", "code": 100, "times": 1})
    await stage.command("accounts", "refresh", ACCOUNT)
    await stage.command("accounts", "refresh", ACCOUNT)
    await stage.command("accounts", "share", ACCOUNT, "ben")
    _picture_with_caption(river)
    await stage.start()
    await stage.ends(PUBLISHED)


def _forget_account(river: River) -> None:
    for key in ("user_id", "access_token"):
        del river.tables["instagram"][key]
    river.write_settings()


async def owner_told(stage: Stage) -> None:
    """The same, and the owner is told of it, by the one address that works; the other one is in
    the settings no more when the account goes on. A kill between a sending and its record repeats
    the message, and nothing else does."""
    river = stage.river
    async with receiver() as owner:
        river.tables["alerts"] = {"urls": [owner.url, "json://127.0.0.1:1"]}
        river.write_settings()
        river.simulator.script({"on": "create", "do": "error", "code": 190})
        _picture_with_caption(river)
        await stage.start()
        await stage.until(lambda: owner.told)
        await stage.until(lambda: _is_told(stage))
        await stage.stop()
        river.simulator.script()
        river.tables["alerts"] = {"urls": [owner.url]}
        river.tables["instagram"]["access_token"] = f"{TOKEN}-renewed"
        river.write_settings()
        await stage.start()
        await stage.until(lambda: _nothing_lasts(stage))
        await stage.ends(PUBLISHED)
        repeated = stage.armed is not None and stage.armed.startswith("alert.sent")
        assert len(owner.told) <= 1 + repeated, owner.titles
        assert all("is stopped" in title for title in owner.titles)


async def _is_told(stage: Stage) -> bool:
    """By one of the two addresses."""
    untold = await stage.river.alerts()
    return [1] == [len(each.missing) for each in untold.values()]


async def _nothing_lasts(stage: Stage) -> bool:
    return {} == await stage.river.lasting()


async def _is_waiting(stage: Stage, name: str) -> bool:
    post = (await stage.river.posts()).get(name)
    return post is not None and post.state == "waiting" and bool(post.parked)


async def quota_used_up(stage: Stage) -> None:
    """Meta says that all posts of the day are used; then somebody has it tried again."""
    refused = {"on": "media_publish", "do": "error", "code": 9, "subcode": 2207042, "times": 1}
    stage.river.simulator.script(refused)
    _picture_with_caption(stage.river)
    await stage.start()
    await stage.until(lambda: _retried(stage, "beach.jpg"))
    await stage.ends(PUBLISHED)


async def link_told_late(stage: Stage) -> None:
    """The link of the post cannot be read when it is filed, but later."""
    river = stage.river
    river.simulator.script({"on": "permalink", "do": "error", "code": 2, "times": 3})
    _picture_with_caption(river)
    await stage.start()
    await stage.until(lambda: _has_link(stage, "beach.jpg"))
    await stage.ends(PUBLISHED)


async def _has_link(stage: Stage, name: str) -> bool:
    post = (await stage.river.posts()).get(name)
    return post is not None and post.permalink is not None


async def clock_set_back(stage: Stage) -> None:
    """The clock is set back by an hour while a post waits for its next try."""
    stage.river.simulator.script({"on": "create", "do": "error", "code": 2, "times": 3})
    await straight(stage)


async def many_backups(stage: Stage) -> None:
    """Old copies of the journal lie there, and one that was cut off."""
    river = stage.river
    backups = river.data / "backups"
    backups.mkdir(parents=True)
    await stage.start()
    await stage.until(lambda: list(backups.glob("*.db")))
    (copy,) = backups.glob("*.db")
    await stage.stop()
    for day in range(10, 17):
        copy.with_name(f"journal-202001{day}T000000Z.db").write_bytes(copy.read_bytes())
    copy.rename(copy.with_name("journal-20200101T000000Z.db.part"))
    _picture_with_caption(river)
    await stage.start()
    await stage.until(lambda: list(backups.glob("*.db")) and not list(backups.glob("*.part")))
    await stage.until(lambda: len(list(backups.glob("*.db"))) == 7)
    await stage.ends(PUBLISHED)


async def backed_up(stage: Stage) -> None:
    """All is sealed into one file: it is whole or not there, and made again after a kill."""
    river = stage.river
    _picture_with_caption(river)
    await stage.start()
    await stage.until(lambda: _is_done(stage, "beach.jpg"))
    await stage.stop()
    backup = river.root / "kept.backup"
    if await stage.command("backup", str(backup)) != 0:
        assert 0 == await stage.command("backup", str(backup), "--force"), river.story()
    assert {"kept.backup"} == {path.name for path in river.root.glob("kept*")}
    assert set() == {path.name for path in river.data.glob("backup-copy*")}
    assert 0 == await stage.command("restore", str(backup)), river.story()
    await stage.start()
    await stage.ends(PUBLISHED)


async def restored(stage: Stage) -> None:
    """A backup takes the place of a journal that knows more, after a try that was killed: it is
    the one or the other, and neither publishes anything again."""
    river = stage.river
    backup = river.root / "kept.backup"
    river.drop("1.jpg", jpeg(400, 320, seed=1))
    await stage.start()
    await stage.until(lambda: _is_done(stage, "1.jpg"))
    await stage.stop()
    assert 0 == await stage.command("backup", str(backup)), river.story()
    river.drop("2.jpg", jpeg(400, 320, seed=2))
    await stage.start()
    await stage.until(lambda: _is_done(stage, "2.jpg"))
    await stage.stop()
    await stage.command("restore", str(backup), dies_at="restore.unsealed")
    assert {"1.jpg", "2.jpg"} == (await river.posts()).keys()
    whole = await stage.command("restore", str(backup)) == 0
    river.drop("3.jpg", jpeg(400, 320, seed=3))
    await stage.start()
    await stage.until(lambda: _is_done(stage, "3.jpg"))
    await stage.until(lambda: not river.leftovers())
    await stage.stop()
    assert ["1", "2", "3"] == river.captions(), river.story()
    left = {path.name for path in river.data.glob("restore.*")}
    known = (await river.posts()).keys()
    if list(river.data.glob("replaced-*")):
        assert ({"1.jpg", "3.jpg"}, set()) == (known, left), river.story()
        (aside,) = river.data.glob("replaced-*")
        assert {"journal.db", "asked.json"} <= _names(aside)
    else:  # killed before it was decided: the next restore clears that away
        assert not whole
        assert {"1.jpg", "2.jpg", "3.jpg"} == known, river.story()
        assert left <= {"restore.part"}


async def restore_cut_off(stage: Stage) -> None:
    """Killed when all lies ready: the next start ends it. Nobody knows what came after the backup,
    so what is unfinished is held until a person says to go on."""
    river = stage.river
    _picture_with_caption(river)
    await stage.start(dies_at="container.answered")
    await stage.until_death()
    assert 0 == await stage.command("backup", str(river.root / "kept.backup")), river.story()
    (river.data / "asked.json").unlink(missing_ok=True)
    await stage.command("restore", str(river.root / "kept.backup"), dies_at="restore.ready")
    assert not list(river.data.glob("replaced-*"))
    await stage.start()
    await stage.until(lambda: "beach.jpg" in contents(river.held))
    await stage.until(lambda: _retried(stage, "beach.jpg"))
    await stage.ends(PUBLISHED)
    (aside,) = river.data.glob("replaced-*")
    assert "journal.db" in _names(aside)
    assert set() == {path.name for path in river.data.glob("restore.*")}


async def cache_full(stage: Stage) -> None:
    """Of two pictures that are prepared, only one can be kept for another time."""
    river = stage.river
    for seed in (1, 2):
        river.drop(f"{seed}.jpg", jpeg(400, 320, seed=seed))
    await stage.start()
    await stage.ends(
        End(
            captions=["1", "2"],
            processed={"1.jpg", "2.jpg"},
            states={"1.jpg": "done", "2.jpg": "done"},
            hosted=2,
        )
    )
    assert 1 == len(list((river.data / "prepared-cache").glob("*.jpg")))


async def _is_forgotten(stage: Stage, name: str) -> bool:
    return (await stage.river.posts())[name].items[0].remote_key is None


def _meddle(at: str, do: str, name: str) -> Callable[[River], dict[str, Any]]:
    return lambda river: {"meddle": {"at": at, "do": do, "path": str(river.inbox / name)}}


SCENARIOS: dict[str, Scenario] = {
    "straight": Scenario(straight, usual=frozenset({"lease.renewed"})),
    "stopped": Scenario(stopped),
    "tried again": Scenario(tried_again),
    "answer lost, and done": Scenario(answer_lost_and_done, alter=lambda _: {"quick": 0.1}),
    "answer lost, and not done": Scenario(answer_lost_and_not_done),
    "one after another": Scenario(
        one_after_another, settings={"watch": {"workers": 2}}, alter=lambda _: {"quick": 0.1}
    ),
    "the same again": Scenario(the_same_again, usual=BUT_FILING),
    "the same again, to another disk": Scenario(
        the_same_again,
        usual=USUAL | {"note.written", "note.placed"},
        alter=lambda river: {"other-disk": str(river.duplicate)},
    ),
    "damaged": Scenario(damaged, usual=BUT_FILING),
    "failed and put back": Scenario(failed_and_put_back),
    "held and put back": Scenario(held_and_put_back, usual=BUT_FILING),
    "held and tried again": Scenario(held_and_tried_again, usual=BUT_FILING),
    "put back and changed": Scenario(
        put_back_and_changed, alter=_meddle("put-back.intended", "append", "clip.mp4")
    ),
    "put back with other words": Scenario(put_back_with_other_words, usual=BUT_FILING),
    "to another disk": Scenario(
        to_another_disk, usual=BUT_FILING, alter=lambda river: {"other-disk": str(river.processed)}
    ),
    "old system": Scenario(straight, alter=lambda _: {"old-system": None}),
    "changed while claimed": Scenario(
        changed_while_claimed, alter=_meddle("claim.intended", "append", "beach.jpg")
    ),
    "gone while claimed": Scenario(
        gone_while_claimed, alter=_meddle("claim.intended", "remove", "beach.jpg")
    ),
    "gone while dead": Scenario(gone_while_dead, armed_life=2),
    "original gone while dead": Scenario(original_gone_while_dead, armed_life=3),
    "cut off while filed": Scenario(cut_off_while_filed, armed_life=2),
    "another of the same name": Scenario(
        another_of_the_same_name, armed_life=2, usual=USUAL | {"rename.linked"}
    ),
    "name taken while dead": Scenario(name_taken_while_dead, armed_life=2),
    "journal lost": Scenario(journal_lost, armed_life=2, usual=BUT_FILING),
    "journal older": Scenario(journal_older, armed_life=2),
    "backed up": Scenario(backed_up, armed_life=2),
    "restored": Scenario(restored, armed_life=5),
    "restore, cut off": Scenario(restore_cut_off, armed_life=4),
    "wanted again": Scenario(wanted_again, usual=BUT_FILING),
    "wanted again, but changed": Scenario(wanted_again_but_changed),
    "wanted again, and cut off": Scenario(wanted_again_and_cut_off, armed_life=2),
    "full at the first start": Scenario(
        full_at_the_first_start, settings={"watch": {"hold_above": 1}}
    ),
    "long step": Scenario(
        long_step, usual=USUAL - {"lease.renewed"}, alter=lambda _: {"quick": 0.1}
    ),
    "cleaned up": Scenario(
        cleaned_up, settings={"ftp": {"retention": 0}}, alter=lambda _: {"quick": 0.1}
    ),
    "token refused": Scenario(token_refused),
    "the same with another token": Scenario(token_refused, armed_life=2),
    "owner told": Scenario(owner_told, alter=lambda _: {"quick": 0.1}, usual=TOKEN_REFUSED),
    "owner told, and all well again": Scenario(
        owner_told, armed_life=2, alter=lambda _: {"quick": 0.1}, usual=TOKEN_REFUSED
    ),
    "connected": Scenario(connected),
    "connected by a browser": Scenario(connected_by_browser),
    "sealed anew": Scenario(sealed_anew, armed_life=3),
    "disconnected": Scenario(disconnected, armed_life=3),
    "people": Scenario(people),
    "refresh refused": Scenario(refreshed, armed_life=2),
    "refreshed": Scenario(refreshed, armed_life=3),
    "shared": Scenario(refreshed, armed_life=4),
    "quota used up": Scenario(quota_used_up, alter=lambda _: {"quick": 0.1}),
    "link told late": Scenario(link_told_late, alter=lambda _: {"quick": 0.1}),
    "clock set back": Scenario(
        clock_set_back, alter=lambda _: {"quick": 0.1, "clock-set-back": "post.retries"}
    ),
    "picture and RAW": Scenario(picture_and_raw, usual=BUT_FILING - {"claim.renamed"}),
    "picture and RAW, put back": Scenario(raw_put_back, usual=BUT_FILING),
    "reel with its cover": Scenario(
        reel_with_cover,
        usual=BUT_FILING - {"claim.renamed", "convert.prepared", "upload.renamed"},
        settings={"instagram": {"video_upload": "host"}},
    ),
    "carousel": Scenario(carousel, usual=BUT_FILING - {"claim.renamed"}),
    "carousel with a damaged picture": Scenario(
        carousel_with_a_damaged_picture,
        usual=BUT_FILING - {"claim.renamed", "note.written", "note.placed"},
    ),
    "two inboxes": Scenario(
        two_inboxes, armed_life=2, usual=USUAL - {"claim.intended", "claim.recorded"}
    ),
    "carousel again": Scenario(carousel_again, usual=USUAL | {"account.freed"}),
    "sent directly": Scenario(
        sent_directly,
        usual=BUT_FILING - {"container.answered", "post.noted"} | {"post.waits"},
        alter=lambda _: {"quick": 0.1},
    ),
    "sent after all by the host": Scenario(
        sent_after_all_by_the_host, usual=BUT_FILING - {"container.answered", "post.noted"}
    ),
    "commented": Scenario(commented, alter=lambda _: {"quick": 0.1}),
    "cache full": Scenario(
        cache_full,
        usual=USUAL,
        settings={"media": {"cache": len(jpeg(400, 320, seed=1)) + 100}},
    ),
    "many backups": Scenario(many_backups, armed_life=2),
    "over TLS, into a new folder": Scenario(straight, tls=True),
}

"""Publish once more what is published already, because its owner asked for just that."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from dataclasses import replace
from pathlib import Path

from mediawatch import crash
from mediawatch.actions.posts import NotPossible, find
from mediawatch.clock import Clock
from mediawatch.config import Inboxes
from mediawatch.config.inboxes import place
from mediawatch.errors import Conflict, from_os_error
from mediawatch.journal import attempts, audit, posts
from mediawatch.journal.attempts import Attempt
from mediawatch.journal.database import Journal
from mediawatch.log import Log
from mediawatch.model.lifecycle import Event, Stage, State
from mediawatch.model.people import Actor, Right
from mediawatch.model.posts import Item, Post, new_post_id, shown_as

#: Seconds that copying an original may take before somebody else may look after the new post.
_COPYING = 3600.0


async def publish_again(
    journal: Journal, clock: Clock, actor: Actor, prefix: str, inboxes: Inboxes
) -> Post:
    """A new post of the originals of a published one, with its caption.

    The originals stay where they are filed; the new post works on copies, and its content key
    is its own, so that it is no duplicate. Who asks twice, perhaps for want of an answer, gets
    one: the next is made when that is published.
    Raises NoSuchPost, NotAllowed, NotPossible, and StorageProblem if an original cannot be copied.
    """
    old = await find(journal, actor, prefix, Right.POST)
    if old.state is not State.DONE:
        raise NotPossible(
            f"{old.name} is {shown_as(old)}; only what is published can be published again.",
            remedy=f"`mediawatch posts retry {old.id}` tries it again.",
        )
    if await attempts.told(journal, old.id, attempts.CHANGED):
        raise _changed(old.items[0])
    post = _anew(old, await _free_key(journal, old), clock.now(), inboxes)
    line = attempts.add(
        post,
        Attempt(
            Stage.CONVERT,
            attempts.WANTED_AGAIN,
            "",
            clock.now(),
            detail=f"Wanted again, after {old.id}.",
        ),
    )
    said = audit.record(
        actor,
        "post.again",
        post.id,
        account_id=post.account_id,
        detail=f"Wanted again, after {old.id}.",
        now=clock.now(),
    )
    try:
        await journal.apply([*posts.add(post), line, said])
    except Conflict as error:
        raise _on_its_way(old, "just now") from error
    crash.at("again.intended")
    try:
        for before, item in zip(old.parts, post.items, strict=True):
            await asyncio.to_thread(_copy, before, item.source)
    except BaseException:
        await asyncio.shield(_forget(journal, post))
        raise
    after, ready = posts.move(post, Event.INTERRUPT, now=clock.now(), lease_until=None)
    await journal.apply([ready])
    crash.at("again.recorded")
    return after


async def forget_cut_off(journal: Journal, log: Log, inboxes: Inboxes) -> None:
    """At the start: a repetition whose copies a kill cut off never came to be; it may be asked for
    again. One that got further, and whose original is gone since, is none of these.
    Raises JournalError."""
    for post in await posts.listed(journal, states=[State.RUNNING], limit=1000):
        copies = inboxes.of(post.inbox).watch.work_folder / post.id
        copying = post.stage is Stage.CONVERT and post.items[0].source.parent == copies
        if not copying or post.items[0].moving_to is not None:
            continue
        if await asyncio.to_thread(_all_there, post):
            continue
        if not await attempts.told(journal, post.id, attempts.WANTED_AGAIN):
            continue
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_discard, copies)
        await _forget(journal, post)
        log.warning(
            f"{post.name} was to be published once more, but its copy was cut off.",
            action="recover",
            remedy="Ask for it again: `mediawatch posts publish … --again`.",
        )


def _all_there(post: Post) -> bool:
    return all(item.source.is_file() for item in post.items)


async def _forget(journal: Journal, post: Post) -> None:
    await journal.apply([posts.forget(post.id)])
    crash.at("again.forgotten")


async def _free_key(journal: Journal, old: Post) -> str:
    """The content key of the next repetition. Raises NotPossible while one is on its way."""
    number = 1
    while True:
        key = hashlib.sha256(f"again {number} {old.content_key}".encode()).hexdigest()
        earlier = (await posts.find_by_content(journal, old.account_id, [key])).get(key)
        if earlier is None:
            return key
        if earlier.state is not State.DONE and not _was_cut_off(earlier):
            raise _on_its_way(old, f"as post {earlier.id}")
        number += 1


def _was_cut_off(post: Post) -> bool:
    """Its copy was never whole, because mediawatch was killed while it was made."""
    return post.state is State.HELD and post.reason in {"source-gone", "source-changed"}


def _on_its_way(old: Post, how: str) -> NotPossible:
    return NotPossible(
        f"{old.name} is being published once more already, {how}.",
        remedy="`mediawatch posts list` tells where it stands. Ask again when it is published.",
    )


def _anew(old: Post, content_key: str, now: float, inboxes: Inboxes) -> Post:
    post_id, inbox = new_post_id(), inboxes.of(old.inbox)
    if inbox not in inboxes:
        inbox = inboxes.first  # nobody looks after the folder of one that is gone
    items = tuple(
        Item(
            post_id=post_id,
            position=item.position,
            name=item.name,
            source=inbox.watch.work_folder / post_id / item.source.name,
            sha256=item.sha256,
            size=item.size,
        )
        for item in old.parts
    )
    return Post(
        id=post_id,
        account_id=old.account_id,
        kind=old.kind,
        name=old.name,
        caption=old.caption,
        content_key=content_key,
        stage=Stage.CONVERT,
        state=State.RUNNING,
        created_at=now,
        updated_at=now,
        fence=1,
        lease_until=now + _COPYING,
        wishes=replace(old.wishes, publish_at=None, publish_note=""),
        inbox=place(inbox.folder),
        items=items,
    )


def _copy(original: Item, target: Path) -> None:
    """Copy a filed original for the new post. Blocks."""
    if original.source.is_symlink() or not original.source.is_file():
        raise NotPossible(
            f"The original of {original.name} is no longer at {original.source}.",
            remedy="Put it back there and ask again.",
        )
    # Under its own name it is whole: by that a copy is told that a kill cut off.
    part = target.with_name(f".{original.position}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with original.source.open("rb") as source, part.open("wb") as copy:
            seen = os.fstat(source.fileno())
            while block := source.read(1 << 20):
                digest.update(block)
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        crash.at("again.copied")
        # A copy is as old as its original, whose bytes it has.
        with contextlib.suppress(OSError):
            os.utime(part, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        if digest.hexdigest() == original.sha256:
            part.rename(target)
            crash.at("again.placed")
            return
    except OSError as error:
        _discard(target.parent)
        raise from_os_error(error, f"copy {original.source}") from error
    _discard(target.parent)
    raise _changed(original)


def _changed(original: Item) -> NotPossible:
    return NotPossible(
        f"{original.source} is not the file that was published: it was changed since.",
        remedy="Put it into the inbox: changed as it is, it is a new post.",
    )


def _discard(folder: Path) -> None:
    """Remove what was copied so far; only copies lie there. Raises OSError."""
    for copy in folder.iterdir():
        copy.unlink()
        crash.at("again.discarded")
    folder.rmdir()
    crash.at("work.folder-removed")

"""Stage archive, and every other move of an original: chosen, journalled, moved, journalled.

A move is written down before it is made, so that a kill in between is told apart and finished
at the next start; nothing is ever overwritten.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mediawatch import crash
from mediawatch.clock import Clock, iso
from mediawatch.config import Inboxes, WatchSettings
from mediawatch.errors import MediawatchError, SourceProblem, StorageProblem
from mediawatch.graph.publishing import Publishing
from mediawatch.journal import attempts, post_items
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import Event
from mediawatch.model.names import SIDECARS
from mediawatch.model.pairs import tail_of
from mediawatch.model.posts import Item, Post
from mediawatch.pipeline import album, filing
from mediawatch.pipeline.album import note_beside
from mediawatch.pipeline.filing_names import NOTE_SUFFIX, candidate_names, choose_name
from mediawatch.pipeline.outcomes import Done, Outcome, Reason
from mediawatch.pipeline.work import Work

#: Seconds that the link of a post is waited for: it is nice to have, and never fails a post.
PERMALINK_LIMIT = 5.0


class Archive:
    """Files originals, with their sidecars, where people find them: in the folders that belong to
    the inbox of their post."""

    def __init__(self, inboxes: Inboxes, clock: Clock) -> None:
        self._inboxes = inboxes
        self._clock = clock
        self._placing = asyncio.Lock()
        #: Folders that carousels are being filed in: one that is chosen is not there yet.
        self._places: dict[Path, str] = {}

    async def published(self, work: Work, api: Callable[[Work], Awaitable[Publishing]]) -> Outcome:
        """Stage archive: the original goes to ``processed``, and the post is done."""
        permalink = work.post.permalink or await self._permalink(work, api)
        when = work.post.published_at or self._clock.now()
        watch = self._of(work.post)
        folder = filing.dated(watch.processed_folder, watch.archive_by, when)
        before = work.post
        place = await self._place(work, folder)
        filed = [await self._file_published(work, item, place) for item in work.post.items]
        await self._follow(before, place)
        await asyncio.to_thread(_clear_up, before, watch.work_folder)
        work.tell("filed", ", ".join(str(item.source) for item in filed))
        await work.write(
            Event.FINISH,
            items=[replace(item, prepared=None) for item in filed],
            permalink=permalink,
            reason=None,
            detail=None,
            remedy=None,
        )
        if all(item.source.is_relative_to(place) for item in filed):
            work.log.info(
                f"{work.post.name} is filed under {folder}.", action="archive", permalink=permalink
            )
        return Done()

    async def late(self, work: Work) -> None:
        """A post that is done already, its original having been out of reach: file it now."""
        when = work.post.published_at or self._clock.now()
        watch = self._of(work.post)
        folder = filing.dated(watch.processed_folder, watch.archive_by, when)
        before = work.post
        place = await self._place(work, folder)
        for item in work.post.items:
            try:
                filed = await self._file(work, item, place)
                work.log.info(f"{item.name} is filed under {folder}.", action="archive")
            except SourceProblem as error:
                filed = await self._gone(work, item, error)
                _tell_unfiled(work, item, error)
            await work.write(items=[filed])
        await self._follow(before, place)
        await asyncio.to_thread(_clear_up, before, watch.work_folder)

    async def set_aside(self, work: Work, where: str, reason: Reason) -> None:
        """A post that is held or failed: its original goes where its owner sees it, with a note."""
        watch = self._of(work.post)
        folder = watch.held_folder if where == "held" else watch.failed_folder
        before, note = work.post, self._note(work.post, where, reason)
        place = await self._place(work, folder, note)
        for item in work.post.items:
            # A carousel has one beside its folder; what goes with a file, that of the file.
            own = note if place == folder and item.position == 0 else None
            try:
                filed = await self._file(work, item, place, own)
            except SourceProblem as error:
                if work.post.kind is not PostKind.CAROUSEL and item.position > 0:
                    await self._without(work, item, error)
                    continue
                filed = await self._gone(work, item, error)
                if reason.code != error.code:
                    work.log.warning(
                        f"{item.name} cannot be filed: {error.message}",
                        action="archive",
                        remedy=error.remedy,
                    )
            else:
                work.tell("filed", str(filed.source))
            await work.write(items=[filed])
        await self._follow(before, place)
        clear_up = _leave_work if where == "held" else _clear_up
        await asyncio.to_thread(clear_up, before, watch.work_folder)

    def _of(self, post: Post) -> WatchSettings:
        """The folders of the inbox that the post came from."""
        return self._inboxes.of(post.inbox).watch

    async def _gone(self, work: Work, item: Item, error: SourceProblem) -> Item:
        """An original that somebody took out of the work folder: from now on it is to its post as
        if it had been filed and taken away from there. Raises ``error`` unless that is certain."""
        now = next(each for each in work.post.items if each.position == item.position)
        target = now.moving_to
        work_folder = self._of(work.post).work_folder
        if target is None or not await asyncio.to_thread(_is_gone, now, work_folder):
            raise error
        return replace(now, source=target, moving_to=None)

    async def _without(self, work: Work, item: Item, error: SourceProblem) -> None:
        """What went with a file was taken away: the file is filed without it."""
        work.log.warning(
            f"{item.name} goes no longer with {work.post.name}: {error.message}",
            action="archive",
            remedy=error.remedy,
        )
        if item not in work.post.parts:
            await work.write(extra=[post_items.forget_item(item.post_id, item.position)])

    async def _place(self, work: Work, folder: Path, note: dict[str, Any] | None = None) -> Path:
        """Where the originals are filed: those of a carousel have a folder of their own there,
        and one note beside it."""
        if work.post.kind is not PostKind.CAROUSEL:
            return folder
        post = work.post
        async with self._placing:
            others = {place for place, owner in self._places.items() if owner != post.id}
            place = await asyncio.to_thread(album.place, folder, post, note, others)
            self._places[place] = post.id
        return place

    async def _follow(self, before: Post, place: Path) -> None:
        if before.kind is PostKind.CAROUSEL:
            watch = self._of(before)
            aside = (watch.held_folder, watch.failed_folder)
            await asyncio.to_thread(album.follow, before, place, watch.work_folder, aside)
            self._places.pop(place, None)

    async def _file(
        self, work: Work, item: Item, folder: Path, note: dict[str, Any] | None = None
    ) -> Item:
        if item.moving_to is not None:
            if note is not None:
                await asyncio.to_thread(_write_note_first, item.moving_to, note)
            item = await self._finish_move(work, item)
        if item.source.parent == folder:
            target = item.source
        else:
            target = await asyncio.to_thread(
                _choose, folder, work.post, item, note=note is not None
            )
            item = replace(item, moving_to=target)
            await work.write(items=[item])
        if note is not None:
            # Before the move: an original is never seen there without its reason.
            await asyncio.to_thread(filing.write_note, note_beside(target), note)
        if item.source != target:
            await asyncio.to_thread(_move_with_sidecars, item.source, target, item.sha256)
        return replace(item, source=target, moving_to=None)

    async def _finish_move(self, work: Work, item: Item) -> Item:
        try:
            item = await asyncio.to_thread(finish_move, item)
        except FileExistsError:
            # Somebody took the name meanwhile: ours is still where it was, and gets another.
            item = replace(item, moving_to=None)
        await work.write(items=[item])
        return item

    async def _file_published(self, work: Work, item: Item, folder: Path) -> Item:
        try:
            return await self._file(work, await self._as_it_is(work, item), folder)
        except SourceProblem as error:
            await asyncio.to_thread(require_inbox, self._of(work.post).folder)
            if await asyncio.to_thread(item.source.is_file):
                raise away_for_a_moment(error) from error
            # It is on Instagram: that somebody took the original away is no reason to stop.
            _tell_unfiled(work, item, error)
            with contextlib.suppress(SourceProblem):
                return await self._gone(work, item, error)
            return replace(item, moving_to=None)

    async def _as_it_is(self, work: Work, item: Item) -> Item:
        """The original as it is to be filed. Somebody who wrote to it after it was claimed has
        other bytes there than are published: that is told, and filed all the same."""
        if item.moving_to is not None:
            return item
        found = await asyncio.to_thread(_sealed, item)
        if found != (item.sha256, item.size):
            is_part = item in work.post.parts
            item = replace(item, sha256=found[0], size=found[1])
            if not is_part:
                return item  # it only goes along, and nobody relies on its bytes
            work.tell(attempts.CHANGED, f"{item.name} was changed after it was claimed.")
            work.log.warning(
                f"{item.name} was changed after it was claimed; what is published is the picture "
                "as it was.",
                action="archive",
                remedy="It is filed as it is now. To publish it so, put a copy into the inbox.",
            )
        return item

    async def _permalink(
        self, work: Work, api: Callable[[Work], Awaitable[Publishing]]
    ) -> str | None:
        if work.post.media_id is None:
            return None
        try:
            async with asyncio.timeout(PERMALINK_LIMIT):
                return await (await api(work)).permalink(work.post.media_id)
        except (TimeoutError, MediawatchError):
            return None

    def _note(self, post: Post, where: str, reason: Reason) -> dict[str, Any]:
        approves = post.awaits is not None and reason.code == post.awaits[0]
        order = f"mediawatch posts {'release' if approves else 'retry'} {post.id}"
        return {
            "file": post.name,
            "what": "held: it needs you" if where == "held" else "failed",
            "why": reason.detail,
            "what_to_do": reason.remedy or order,
            "try_again": order
            if approves
            else f"Put the file back into the inbox, or run: {order}",
            "reason": reason.code,
            "post": post.id,
            "when": iso(self._clock.now()),
        }


def _tell_unfiled(work: Work, item: Item, error: SourceProblem) -> None:
    work.log.warning(
        f"{item.name} is published, but its original cannot be filed: {error.message}",
        action="archive",
        remedy="Nothing is to be published again; look for the original if you miss it.",
    )


def _is_gone(item: Item, work_folder: Path) -> bool:
    """Whether it is neither here nor there, though the disk is. Blocks."""
    places = [item.source, *([item.moving_to] if item.moving_to is not None else [])]
    return work_folder.parent.is_dir() and not any(os.path.lexists(place) for place in places)


def _sealed(item: Item) -> tuple[str, int]:
    """Checksum and size of the original now; the known ones where it is not to be read."""
    try:
        return filing.hash_file(item.source), item.source.stat().st_size
    except OSError:
        return item.sha256, item.size  # the move tells what is the matter


def require_inbox(inbox: Path) -> None:
    """Raises StorageProblem while the inbox is away, and what was claimed in it with it."""
    if not inbox.is_dir():
        raise StorageProblem(
            f"The folder {inbox} is away, and with it what was claimed there.",
            code="folder-missing",
            remedy="Bring it back, or mount its disk; mediawatch goes on by itself.",
        )


def away_for_a_moment(error: SourceProblem) -> StorageProblem:
    """The original is there again: a disk that was away is no reason to ask a person."""
    return StorageProblem(
        error.message,
        code="source-away",
        remedy="It is there again: mediawatch goes on by itself.",
    )


def finish_moves(post: Post) -> tuple[list[Item], list[Item]]:
    """The items, their moves brought to an end; and those that are nowhere and only went along.
    Blocks. Raises as ``finish_move`` does, for the file of the post."""
    if post.kind is PostKind.CAROUSEL:
        return [finish_move(item) for item in post.items], []
    first, *others = post.items
    items, lost = [finish_move(first)], list[Item]()
    for item in others:
        try:
            items.append(finish_move(item))
        except FileExistsError:
            items.append(replace(item, moving_to=None))
        except SourceProblem:
            # Without its cover no reel is published: the stage that wants it tells.
            (items if item in post.parts else lost).append(item)
    return items, lost


def finish_move(item: Item) -> Item:
    """Bring a move that was cut off to its end. Blocks.

    Raises SourceProblem if the file is nowhere, FileExistsError if the name was taken meanwhile.
    """
    if item.moving_to is None:
        return item
    filing.settle_move(item.source, item.moving_to, item.sha256)
    _move_sidecars(item.source, item.moving_to)
    _remove_note(item.source)
    return replace(item, source=item.moving_to, moving_to=None)


def _choose(folder: Path, post: Post, item: Item, *, note: bool) -> Path:
    filing.make_folder(folder)
    first, *others = post.items
    tails = [tail_of(each.name) for each in others] if post.kind is not PostKind.CAROUSEL else []
    place = first.moving_to or first.source
    if item.position > 0 and tails and place.parent == folder:
        target = place.with_suffix(tail_of(item.name))
        if not os.path.lexists(target):
            return target
    # The name that people gave it, however often it was moved under another one since.
    name = item.source.name.replace(f".{item.post_id[:8]}", "", 1)
    return free_name(folder, name, item.post_id, () if item.position else tails, note=note)


def free_name(
    folder: Path, name: str, post_id: str, tails: Sequence[str] = (), *, note: bool
) -> Path:
    """Where a file of that name can be filed, with room for its sidecar and its note, and for what
    goes with it under those ``tails``. Blocks."""
    also = [*(suffix for suffix in SIDECARS if suffix != Path(name).suffix), *tails]
    return folder / choose_name(folder, name, post_id, [*also, NOTE_SUFFIX] if note else also)


def lacks_note(post: Post) -> bool:
    """Whether the note beside the original of a held or failed post is missing, half written, or
    tells of an earlier trouble; False if the original is not there. Blocks."""
    source = album.shown(post)
    if not source.exists():
        return False
    if filing.half_note(note_beside(source)).exists():
        return True
    try:
        note = json.loads(note_beside(source).read_text(encoding="utf-8"))
        return (note.get("reason"), note.get("why")) != (post.reason, post.detail)
    except (OSError, ValueError, AttributeError):
        return True


def _write_note_first(target: Path, note: dict[str, Any]) -> None:
    if not os.path.lexists(target):  # what lies there has its note, or is not ours
        filing.write_note(note_beside(target), note)


def name_begun(source: Path, folder: Path, claim: str, tails: Sequence[str] = ()) -> Path | None:
    """Where ``source`` was about to be filed with a note, when a kill cut that off; None if it
    was not. ``claim``: what the note tells as its post or claim. Its seal tells which file it is
    of, so that another one with the same bytes is not taken for it. Blocks."""
    for name in candidate_names(source.name, claim, (*SIDECARS, *tails, NOTE_SUFFIX)):
        target = folder / name
        try:
            note = json.loads(note_beside(target).read_text(encoding="utf-8"))
            ours = claim in {note.get("post"), note.get("claim")}
            if not ours or note.get("seal") != filing.seal(source):
                continue
            if not os.path.lexists(target) or filing.same_bytes(source, target):
                return target
        except (OSError, ValueError, AttributeError):
            continue  # there is none, or it is not ours
    return None


def _move_with_sidecars(source: Path, target: Path, sha256: str) -> None:
    filing.move(source, target, sha256=sha256)
    _move_sidecars(source, target)
    _remove_note(source)


def _remove_note(source: Path) -> None:
    """What the note of an earlier place says is no longer so."""
    try:
        note_beside(source).unlink(missing_ok=True)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # beside the longest names none can lie
            raise
    crash.at("note.removed")


def _move_sidecars(source: Path, target: Path) -> None:
    """What was said beside a picture follows it. It is recorded in the post: losing the race for
    its name loses nothing."""
    for suffix in SIDECARS:
        beside = source.with_suffix(suffix)
        # Beside the longest of names none can lie: the system refuses even to look.
        with contextlib.suppress(OSError):
            if beside != source and beside.is_file() and not beside.is_symlink():
                # A kill may have left it with both names.
                filing.settle_move(beside, target.with_suffix(suffix), None)


def remove_prepared(files: Iterable[Path]) -> None:
    """What was made of an original can be made again. Blocks."""
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
            crash.at("work.prepared-removed")


def _clear_up(post: Post, work_folder: Path) -> None:
    remove_prepared(item.prepared for item in post.items if item.prepared is not None)
    _leave_work(post, work_folder)


def _leave_work(post: Post, work_folder: Path) -> None:
    """Remove where the originals were on their way, unless others that came with them are there."""
    folders = {item.source.parent for item in post.items} | {work_folder / post.id}
    for folder in folders:
        if folder.parent == work_folder:
            with contextlib.suppress(OSError):
                folder.rmdir()
                crash.at("work.folder-removed")

"""The folder, where other tools lost, halved, doubled or stranded what their users put there.

Guarded elsewhere already:

| what | by |
|---|---|
| two daemons on one data folder: the second refuses and names the first | test_processes.py: test_a_second_daemon_leaves_and_names_the_first |
"""  # noqa: E501 - a table has one line a row

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import aiohttp

from mediawatch.watch.settle import CUT_SHORT, WRITTEN
from tests.support.pictures import jpeg
from tests.support.river import River, contents

#: A growing file gets a burst every 4 s for 90 s; what settles in 2 s has settled in between.
BURSTS = 90 // 4

#: What other programs call a file until it is whole, and what they rename it to.
TEMPORARY = {
    ".syncthing.synced.jpg.tmp": "synced.jpg",
    "~syncthing~windows.jpg.tmp": "windows.jpg",
    "copied.jpg.4f2a91c0.partial": "copied.jpg",
    "Unconfirmed 731455.crdownload": "chromium.jpg",
    "firefox.jpg.part": "firefox.jpg",
    "safari.jpg.download": "safari.jpg",
    "opera.jpg.opdownload": "opera.jpg",
    "~$office.jpg": "office.jpg",
    ".nas.jpg.SynoUpload": "nas.jpg",
}


async def folder_state(river: River) -> dict[str, Any]:
    """What the running daemon says of its inbox."""
    address = f"{river.api}/api/poster-media/status"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        told: dict[str, Any] = (await answer.json())["folder"]
        return told


async def until_settling(river: River, name: str, reason: str) -> None:
    """Wait until the daemon looked at the file and leaves it alone for that reason."""

    async def is_so() -> bool:
        return bool(reason == (await folder_state(river))["settling"].get(name))

    await river.until(is_so)


def grow(river: River, name: str, piece: bytes) -> None:
    """Add a piece, and let go of the file: nothing but its end tells that more will come."""
    with (river.inbox / name).open("ab") as file:
        file.write(piece)


def pieces(content: bytes, count: int) -> list[bytes]:
    """The content in so many parts."""
    step = -(-len(content) // count)
    return [content[start : start + step] for start in range(0, len(content), step)]


async def test_a_file_that_grows_in_bursts_is_taken_once_and_whole(river: River) -> None:
    """Between bursts it stands still for longer than it takes to settle, and nobody has it open:
    it was looked into each time, and is taken only with its end, once."""
    river.configure(watch={"settle": 0.05})
    whole = jpeg(1200, 900)
    *bursts, end = pieces(whole, BURSTS)
    async with river.daemon():
        for piece in bursts:
            grow(river, "growing.jpg", piece)
            await until_settling(river, "growing.jpg", CUT_SHORT)
        grow(river, "growing.jpg", end)
        await river.arrived({"growing.jpg": whole})
    assert 1 == len(river.said("claim"))


async def test_a_file_that_grows_while_the_daemon_starts_is_not_taken_early(river: River) -> None:
    """What lies there at the start settles like anything else; the rest may come later."""
    whole, other = jpeg(1200, 900), jpeg(1200, 900, seed=2)
    first, second, end = pieces(whole, 3)
    grow(river, "growing.jpg", first)
    with contextlib.ExitStack() as writer:
        held = writer.enter_context((river.inbox / "held.jpg").open("wb", buffering=0))
        # Its full size and its end are there already, but its writer is not through with it.
        held.seek(len(other) - 2)
        held.write(other[-2:])
        async with river.daemon():
            await until_settling(river, "growing.jpg", CUT_SHORT)
            if sys.platform == "linux":  # nowhere else it can be told who writes to a file
                await until_settling(river, "held.jpg", WRITTEN)
            grow(river, "growing.jpg", second)
            await until_settling(river, "growing.jpg", CUT_SHORT)
            assert {"growing.jpg", "held.jpg"} == river.leftovers()
            grow(river, "growing.jpg", end)
            held.seek(0)
            held.write(other)
            writer.close()
            await river.arrived({"growing.jpg": whole, "held.jpg": other})


async def test_a_folder_moved_into_place_by_one_rename_is_found_whole(river: River) -> None:
    """No file of it was ever announced: the whole folder became the inbox at once."""
    originals = river.drop_pictures(5)
    full = river.inbox.rename(river.root / "full")
    river.inbox.mkdir()
    async with river.daemon():
        river.inbox.rename(river.root / "old")
        full.rename(river.inbox)
        await river.arrived(originals)


async def test_a_folder_moved_into_the_inbox_is_not_passed_over_in_silence(river: River) -> None:
    """No file of it was ever announced: it is a carousel of all of them, filed as a folder."""
    originals = river.drop_pictures(3)
    album = river.root / "album"
    album.mkdir()
    for name in originals:
        (river.inbox / name).rename(album / name)
    async with river.daemon():
        album.rename(river.inbox / "album")
        post = await river.post("album", state="done")
        await river.until(lambda: originals == contents(river.processed / "album"))
    assert list(originals) == [item.name for item in post.items]


async def test_three_files_in_one_burst_under_polling_strand_none(river: River) -> None:
    """No event helps, and each burst comes while the one before is being taken: all are found."""
    river.configure(watch={"mode": "poll", "rescan": 0.1})
    originals: dict[str, bytes] = {}
    async with river.daemon():
        for burst in range(4):
            originals |= river.drop_pictures(3, first=1 + 3 * burst)
            await river.until(lambda: len(river.said("claim")) > 3 * burst)  # noqa: B023
        await river.arrived(originals)
        assert "polling" == (await folder_state(river))["mode"]


async def test_a_touch_while_a_file_is_published_queues_it_once(river: River) -> None:
    """Backup and indexing programs touch what they see, before it is taken and after: one post."""
    river.simulator.script({"on": "create", "do": "delay", "seconds": 0.5})
    original = river.drop("beach.jpg", jpeg())
    os.utime(river.inbox / "beach.jpg", (1e9, 1e9))
    async with river.daemon():
        await river.until(lambda: river.simulator.state.asked["create"])  # type: ignore[index]
        (claimed,) = (river.inbox / ".mediawatch" / "work").glob("*/beach.jpg")
        for when in (1e9, 1.5e9):
            os.utime(claimed, (when, when))
            claimed.chmod(0o600)
            river.inbox.touch()
        other = {"other.jpg": river.drop("other.jpg", jpeg(seed=2))}
        await river.arrived({"beach.jpg": original} | other)
    assert ["beach.jpg", "other.jpg"] == sorted(line["file"] for line in river.said("claim"))


async def test_a_share_that_went_and_came_back_needs_no_restart(river: River) -> None:
    """Gone is a state, not an empty folder: said while it lasts, and what was put there meanwhile
    and what comes later is found by the same daemon."""
    river.configure(watch={"rescan": 0.5})
    async with river.daemon():
        first = river.drop_pictures(1)
        await river.arrived(first)
        away = river.inbox.rename(river.root / "away")
        await river.until(lambda: river.said("folder-missing"))
        meanwhile = {"meanwhile.jpg": jpeg(400, 320, seed=8)}
        (away / "meanwhile.jpg").write_bytes(meanwhile["meanwhile.jpg"])
        away.rename(river.inbox)
        await river.until(lambda: river.said("folder-ok"))
        await river.arrived(first | meanwhile)
        later = {"later.jpg": river.drop("later.jpg", jpeg(400, 320, seed=9))}
        await river.arrived(first | meanwhile | later)
    assert 1 == len(river.said("start"))


async def test_temporary_names_are_left_alone_until_their_final_rename(river: River) -> None:
    """Sync tools, browsers, office suites and file servers: only the name tells, since the bytes
    are whole; the rename is all that follows."""
    originals = {
        final: river.drop(temporary, jpeg(400, 320, seed=seed))
        for seed, (temporary, final) in enumerate(TEMPORARY.items())
    }
    thumbnails = river.inbox / "@eaDir" / "beach.jpg"
    thumbnails.mkdir(parents=True)
    (thumbnails / "SYNOPHOTO_THUMB_M.jpg").write_bytes(jpeg(seed=50))
    async with river.daemon():
        marker = {"marker.jpg": river.drop("marker.jpg", jpeg(400, 320, seed=99))}
        await river.post("marker.jpg", state="done")
        assert {*TEMPORARY, "@eaDir"} == (await folder_state(river))["ignored"].keys()
        assert ["marker"] == river.captions()
        for temporary, final in TEMPORARY.items():
            (river.inbox / temporary).rename(river.inbox / final)
        await river.until(lambda: len(river.filed()) == len(originals) + 1)
        await river.until(lambda: {"@eaDir"} == river.leftovers())
    assert originals | marker == river.filed()
    assert sorted(name.removesuffix(".jpg") for name in originals | marker) == river.captions()

"""Root gives orders in a data folder that belongs to somebody else, as that of a service does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_backup import backed_up, restored, told
from tests.support.river import River

#: Of the user "nobody".
OTHER = 65534
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs users of a Unix")


@pytest.fixture(autouse=True)
def as_root() -> None:
    if os.geteuid() != 0 and os.environ.get("MEDIAWATCH_REQUIRE_ALL") != "1":
        pytest.skip("only root gives files to somebody else")


def ours(river: River) -> Iterator[Path]:
    """All that mediawatch keeps for itself: the data folder, and its folder in the inbox."""
    for folder in (river.data, river.inbox / ".mediawatch"):
        yield from (folder, *folder.rglob("*"))


async def somebody_elses(river: River) -> str:
    """One post is published; all is somebody else's. The id of the post."""
    originals = river.drop_pictures(1)
    async with river.daemon():
        await river.arrived(originals)
        post = (await river.posts())["picture001.jpg"].id
    for path in ours(river):
        os.chown(path, OTHER, OTHER)
    return post


async def test_what_an_order_makes_is_theirs(river: River) -> None:
    """A backup, a restore, and an order that copies an original leave no file that is root's:
    neither lock, nor journal, nor what was put aside, nor the copy."""
    post = await somebody_elses(river)
    (river.inbox / ".mediawatch" / "lock").unlink()
    (river.data / "daemon.lock").unlink()

    backup = await backed_up(river)
    await restored(river, backup)
    ordered = await river.run("posts", "publish", post, "--again")

    assert 0 == ordered.code, ordered.err
    found = {path.relative_to(river.root).as_posix(): path.stat().st_uid for path in ours(river)}
    assert {
        *("data/journal.db", "data/daemon.lock", "data/backup.lock"),
        *("download/.mediawatch/lock", "download/.mediawatch/daemon.json"),
    } <= found.keys()
    assert [name for name in found if "replaced-" in name]
    assert [name for name in found if "work" in name.split("/")]
    assert {} == {name: owner for name, owner in found.items() if owner != OTHER}


async def test_a_link_leads_root_nowhere(river: River) -> None:
    """What is not root's by an order of ours stays root's: the target of a link, and a file that
    has a name elsewhere too."""
    await somebody_elses(river)
    precious = river.root / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (river.data / "link").symlink_to(precious)
    os.link(precious / "file", river.data / "same")

    assert 0 == (await river.run("posts", "retry", "--all")).code

    assert [0, 0] == [path.stat().st_uid for path in (precious, precious / "file")]
    assert OTHER == (river.data / "link").lstat().st_uid


@pytest.mark.parametrize("order", ["once", "run"])
async def test_root_publishes_nothing_of_theirs(river: River, order: str) -> None:
    """All that is made on the way would be root's, down to the filed pictures: it is refused
    before anything is made, and told who may."""
    await somebody_elses(river)
    originals = river.drop_pictures(1, first=2)

    refused = await river.run(order)

    assert 1 == refused.code, refused.out
    assert "belongs to nobody" in refused.err
    assert "sudo -u nobody /" in refused.err
    assert originals.keys() <= {path.name for path in river.inbox.iterdir()}
    assert {OTHER} == {path.stat().st_uid for path in ours(river)}


async def test_roots_own_folder_is_roots(river: River) -> None:
    """Where nobody else is concerned, root works as anybody does."""
    originals = river.drop_pictures(1)
    once = await river.run("once")

    assert 0 == once.code, once.err
    assert originals == river.filed()
    assert {0} == {path.stat().st_uid for path in ours(river)}
    assert 0 == (await river.run("backup", *told(river))).code

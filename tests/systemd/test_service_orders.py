"""What root orders beside the service: before its first start, and while it is stopped."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.river import River
from tests.systemd.machine import Machine

PASSPHRASE = "four words that differ"


async def stopped_with_a_backup(service: Machine, river: River) -> tuple[Path, dict[str, bytes]]:
    """One post is published, and the service stopped; the backup of root's, and the original."""
    originals = river.drop_pictures(1)
    await river.arrived(originals)
    await service.mediawatch("service", "stop")
    backup = river.root / "kept.backup"
    (river.root / "passphrase").write_text(PASSPHRASE)
    await service.mediawatch("backup", str(backup), *_told(river))
    return backup, originals


def _told(river: River) -> list[str]:
    where = ["--config", str(river.config)]
    return ["--passphrase-file", str(river.root / "passphrase"), *where]


def _owners(river: River) -> set[int]:
    kept = (river.data, river.inbox / ".mediawatch")
    return {path.stat().st_uid for folder in kept for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("first", ["install", "restore"])
async def test_a_new_machine_begins_with_a_restore(
    service: Machine, river: River, first: str
) -> None:
    """Before the first start root puts a backup back, before the service is installed or after:
    the service can work with all of it, and the journal knows what is published."""
    backup, originals = await stopped_with_a_backup(service, river)
    install = ("service", "install", "--config", str(river.config))
    await service.mediawatch("service", "uninstall")
    shutil.rmtree(river.data)
    shutil.rmtree(river.inbox / ".mediawatch")

    if first == "install":
        await service.mediawatch(*install)
        told = await service.mediawatch("restore", str(backup), *_told(river))
        mediawatch = f"sudo {sys.executable} -m mediawatch"
        assert f"Next: `{mediawatch} service start`, then `{mediawatch} posts list" in told
    else:
        await service.mediawatch("restore", str(backup), *_told(river))
        assert {0} == _owners(river)
        told = await service.mediawatch(*install)
        assert f"Gave {river.data}, which root had made, to the user mediawatch." in told
    account = int((await service.run("id", "-u", "mediawatch")).out)
    assert {account} == _owners(river)

    await service.mediawatch("service", "start")
    more = river.drop_pictures(1, first=2)
    await river.until(lambda: originals | more == river.filed())
    await river.post("picture002.jpg", state="done")
    assert ["picture001", "picture002"] == river.captions()


async def test_root_publishes_through_the_service_alone(service: Machine, river: River) -> None:
    """While it is stopped `once` is refused, with the command that does it; what root orders of
    posts is done, and the service goes on with it."""
    _, originals = await stopped_with_a_backup(service, river)
    post = (await river.posts())["picture001.jpg"].id
    where = ("--config", str(river.config))
    once = await service.run(sys.executable, "-m", "mediawatch", "once", *where)

    assert 1 == once.code
    start = f"sudo {sys.executable} -m mediawatch service start"
    assert f"→ The service does it: {start}" in once.err
    status = await service.run(sys.executable, "-m", "mediawatch", "status", *where)
    assert f"does not run (`{start}`)" in status.out
    await service.mediawatch("posts", "publish", post, "--again", *where)

    await service.mediawatch("service", "start")
    await river.until(lambda: 2 == len(river.captions()))
    await river.until(lambda: 2 * len(originals) == len(river.filed()))

"""A person's own folders: the program and the pictures lie in a home that is shut to others."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.pictures import jpeg
from tests.support.river import River
from tests.systemd.machine import Machine, configure

_A_PERSON = """
mount -t tmpfs -o mode=755 none /home
useradd --create-home alice
chmod 700 /home/alice
install -d -o alice -g alice -m 700 /home/alice/pictures /home/alice/pictures/inbox
install -o alice -g alice -m 600 {config} /home/alice/config.toml
"""


async def test_a_home_stays_shut(machine: Machine, river: River) -> None:
    """What is in the way is told one after the other, each with the command that mends it; then
    the service sees the folder of the pictures, and nothing else of the home."""
    inbox = Path("/home/alice/pictures/inbox")
    configure(river, watch={"folder": str(inbox)}, storage={"data_dir": "/var/lib/mediawatch"})
    prepared = await machine.run("sh", "-euc", _A_PERSON.format(config=river.config))
    assert 0 == prepared.code, prepared.err
    install = [sys.executable, "-m", "mediawatch", "service", "install"]
    told = []
    for _ in range(2):
        refused = await machine.run(*install, "--config", "/home/alice/config.toml")
        assert 1 == refused.code
        remedy = re.search(r"say this again: (.*)", refused.err)
        assert remedy is not None, refused.err
        told.append(refused.err)
        mended = await machine.run("sh", "-euc", remedy[1].replace("sudo ", ""))
        assert 0 == mended.code, mended.err
    assert "does not get through /home/alice/pictures to" in told[0]
    assert f"may not read and write in {inbox}" in told[1]

    await machine.mediawatch("service", "install", "--config", "/home/alice/config.toml")
    await machine.mediawatch("service", "start")
    shown = Path(f"/proc/{await machine.pid()}/root/home/alice")
    assert ["pictures"] == [path.name for path in shown.iterdir()]
    dropped = machine.seen(inbox) / "beach.jpg"
    dropped.write_bytes(jpeg(seed=1))
    assert 0 == (await machine.run("chown", "alice:", str(inbox / "beach.jpg"))).code
    filed = machine.seen("/home/alice/pictures/processed/beach.jpg")
    await river.until(filed.exists)
    assert ["beach"] == river.captions()
    owner = await machine.run("stat", "--format=%U", "/home/alice/pictures/processed")
    assert "alice" == owner.out.strip()

"""What ``service install`` makes of a machine, and what ``uninstall`` leaves of it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.support.clips import clip
from tests.support.ftp_servers import PASSWORD
from tests.support.pictures import encoded, jpeg, photo
from tests.support.river import River, contents
from tests.support.simulator import TOKEN
from tests.systemd.machine import UNIT, Machine, configure


async def test_everything_works_within_the_walls(service: Machine, river: River) -> None:
    """Shut in as it is, it is told of new files, converts pictures and videos, and publishes."""
    originals = {
        "picture.jpg": jpeg(seed=1),
        "scan.tif": encoded(photo(600, 600), "TIFF"),
        "waves.mp4": clip(seconds=3),
    }
    for name, content in originals.items():
        river.drop(name, content)
    await river.arrived(originals)
    assert river.said("watching")
    assert not river.said("polling")
    confined = Path(f"/proc/{await service.pid()}/status").read_text()
    assert "Seccomp:\t2" in confined
    assert "CapEff:\t0000000010000000" in confined  # CAP_LEASE, and no other


async def test_it_sees_who_writes_to_the_file_of_another_user(
    service: Machine, river: River
) -> None:
    """The lease probe works on files that are not the service's own: what is held open waits,
    what is closed is taken at once."""
    held = river.inbox / "held.jpg"
    with held.open("wb") as file:
        file.write(jpeg(seed=1))
        file.flush()
        river.drop("closed.jpg", jpeg(seed=2))
        await river.post("closed.jpg", state="done")

        async def told() -> bool:
            said = await service.mediawatch("status", "--config", str(river.config))
            return "another program is still writing to it" in said

        await river.until(told)
    assert 0 == held.stat().st_uid
    await river.post("held.jpg", state="done")


async def test_secrets_stay_roots_own(machine: Machine, river: River) -> None:
    """Settings and secrets that only root may read reach the service as credentials; none of
    them is in a unit, on a command line, or in the log."""
    credentials = river.root / "credentials"
    credentials.mkdir(mode=0o700)
    token = river.root / "token"
    for file, secret in ((credentials / "ftp.password", PASSWORD), (token, TOKEN)):
        file.write_text(f"{secret}\n")
        file.chmod(0o600)
    del river.tables["ftp"]["password"], river.tables["instagram"]["access_token"]
    river.tables["instagram"]["access_token_file"] = str(token)
    river.write_settings()
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await machine.mediawatch("service", "start")

    await river.arrived(river.drop_pictures(1))
    handed = (await machine.run("ls", f"/run/credentials/{UNIT}")).out.split()
    assert ["config.toml", "ftp.password", "instagram.access_token"] == sorted(handed)
    shown = await machine.run("systemctl", "show", UNIT)
    shown_units = await machine.run("systemctl", "cat", UNIT)
    told = Path(f"/proc/{await machine.pid()}/environ").read_text()
    told += shown.out + shown_units.out + river.log_file.read_text() + machine.console.read_text()
    assert PASSWORD not in told
    assert TOKEN not in told


async def test_secrets_of_an_environment_file_reach_it(machine: Machine, river: River) -> None:
    """A secret in ``.env``, and a file that is named there, count for the service as they do for
    root, who alone can read them."""
    token = river.root / "token"
    token.write_text(f"{TOKEN}\n")
    dotenv = river.root / ".env"
    dotenv.write_text(f"FTP_PASS={PASSWORD}\nMEDIAWATCH_INSTAGRAM__ACCESS_TOKEN_FILE={token}\n")
    for file in (token, dotenv):
        file.chmod(0o600)
    del river.tables["ftp"]["password"], river.tables["instagram"]["access_token"]
    river.write_settings()
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await machine.mediawatch("service", "start")

    await river.arrived(river.drop_pictures(1))
    handed = (await machine.run("ls", "-A", f"/run/credentials/{UNIT}")).out.split()
    assert [".env", "config.toml", "instagram.access_token"] == sorted(handed)


async def test_it_is_shut_in_as_well_as_can_be(service: Machine) -> None:
    """2.0 or better by systemd's own count, with the drop-in; and systemd has no complaint."""
    said = (await service.run("systemd-analyze", "security", "--no-pager", UNIT)).out
    score = re.search(r"exposure level for mediawatch.service: ([0-9.]+)", said)
    assert score is not None, said
    assert float(score[1]) <= 2.0, said
    verified = await service.run("systemd-analyze", "verify", UNIT)
    assert (0, "", "") == (verified.code, verified.out, verified.err)


async def test_folders_and_user_are_made(machine: Machine, river: River) -> None:
    """They belong to the service and its group; what is there already is left alone."""
    river.inbox.mkdir()
    said = await machine.run(
        sys.executable, "-m", "mediawatch", "service", "install", "--config", str(river.config)
    )
    assert 1 == said.code
    assert f"may not read and write in {river.inbox}" in said.err
    remedy = re.search(r"sudo (chgrp .*)", said.err)
    assert remedy is not None
    commands = remedy[1].replace("sudo ", "")
    assert 0 == (await machine.run("sh", "-c", commands)).code

    await machine.mediawatch("service", "install", "--config", str(river.config))
    group = (await machine.run("id", "-g", "mediawatch")).out.strip()
    assert (0, int(group)) == (river.inbox.stat().st_uid, river.inbox.stat().st_gid)
    assert (0, int(group)) == (river.processed.stat().st_uid, river.processed.stat().st_gid)
    assert 0o2770 == river.processed.stat().st_mode & 0o7777
    assert int(group) == river.data.stat().st_gid
    await machine.mediawatch("service", "start")
    await river.arrived(river.drop_pictures(1))


async def test_installed_again_it_brings_all_up_to_date(service: Machine, river: River) -> None:
    """Other settings are in force, and the service was drained and started for it."""
    before = await service.pid()
    elsewhere = river.root / "a: $place" / "in%box"
    configure(river, watch={"folder": str(elsewhere), "processed": str(river.processed)})
    told = await service.mediawatch("service", "install", "--config", str(river.config))

    assert "It was running, and was restarted" in told
    assert before != await service.pid()
    assert f"Watching {elsewhere};" in (await service.state())["detail"]
    river.inbox = elsewhere
    await river.arrived(river.drop_pictures(1))


async def test_the_data_lies_where_systemd_keeps_it(machine: Machine, river: River) -> None:
    """Without a ``data_dir`` in the settings it is /var/lib/mediawatch, for the service and for
    whoever asks it as root."""
    del river.tables["storage"]
    river.write_settings()
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await machine.mediawatch("service", "start")

    assert machine.seen("/var/lib/mediawatch/journal.db").exists()
    assert "at work" in await machine.mediawatch("status", "--config", str(river.config))
    assert 0o700 == machine.seen("/var/lib/mediawatch").stat().st_mode & 0o777


async def test_a_journal_of_before_is_not_left_behind(machine: Machine, river: River) -> None:
    """A service with a journal of its own would not know what was published before."""
    del river.tables["storage"]
    river.write_settings()
    old = river.root / "home" / ".local" / "share" / "mediawatch"
    old.mkdir(parents=True)
    (old / "journal.db").touch()
    install = ("service", "install", "--config", str(river.config))
    said = await machine.run(
        *("env", f"HOME={river.root / 'home'}", sys.executable, "-m", "mediawatch", *install)
    )

    assert 1 == said.code
    assert f"sudo mv -T {old} /var/lib/mediawatch" in said.err
    assert not machine.seen(f"/etc/systemd/system/{UNIT}").exists()


async def test_a_start_is_told_that_the_settings_changed(service: Machine, river: River) -> None:
    """Another inbox would lie behind the walls: nothing starts before they are moved, by the very
    command that is shown; then it is at work there."""
    await service.mediawatch("service", "stop")
    elsewhere = river.root / "another place" / "inbox"
    configure(river, watch={"folder": str(elsewhere), "processed": str(river.processed)})
    said = await service.run(sys.executable, "-m", "mediawatch", "service", "start")

    assert 1 == said.code
    assert "names other folders or files than when the service was installed" in said.err
    assert "stopped" == (await service.state())["running"]
    again = re.search(r"Say once more: sudo (.*)", said.err)
    assert again is not None
    assert 0 == (await service.run("sh", "-c", again[1])).code
    await service.mediawatch("service", "start")
    river.inbox = elsewhere
    await river.arrived(river.drop_pictures(1))


async def test_what_ended_the_service_is_told(service: Machine, river: River) -> None:
    """Whoever starts it, or asks, need not look for the log: the sentence of the daemon is there,
    also where an installation restarts it."""
    taken = river.host.ftp.port
    configure(river, web={"port": taken})
    install = ("service", "install", "--config", str(river.config))
    for order in (install, ("service", "start")):
        said = await service.run(sys.executable, "-m", "mediawatch", *order)
        assert 1 == said.code
        assert "The service does not start." in said.err
        assert str(taken) in said.err, said.err
    assert str(taken) in (await service.state())["detail"]


async def test_bad_settings_are_told_and_not_tried_again(service: Machine, river: River) -> None:
    """Exit code 78 is no failure that passes."""
    await service.mediawatch("service", "stop")
    configure(river, watch={"settle": "soon"})
    said = await service.run(sys.executable, "-m", "mediawatch", "service", "start")

    assert 1 == said.code
    assert "its settings cannot be used" in said.err
    state = await service.state()
    assert ("failed", "exit status 78") == (
        state["running"],
        re.findall(r"\((.*)\)", state["detail"])[0],
    )
    assert "0" == (await service.facts())["NRestarts"]


async def test_uninstall_leaves_all_data(service: Machine, river: River) -> None:
    """Originals, journal, settings and the user stay; the units and the process are gone."""
    originals = river.drop_pictures(2)
    await river.arrived(originals)
    pid = await service.pid()
    settings = river.config.read_text()
    told = await service.mediawatch("service", "uninstall")

    assert f"Removed /etc/systemd/system/{UNIT}." in told
    assert "not-installed" == (await service.state())["running"]
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
    assert [] == [path.name for path in service.seen("/etc/systemd/system").rglob("*mediawatch*")]
    assert originals == contents(river.processed)
    assert {"done"} == {post.state for post in await river.all_posts()}
    assert settings == river.config.read_text()
    assert 0 == (await service.run("id", "mediawatch")).code
    assert "Nothing was installed." in await service.mediawatch("service", "uninstall")

    await service.mediawatch("service", "install", "--config", str(river.config))
    await service.mediawatch("service", "start")
    more = river.drop_pictures(1, first=9)
    await river.until(lambda: originals | more == river.filed())

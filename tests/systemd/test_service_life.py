"""The life of the service under a real systemd: ready, killed, hung, fed, drained."""

from __future__ import annotations

import os
import signal
import time

from tests.support.river import River
from tests.systemd.hooks import Hold
from tests.systemd.machine import UNIT, Machine, configure

#: Of the watchdog. A loaded machine must not be taken for a hang, and a test must not take long.
PATIENCE = 6


async def test_it_is_ready_only_after_the_first_look(machine: Machine, river: River) -> None:
    """The API answers already, but as long as the folder was not looked at it still starts."""
    hold = Hold(river.root)
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await hold.scan(machine, river.inbox)
    hold.hold.touch()
    await machine.run("systemctl", "start", "--no-block", UNIT)
    await river.until(hold.held.exists)
    await river.until(lambda: river.said("start"))
    assert river.api
    assert "starting" == (await machine.state())["running"]

    hold.hold.unlink()
    await river.until(lambda: _is(machine, "running"))
    state = await machine.state()
    assert f"Watching {river.inbox}; posts: none yet." == state["detail"]


async def test_a_kill_is_followed_by_a_start(service: Machine, river: River) -> None:
    """kill -9 with a publishing call under way: it is back by itself, and each picture is
    published once."""
    river.simulator.script({"on": "media_publish", "do": "delay-effect", "seconds": 1, "times": 1})
    originals = river.drop_pictures(3)
    await river.until(lambda: river.simulator.state.asked["media_publish"])
    os.kill(await service.pid(), signal.SIGKILL)

    await river.arrived(originals)
    state = await service.state()
    assert "running" == state["running"]
    assert "Restarted 1 time." in state["detail"]


async def test_a_process_that_stands_still_is_restarted(machine: Machine, river: River) -> None:
    """Stopped as by a debugger, it does not feed the watchdog: systemd ends and starts it."""
    await _start_watched(machine, river)
    os.kill(await machine.pid(), signal.SIGSTOP)

    await river.until(lambda: _ended_by(machine, "watchdog"))
    await river.until(lambda: _restarted(machine))
    await river.arrived(river.drop_pictures(1))


async def test_a_loop_that_hangs_is_restarted_and_told(machine: Machine, river: River) -> None:
    """The log says in which line it hung."""
    hold = Hold(river.root)
    await hold.loop(machine)
    await _start_watched(machine, river)
    hold.hold.touch()

    await river.until(lambda: _ended_by(machine, "watchdog"))
    await river.until(lambda: _restarted(machine))
    log = river.log_file.read_text()
    assert "Fatal Python error: Aborted" in log
    assert "hook/sitecustomize.py" in log


async def test_a_folder_that_is_gone_is_no_hang(machine: Machine, river: River) -> None:
    """It is told, and the watchdog is fed for as long as it lasts; then all goes on."""
    await _start_watched(machine, river)
    away = river.inbox.with_name("away")
    river.inbox.rename(away)
    await river.until(lambda: _tells(machine, "missing"))
    since = await _fed_at(machine)

    async def fed_for_long() -> bool:
        return await _fed_at(machine) > since + 2 * PATIENCE

    await river.until(fed_for_long)
    assert "0" == (await machine.facts())["NRestarts"]
    away.rename(river.inbox)
    await river.arrived(river.drop_pictures(1))


async def test_a_stop_lets_a_publishing_call_end(machine: Machine, river: River) -> None:
    """The call takes longer than systemd waits: more time is asked for, and given."""
    configure(river, publish={"publish_timeout": 20})
    await machine.configure("80-impatient", "TimeoutStopSec=2")
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await machine.mediawatch("service", "start")
    river.simulator.script({"on": "media_publish", "do": "delay-effect", "seconds": 6})
    originals = river.drop_pictures(1)
    await river.until(lambda: river.simulator.state.asked["media_publish"])
    began = time.monotonic()
    await machine.mediawatch("service", "stop")

    assert time.monotonic() - began > 2
    facts = await machine.facts()
    assert ("inactive", "success", "0") == (
        facts["ActiveState"],
        facts["Result"],
        facts["ExecMainStatus"],
    )
    assert ["picture001"] == river.captions()
    post = (await river.posts())["picture001.jpg"]
    assert post.media_id is not None
    assert "Stopped." in str(river.said("stop"))
    await machine.mediawatch("service", "start")
    await river.arrived(originals)
    assert 1 == river.simulator.state.asked["media_publish"]


async def _start_watched(machine: Machine, river: River) -> None:
    await machine.mediawatch("service", "install", "--config", str(river.config))
    await machine.configure("80-watchdog", f"WatchdogSec={PATIENCE}", "RestartSec=3")
    await machine.mediawatch("service", "start")


async def _is(machine: Machine, running: str) -> bool:
    return bool((await machine.state())["running"] == running)


async def _tells(machine: Machine, word: str) -> bool:
    return word in (await machine.facts())["StatusText"]


async def _ended_by(machine: Machine, result: str) -> bool:
    return result == (await machine.facts())["Result"]


async def _restarted(machine: Machine) -> bool:
    facts = await machine.facts()
    return "0" != facts["NRestarts"] and "active" == facts["ActiveState"]


async def _fed_at(machine: Machine) -> float:
    """When the watchdog was fed last, in seconds."""
    return int((await machine.facts())["WatchdogTimestampMonotonic"]) / 1e6

"""Slots whose number changes, and aioftp's names that the subclass leans on."""

from __future__ import annotations

import asyncio
import logging

import aioftp.client

from mediawatch.hosts.ftp_client import FtpClient, quiet_debug_log
from mediawatch.hosts.ftp_pool import Slots


async def started(slots: Slots, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(slots.acquire()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_slots_hold_back_what_is_too_much() -> None:
    """No more than ``size`` at a time; a release lets the longest waiting one in."""
    slots = Slots(2)
    tasks = await started(slots, 4)
    assert [True, True, False, False] == [task.done() for task in tasks]
    slots.release()
    await asyncio.wait_for(tasks[2], 1)
    assert not tasks[3].done()
    tasks[3].cancel()


async def test_smaller_size_holds_until_enough_are_free() -> None:
    """After shrinking, releases above the new size let nobody in."""
    slots = Slots(3)
    tasks = await started(slots, 4)
    slots.size = 1
    slots.release()
    slots.release()
    await asyncio.sleep(0)
    assert not tasks[3].done()
    slots.release()
    await asyncio.wait_for(tasks[3], 1)
    assert 1 == slots.used


async def test_cancelled_turn_is_passed_on() -> None:
    """A waiter that is cancelled just when its turn came does not swallow the slot."""
    slots = Slots(1)
    tasks = await started(slots, 3)
    slots.release()
    tasks[1].cancel()
    await asyncio.wait_for(tasks[2], 1)
    assert (True, 1) == (tasks[1].cancelled(), slots.used)


async def test_larger_size_lets_in() -> None:
    """Growing by one lets one more in."""
    slots = Slots(1)
    tasks = await started(slots, 2)
    slots.size = 2
    slots.wake()
    await asyncio.wait_for(tasks[1], 1)
    assert 2 == slots.used


def test_aioftp_still_has_what_is_overridden() -> None:
    """An aioftp that renames what we override would bring its defects back in silence."""
    for name in ("connect", "parse_line", "upgrade_to_tls"):
        assert name in vars(FtpClient)
        assert hasattr(aioftp.Client, name)
    for name in ("_do_pasv", "_send_tls_protection_commands", "parse_epsv_response", "command"):
        assert hasattr(aioftp.Client, name)


def test_aioftp_never_logs_commands() -> None:
    """At DEBUG aioftp logs the user name, and a star for each character of the password."""
    log = logging.getLogger("aioftp.client")
    log.setLevel(logging.DEBUG)
    quiet_debug_log()
    assert logging.INFO == log.level
    log.setLevel(logging.ERROR)
    quiet_debug_log()
    assert logging.ERROR == log.level
    log.setLevel(logging.NOTSET)

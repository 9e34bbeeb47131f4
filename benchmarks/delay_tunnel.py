"""A long way on one machine: two network namespaces joined by a pair of TUN devices.

``tc netem`` would do, but many kernels lack it. TCP is the kernel's own, slow start and all; only
each packet is handed over half a round trip late. Needs Linux, root, ip, unshare and nsenter.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import Child

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_DEVICES = ("benchnear", "benchfar")
_NEAR, _FAR = "10.77.0.1", "10.77.0.2"
_PACKET = 65_536  # bytes; more than any
_BURST = 64  # packets read from one device before the other one is looked at


@dataclass(frozen=True)
class Way:
    """How to run a command at either end, and the address of the far one."""

    near: Sequence[str] = ()
    far: Sequence[str] = ()
    address: str = "127.0.0.1"


def missing() -> str:
    """Why there can be no long way here; empty if there can."""
    if sys.platform != "linux" or not Path(_TUN).exists():
        return f"no {_TUN} here"
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


@contextmanager
def long_way(round_trip: float, folder: Path) -> Iterator[Way]:
    """Two ends that are ``round_trip`` seconds apart. Notes of the tunnel go below ``folder``."""
    ready = folder / "tunnel.ready"
    with ExitStack() as stack:
        ends = [stack.enter_context(_namespace()) for _ in _DEVICES]
        tunnel = Child([__file__, str(round_trip / 2), ready], folder / "tunnel.out")
        stack.enter_context(tunnel).until(ready.exists, 10, "The tunnel does not come up")
        for device, pid, address in zip(_DEVICES, ends, (_NEAR, _FAR), strict=True):
            _ip("link", "set", device, "netns", str(pid))
            within = _within(pid)
            _ip("address", "add", f"{address}/30", "dev", device, within=within)
            for name in ("lo", device):
                _ip("link", "set", name, "up", within=within)
        yield Way(_within(ends[0]), _within(ends[1]), _FAR)
        ready.unlink()


@contextmanager
def _namespace() -> Iterator[int]:
    """A network namespace that lasts as long as a process in it, which is given."""
    keeper = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert keeper.stdout is not None
        if keeper.stdout.readline() != b"\n":
            raise RuntimeError("No network namespace can be made here.")
        yield keeper.pid
    finally:
        keeper.kill()
        keeper.communicate()


def _within(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


def _ip(*words: str, within: Sequence[str] = ()) -> None:
    subprocess.run([*within, "ip", *words], check=True)


def _open_device(name: str) -> int:
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    flags = _IFF_TUN | _IFF_NO_PI
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return device


def _carry(devices: Sequence[int], delay: float) -> None:
    """Hand each packet over ``delay`` seconds after it came, for ever."""
    over = dict(zip(devices, reversed(devices), strict=True))
    under_way = {device: deque[tuple[float, bytes]]() for device in devices}
    while True:
        due = min((packets[0][0] for packets in under_way.values() if packets), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        came = select.select(devices, [], [], wait)[0]
        for device in came:
            under_way[device].extend(_read(device, time.monotonic() + delay))
        for device, packets in under_way.items():
            while packets and packets[0][0] <= time.monotonic():
                _write(over[device], packets.popleft()[1])


def _read(device: int, due: float) -> Iterator[tuple[float, bytes]]:
    for _ in range(_BURST):
        try:
            yield due, os.read(device, _PACKET)
        except BlockingIOError:
            return


def _write(device: int, packet: bytes) -> None:
    try:
        os.write(device, packet)
    except OSError:
        pass  # lost, as happens to packets


if __name__ == "__main__":
    opened = [_open_device(name) for name in _DEVICES]
    Path(sys.argv[2]).touch()
    _carry(opened, float(sys.argv[1]))

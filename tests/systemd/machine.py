"""A machine with a systemd of its own, and mediawatch installed on it by its own command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from functools import cache
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.daemon import PATIENCE, Ended, ended, environment, until
from tests.support.river import River

#: Seconds after which a machine ends by itself, whatever became of the test.
LIFE = 110
UNIT = "mediawatch.service"
_HERE = Path(__file__).parent
_SYSTEMD = Path("/lib/systemd/systemd")
#: What is another one on the machine.
_REPLACED = ("/tmp", "/var/tmp", "/var/lib", "/run")  # noqa: S108


def required() -> None:
    """Skip where no such machine can be made, unless all tests are required."""
    reason = _missing()
    if reason and os.environ.get("MEDIAWATCH_REQUIRE_ALL") != "1":
        pytest.skip(reason)
    assert not reason, reason


def _missing() -> str:
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can start a systemd"
    for program in ("unshare", "nsenter", "systemctl", "systemd-analyze", "systemd-sysusers"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if not _SYSTEMD.exists():
        return "systemd is not installed"
    return _refusal()


@cache
def _refusal() -> str:
    """Why the kernel lets nobody make such a machine; empty if it does."""
    apart = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--ipc", "--uts", "--cgroup"]
    try_it = "mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /run"
    done = subprocess.run([*apart, "sh", "-c", try_it], capture_output=True, check=False)
    return f"not possible here: {done.stderr.decode()}" if done.returncode else ""


def configure(river: River, **tables: dict[str, Any]) -> None:
    """Settings that work, with these changes. A service writes its log to its manager."""
    river.configure(**tables)
    del river.tables["log"]["file"]
    river.write_settings()
    river.config.chmod(0o600)  # root's own


class Machine:
    """``root``: the folder that it shares with the test. An async context manager."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.console = root / "console.txt"
        self._name = f"mediawatch-{uuid.uuid4().hex[:12]}"
        self._init = 0

    async def __aenter__(self) -> Self:
        kept = {self.root, Path(sys.prefix), Path(sys.base_prefix), _HERE.parents[1]}
        shared = [str(path) for path in kept if path.as_posix().startswith(_REPLACED)]
        with self.console.open("wb") as console:
            self._process = subprocess.Popen(
                [_HERE / "boot.sh", self._name, str(LIFE), _HERE / "units", *shared],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        try:
            self._init = await until(self._pid_1, tell=self.console.read_text)
            await until(self._is_up, tell=self.console.read_text)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init, 9)  # with it, all that runs there
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)
        # Its control groups outlive it.
        script = 'mount -t cgroup2 none /sys/fs/cgroup; find /sys/fs/cgroup -depth -path "*/$0*" '
        script += "-type d -exec rmdir {} +"
        subprocess.run(["unshare", "--mount", "sh", "-c", script, self._name], check=True)

    def _pid_1(self) -> int:
        """Of the machine, as this one counts: systemd itself, once it has taken over."""
        assert self._process.poll() is None, self.console.read_text()
        for child in _descendants(self._process.pid):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child}/exe").readlink().name == "systemd":
                    return child
        return 0

    async def _is_up(self) -> bool:
        return (await self.run("systemctl", "is-active", "--quiet", "ready.target")).code == 0

    async def run(self, *words: str, limit: float = PATIENCE) -> Ended:
        """A command of its administrator."""
        child = await asyncio.create_subprocess_exec(
            *("nsenter", "-t", str(self._init), "-a", "--", *words),
            cwd="/",
            env=environment() | {"HOME": "/root"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return await ended(child, limit)

    async def mediawatch(self, *words: str, limit: float = 60.0) -> str:
        """What a command of ours says, which must end well."""
        done = await self.run(sys.executable, "-m", "mediawatch", *words, limit=limit)
        assert 0 == done.code, f"{done.out}\n{done.err}\n{self.console.read_text()}"
        return done.out

    async def facts(self) -> dict[str, str]:
        """What systemd knows of the service."""
        said = (await self.run("systemctl", "show", UNIT)).out.splitlines()
        return dict(line.split("=", 1) for line in said if "=" in line)

    async def state(self) -> dict[str, Any]:
        """What ``service status --json`` says."""
        done = await self.run(sys.executable, "-m", "mediawatch", "service", "status", "--json")
        found: dict[str, Any] = json.loads(done.out)
        return found

    async def pid(self) -> int:
        """The daemon, as this machine counts; 0 while there is none."""
        main = (await self.facts())["MainPID"]
        for child in _descendants(self._init):
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{child}/status").read_text()
                if f"NSpid:\t{child}\t{main}\n" in status:
                    return child
        return 0

    def seen(self, path: Path | str) -> Path:
        """A file of the machine, from here."""
        return Path(f"/proc/{self._init}/root{path}")

    async def configure(self, name: str, *lines: str) -> None:
        """A drop-in of the administrator's own."""
        folder = self.seen(f"/run/systemd/system/{UNIT}.d")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.conf").write_text("\n".join(["[Service]", *lines, ""]))
        assert 0 == (await self.run("systemctl", "daemon-reload")).code


def _descendants(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, file.read_text().split()):
                found += [child, *_descendants(child)]
    return found

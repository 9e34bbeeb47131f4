"""mediawatch as an agent of launchd: ServiceControl for macOS. By the book (launchd.plist(5),
launchctl(1)); it was not tried on a Mac.

An agent belongs to a person and runs while they are logged in: folders, settings and rights are
their own, so that nothing has to be handed over.
"""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
import time
from pathlib import Path

from mediawatch.errors import from_os_error
from mediawatch.service.base import Running, ServiceProblem, ServiceState, told_to_service
from mediawatch.service.manager_files import manager_file

assert sys.platform != "win32"  # noqa: S101 - so the type checker need not look at the rest there

LABEL = "mediawatch"
#: Seconds to start, or to drain and end: launchd kills after ``ExitTimeOut``, 45.
_PATIENCE = 60.0


class LaunchdService:
    """A ServiceControl (base.py)."""

    def __init__(self) -> None:
        self._plist = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._domain = f"gui/{os.getuid()}"
        self._target = f"{self._domain}/{LABEL}"

    def install(self, config: Path) -> list[str]:
        settings = told_to_service(config).settings
        log = Path.home() / "Library" / "Logs" / "mediawatch.log"
        try:
            for folder in (self._plist.parent, log.parent, *settings.inboxes.folders):
                folder.mkdir(parents=True, exist_ok=True)
            self._plist.write_bytes(agent(config, log))
        except OSError as error:
            raise from_os_error(error, f"write {error.filename}") from error
        _launchctl("bootout", self._target, check=False)
        _launchctl("bootstrap", self._domain, str(self._plist))
        return [
            f"Wrote the agent {self._plist}.",
            f"It starts when you log in, and runs now; its log is {log}.",
        ]

    def uninstall(self) -> list[str]:
        if not self._plist.exists():
            return ["Nothing was installed."]
        _launchctl("bootout", self._target, check=False)
        self._plist.unlink()
        return [f"Removed {self._plist}.", "Left as they are: settings, folders and journal."]

    def start(self) -> None:
        self._require_installed()
        self._require_good_settings()
        _launchctl("bootstrap", self._domain, str(self._plist), check=False)  # it may be there
        _launchctl("kickstart", self._target)
        self._wait_for(Running.RUNNING)

    def stop(self) -> None:
        self._require_installed()
        # It ends with exit code 0, after which KeepAlive leaves it alone.
        _launchctl("kill", "SIGTERM", self._target, check=False)
        self._wait_for(Running.STOPPED)

    def state(self) -> ServiceState:
        if not self._plist.exists():
            return ServiceState(Running.NOT_INSTALLED)
        done = _launchctl("print", self._target, check=False)
        if done.returncode:
            return ServiceState(Running.STOPPED, "It is not loaded.")
        runs = "state = running" in done.stdout
        return ServiceState(Running.RUNNING if runs else Running.STOPPED)

    def _require_installed(self) -> None:
        if not self._plist.exists():
            raise ServiceProblem(
                "The service is not installed.",
                remedy="Install it first: mediawatch service install --config FILE",
            )

    def _require_good_settings(self) -> None:
        """It would end at once, and be left alone. Raises ServiceProblem with what is wrong."""
        words = plistlib.loads(self._plist.read_bytes())["ProgramArguments"]
        told_to_service(Path(words[-1]))

    def _wait_for(self, wanted: Running) -> None:
        end = time.monotonic() + _PATIENCE
        while self.state().running is not wanted:
            if time.monotonic() > end:
                raise ServiceProblem(
                    f"The service is not {wanted.value} after {_PATIENCE:.0f} s.",
                    remedy=f"Look what launchd says: launchctl print {self._target}",
                )
            time.sleep(0.2)


def agent(config: Path, log: Path) -> bytes:
    """The property list for these settings, made of the one that comes with mediawatch."""
    told = plistlib.loads(manager_file(f"launchd/{LABEL}.plist").read_bytes())
    program = [os.path.abspath(sys.executable), "-P", "-m", "mediawatch"]  # noqa: PTH100
    told["ProgramArguments"] = [*program, "run", "--config", os.path.abspath(config)]  # noqa: PTH100
    told["StandardErrorPath"] = told["StandardOutPath"] = str(log)
    return plistlib.dumps(told)


def _launchctl(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            ["/bin/launchctl", *words],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceProblem(
            f"launchctl {words[0]} could not be run.", remedy="Log in on the Mac itself; try again."
        ) from error
    if check and done.returncode:
        raise ServiceProblem(
            f"launchctl {words[0]} failed: {done.stderr.strip()}",
            remedy="Log in on the Mac itself (an agent needs a session), and say it again.",
        )
    return done

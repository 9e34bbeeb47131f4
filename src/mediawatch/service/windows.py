"""mediawatch as a service of Windows."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import sysconfig
from pathlib import Path

from mediawatch.service.base import Running, ServiceProblem, ServiceState, told_to_service
from mediawatch.service.foreground import LEAVE_WITHIN

if sys.platform != "win32":
    raise ImportError("only Windows has services of this kind")

import pywintypes
import win32evtlogutil
import win32service

from mediawatch.service import windows_manager as manager
from mediawatch.service.windows_drives import require_own_drives
from mediawatch.service.windows_host import NAME
from mediawatch.service.windows_log import first_error, log_folder, log_length
from mediawatch.service.windows_rights import ACCOUNT, give_rights, take_rights_back

#: Seconds that starting may take: a large journal is upgraded, a share is waited for.
START_WITHIN = 120.0
# A venv's python.exe only starts the base one as a child, which Windows would not know. So the
# base one is registered, and told where the packages are; -I: nothing else may lead it astray.
_START = (
    "import site, sys; site.addsitedir(sys.argv[1]); "
    "from mediawatch.service.windows_host import main; main()"
)


class WindowsService:
    """Fulfils ``ServiceControl`` with the service manager of Windows."""

    def install(self, config: Path) -> list[str]:
        config = config.absolute()
        told_to = told_to_service(config)
        settings = told_to.settings
        require_own_drives(settings)
        made, unknown = manager.register(command(config, settings.storage.data_dir))
        win32evtlogutil.AddSourceToRegistry(NAME, msgDLL=win32service.__file__)
        try:
            rights, granted = give_rights(told_to)
        except OSError as error:
            raise ServiceProblem(
                f"A folder of the service cannot be made: {error}.",
                remedy="Make it yourself, or name another one in the settings; install again.",
            ) from error
        manager.remember([str(path) for path in granted])
        done = "made" if made else "brought up to date"
        log = settings.log.file or log_folder()
        events = f"in the Event Log, under Application, source {NAME}"
        return [
            f"The service {NAME} is {done}: it starts with Windows, by the settings of {config}.",
            f"This Windows knows nothing of: {', '.join(unknown)}."
            if unknown
            else "Windows starts it again after a failure: after 5, 30 and 60 seconds.",
            f"It runs as {ACCOUNT}, and keeps its journal in {settings.storage.data_dir}.",
            *rights,
            f"It logs to {log}; warnings and errors are also {events}.",
        ]

    def uninstall(self) -> list[str]:
        if self.state().running is Running.NOT_INSTALLED:
            return [f"There was no service {NAME}."]
        self.stop()
        take_rights_back(Path(path) for path in manager.remembered())
        manager.unregister()
        with contextlib.suppress(pywintypes.error):
            win32evtlogutil.RemoveSourceFromRegistry(NAME)
        return [
            f"The service {NAME}, its rights, and its source in the Event Log are removed.",
            "Folders, settings and journal are as they were.",
        ]

    def start(self) -> None:
        before = log_length()
        manager.start()
        found = manager.until(Running.RUNNING, limit=START_WITHIN, passing={Running.STARTING})
        if found.running is not Running.RUNNING:
            why = first_error(before) or f"Windows says: {found.running}. {found.detail}".strip()
            raise ServiceProblem(
                f"The service did not come to work. {why}",
                remedy=f"Mend that and start it again; the Event Log and {log_folder()} tell more.",
            )

    def stop(self) -> None:
        manager.stop()
        found = manager.until(
            Running.STOPPED, limit=LEAVE_WITHIN + 10, passing={Running.RUNNING, Running.STOPPING}
        )
        if found.running not in {Running.STOPPED, Running.FAILED}:
            raise ServiceProblem(
                f"The service does not stop ({found.detail}).",
                remedy="End its process in the task manager; nothing is lost by that.",
            )

    def state(self) -> ServiceState:
        return manager.state()


def command(config: Path, data_dir: Path) -> str:
    """What Windows runs. ``data_dir`` is the folder of the journal where the settings name none:
    by default it would be another one for the service's account."""
    base = getattr(sys, "_base_executable", sys.executable)
    packages = sysconfig.get_path("purelib")
    words = [base, "-I", "-X", "utf8", "-c", _START, packages, sys.executable, config, data_dir]
    return subprocess.list2cmdline(str(word) for word in words)

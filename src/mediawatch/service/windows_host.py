"""The process that Windows starts as the service: what it hears from Windows, and what it tells it.

Windows waits only seconds for the first word of a service. So nothing is imported here that takes
time; the work itself (``windows_work``) is imported when Windows knows that we are starting.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if sys.platform != "win32":
    raise ImportError("only Windows starts services in this way")

import pywintypes
import servicemanager
import win32service
import win32serviceutil

if TYPE_CHECKING:
    from mediawatch.service.windows_work import Work

#: The name of the service, and of its source in the Event Log.
NAME = "mediawatch"
#: Seconds between two words that it still starts or stops, and how long one of them holds.
_PULSE, _HOLDS = 2.0, 10.0
_FAILED = 1
_OWN_CODE = 1066  # ERROR_SERVICE_SPECIFIC_ERROR


class Host(win32serviceutil.ServiceFramework):
    """Windows calls ``SvcRun`` in one thread and the others in another. ``config`` and
    ``data_dir`` are set before."""

    _svc_name_ = NAME
    _svc_display_name_ = NAME

    config: Path
    data_dir: Path

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self._work: Work | None = None
        self._state = win32service.SERVICE_START_PENDING
        self._left = threading.Event()
        self._reporting = threading.Lock()

    # What Windows calls.

    def GetAcceptedControls(self) -> int:  # noqa: N802 - named by pywin32
        """Before a shutdown there is more time than in it."""
        accepted: int = super().GetAcceptedControls()
        return accepted | win32service.SERVICE_ACCEPT_PRESHUTDOWN

    def SvcRun(self) -> None:  # noqa: N802 - named by pywin32
        """Work until told to stop. Does not return: the process ends."""
        self._report(win32service.SERVICE_START_PENDING)
        threading.Thread(target=self._tell_progress, daemon=True).start()
        try:
            from mediawatch.service.windows_work import Work

            self._work = Work(self.config, self.data_dir, at_work=self._at_work, leave=self._leave)
            code = self._work.run()
        except BaseException:  # an installation that is broken
            servicemanager.LogErrorMsg(traceback.format_exc())
            code = _FAILED
        self._leave(code)

    def SvcStop(self) -> None:  # noqa: N802 - named by pywin32
        """Only say that it is to stop: Windows waits for nobody here."""
        self._report(win32service.SERVICE_STOP_PENDING)
        if self._work is not None:
            self._work.stop()

    def SvcShutdown(self) -> None:  # noqa: N802 - named by pywin32
        """Windows ends. Mostly it told so before, and we are stopping already."""
        if self._state != win32service.SERVICE_STOP_PENDING:
            self.SvcStop()

    def SvcOtherEx(self, control: int, event_type: int, data: Any) -> None:  # noqa: N802
        """Windows is about to end."""
        if control == win32service.SERVICE_CONTROL_PRESHUTDOWN:
            self.SvcShutdown()

    def SvcInterrogate(self) -> None:  # noqa: N802 - named by pywin32
        """Say again how it is."""
        self._report(self._state)

    # What Windows is told.

    def _at_work(self) -> None:
        self._report(win32service.SERVICE_RUNNING)

    def _report(self, state: int) -> None:
        with self._reporting:
            self._state = state
            self.ReportServiceStatus(state, waitHint=int(_HOLDS * 1000))

    def _tell_progress(self) -> None:
        """As long as it starts or stops, say so again and again, or Windows gives it up."""
        while not self._left.wait(_PULSE):
            with self._reporting:
                if self._state != win32service.SERVICE_RUNNING and not self._left.is_set():
                    self.ReportServiceStatus(self._state, waitHint=int(_HOLDS * 1000))

    def _leave(self, code: int) -> NoReturn:
        # Were this left to pywin32, it would report code 0 whatever happened.
        with self._reporting:
            self._left.set()
            self._state = win32service.SERVICE_STOPPED
            self.ReportServiceStatus(
                self._state, win32ExitCode=_OWN_CODE if code else 0, svcExitCode=code
            )
        os._exit(code)


def main() -> None:
    """Called by the command that ``windows.command`` registers, with its words in ``sys.argv``:
    the folder of packages, the python.exe that has them, the settings file, the data folder."""
    if len(sys.argv) != 5:
        sys.exit("Windows starts this. Install it with: mediawatch service install")
    # Converters are started with it, and need the packages too.
    sys.executable = sys.argv[2]
    Host.config, Host.data_dir = Path(sys.argv[3]), Path(sys.argv[4])
    servicemanager.Initialize()
    servicemanager.PrepareToHostSingle(Host)
    try:
        servicemanager.StartServiceCtrlDispatcher()
    except pywintypes.error as error:
        sys.exit(f"Only Windows can start this: {error.strerror} Use: mediawatch service start")


if __name__ == "__main__":
    main()

"""What the service manager of Windows knows about the service: how it starts, as whom, and what
happens when it fails. Raises ServiceProblem for everything the manager refuses."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from mediawatch.service.base import Running, ServiceProblem, ServiceState
from mediawatch.service.windows_host import NAME
from mediawatch.service.windows_rights import ACCOUNT

if sys.platform != "win32":
    raise ImportError("only Windows has this service manager")

import winreg

import pywintypes
import win32service

DISPLAY_NAME = "mediawatch"
_DESCRIPTION = "Publishes on Instagram what is dropped into a folder."
#: Seconds until it is started again after the first, the second and every later failure; after a
#: day without one the count begins anew.
_RESTARTS = (5, 30, 60)
_FORGOTTEN_AFTER = 86_400
#: Seconds that Windows waits for the service when it shuts down. Draining takes 42 at the most.
_SHUTDOWN = 45
_NOT_ADMINISTRATOR = 5
_NOT_INSTALLED = 1060
_NOT_ACTIVE = 1062
_ALREADY_RUNNING = 1056
_MARKED_FOR_DELETION = 1072
_OWN_CODE = 1066
_NEVER_STARTED = 1077
_RUNNING = {
    win32service.SERVICE_STOPPED: Running.STOPPED,
    win32service.SERVICE_START_PENDING: Running.STARTING,
    win32service.SERVICE_RUNNING: Running.RUNNING,
    win32service.SERVICE_STOP_PENDING: Running.STOPPING,
}
#: What a system does not know (Wine is one) is left out, and told in these words.
_UNKNOWN_HERE = {50, 120, 124}
_TOLD = {
    win32service.SERVICE_CONFIG_FAILURE_ACTIONS: "starting it again after a failure",
    win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG: "starting it again after a failure",
    win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO: "starting it later than other services",
    win32service.SERVICE_CONFIG_SERVICE_SID_INFO: "an identity of its own",
    win32service.SERVICE_CONFIG_PRESHUTDOWN_INFO: "waiting for it at a shutdown",
}
_LOOK = 0.2


@contextlib.contextmanager
def opened(service_rights: int, manager_rights: int | None = None) -> Iterator[Any]:
    """The service's handle. Raises ServiceProblem, with the code ``service-not-installed`` if there
    is none."""
    wanted = win32service.SC_MANAGER_CONNECT if manager_rights is None else manager_rights
    with _explained("open the service"):
        manager = win32service.OpenSCManager(None, None, wanted)
        try:
            service = win32service.OpenService(manager, NAME, service_rights)
            try:
                yield service
            finally:
                win32service.CloseServiceHandle(service)
        finally:
            win32service.CloseServiceHandle(manager)


def register(command: str) -> tuple[bool, list[str]]:
    """Make the service, or bring it up to date; whether it was made, and what this Windows knows
    nothing of, in words. An account that somebody chose since is left as it is."""
    with _explained("make the service"):
        manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_ALL_ACCESS)
        try:
            service, made = _made(manager, command)
            try:
                unknown = _configure(service)
            finally:
                win32service.CloseServiceHandle(service)
        finally:
            win32service.CloseServiceHandle(manager)
    return made, unknown


def _made(manager: Any, command: str) -> tuple[Any, bool]:
    try:
        service = win32service.OpenService(manager, NAME, win32service.SERVICE_ALL_ACCESS)
    except pywintypes.error as error:
        if error.winerror != _NOT_INSTALLED:
            raise
        service = win32service.CreateService(
            manager,
            NAME,
            DISPLAY_NAME,
            win32service.SERVICE_ALL_ACCESS,
            win32service.SERVICE_WIN32_OWN_PROCESS,
            win32service.SERVICE_AUTO_START,
            win32service.SERVICE_ERROR_NORMAL,
            command,
            None,
            False,
            None,
            ACCOUNT,
            None,
        )
        return service, True
    win32service.ChangeServiceConfig(
        service,
        win32service.SERVICE_NO_CHANGE,
        win32service.SERVICE_AUTO_START,
        win32service.SERVICE_NO_CHANGE,
        command,
        None,
        False,
        None,
        None,
        None,
        DISPLAY_NAME,
    )
    return service, False


def _configure(service: Any) -> list[str]:
    restarts = [(win32service.SC_ACTION_RESTART, seconds * 1000) for seconds in _RESTARTS]
    recovery = {
        "ResetPeriod": _FORGOTTEN_AFTER,
        "RebootMsg": None,
        "Command": None,
        "Actions": restarts,
    }
    wanted: dict[int, Any] = {
        win32service.SERVICE_CONFIG_DESCRIPTION: _DESCRIPTION,
        win32service.SERVICE_CONFIG_FAILURE_ACTIONS: recovery,
        win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO: True,
        # Also when it says itself that it failed, and not only when it is killed.
        win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG: True,
        win32service.SERVICE_CONFIG_SERVICE_SID_INFO: win32service.SERVICE_SID_TYPE_UNRESTRICTED,
        win32service.SERVICE_CONFIG_PRESHUTDOWN_INFO: _SHUTDOWN * 1000,
    }
    unknown = []
    for level, value in wanted.items():
        try:
            win32service.ChangeServiceConfig2(service, level, value)
        except pywintypes.error as error:
            if error.winerror not in _UNKNOWN_HERE:
                raise
            unknown.append(_TOLD.get(level, f"setting {level} of services"))
    return list(dict.fromkeys(unknown))


_PARAMETERS = rf"SYSTEM\CurrentControlSet\Services\{NAME}\Parameters"
_GRANTED = "Granted"


def remember(paths: list[str]) -> None:
    """Keep, with the service, on what its account was given rights."""
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, _PARAMETERS) as key:
        winreg.SetValueEx(key, _GRANTED, 0, winreg.REG_MULTI_SZ, paths)


def remembered() -> list[str]:
    """On what the service's account was given rights."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _PARAMETERS) as key:
            found: list[str] = winreg.QueryValueEx(key, _GRANTED)[0]
            return found
    except OSError:
        return []


def account() -> str | None:
    """As whom the service runs, whoever chose that; None if it is not installed."""
    try:
        with opened(win32service.SERVICE_QUERY_CONFIG) as service, _explained("look at it"):
            return str(win32service.QueryServiceConfig(service)[7])
    except ServiceProblem as problem:
        if problem.code == "service-not-installed":
            return None
        raise


def unregister() -> None:
    """Take the service away; it must be stopped."""
    with opened(win32service.SERVICE_ALL_ACCESS) as service, _explained("remove the service"):
        win32service.DeleteService(service)


def start() -> None:
    """Have Windows start it, whether it runs already or not. Does not wait."""
    with opened(win32service.SERVICE_START) as service, _explained("start the service"):
        try:
            win32service.StartService(service, None)
        except pywintypes.error as error:
            if error.winerror != _ALREADY_RUNNING:
                raise


def stop() -> None:
    """Have Windows stop it, if it runs. Does not wait."""
    with opened(win32service.SERVICE_STOP) as service, _explained("stop the service"):
        try:
            win32service.ControlService(service, win32service.SERVICE_CONTROL_STOP)
        except pywintypes.error as error:
            if error.winerror != _NOT_ACTIVE:
                raise


def state() -> ServiceState:
    """How it is; needs no rights."""
    try:
        with opened(win32service.SERVICE_QUERY_STATUS) as service:
            found: Any = win32service.QueryServiceStatusEx(service)
    except ServiceProblem as problem:
        if problem.code == "service-not-installed":
            return ServiceState(Running.NOT_INSTALLED)
        raise
    running = _RUNNING.get(found["CurrentState"], Running.STOPPED)
    code = found["Win32ExitCode"]
    if running is Running.STOPPED and code not in {0, _NEVER_STARTED}:
        own = found["ServiceSpecificExitCode"] if code == _OWN_CODE else code
        return ServiceState(Running.FAILED, f"it ended with code {own}")
    process = found["ProcessId"]
    return ServiceState(running, f"process {process}" if process else "")


def until(wanted: Running, *, limit: float, passing: set[Running]) -> ServiceState:
    """Wait until it is so, or until it is anything but ``passing``, at the most ``limit`` seconds;
    how it is then."""
    end = time.monotonic() + limit
    while True:
        found = state()
        if found.running is wanted or found.running not in passing or time.monotonic() > end:
            return found
        time.sleep(_LOOK)


@contextlib.contextmanager
def _explained(doing: str) -> Iterator[None]:
    try:
        yield
    except pywintypes.error as error:
        raise explained(error, doing) from error


def explained(error: pywintypes.error, doing: str) -> ServiceProblem:
    """What Windows refused, for people. ``doing`` completes "Could not …"."""
    if error.winerror == _NOT_ADMINISTRATOR:
        return ServiceProblem(
            f"Could not {doing}: only administrators may.",
            remedy="Run PowerShell as administrator, and the same command there.",
            code="service-rights",
        )
    if error.winerror == _NOT_INSTALLED:
        return ServiceProblem(
            "The service is not installed.",
            remedy="Install it: mediawatch service install.",
            code="service-not-installed",
        )
    if error.winerror == _MARKED_FOR_DELETION:
        return ServiceProblem(
            f"Could not {doing}: Windows is still removing the last one.",
            remedy="Close the window of services (services.msc) and the Event Viewer; try again.",
        )
    return ServiceProblem(
        f"Could not {doing}: {error.strerror.rstrip('.')} (error {error.winerror}).",
        remedy="Look into the Event Viewer, Windows Logs, System; it tells more.",
    )

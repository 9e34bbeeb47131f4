"""The parts of the service, without the service manager."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediawatch.config import LogSettings, Settings
from mediawatch.config.for_services import ForService
from mediawatch.service.base import ServiceProblem
from tests.windows.inside.river import PATIENCE

if sys.platform == "win32":
    import pywintypes
    import win32file
    import win32service
    import win32wnet

    from mediawatch.service import windows_host, windows_log, windows_rights
    from mediawatch.service.windows import command
    from mediawatch.service.windows_drives import require_own_drives
    from mediawatch.service.windows_host import Host


def settings(folder: str) -> Settings:
    return Settings.model_validate(
        {
            "watch": {"folder": folder},
            "ftp": {
                "host": "ftp.example.org",
                "user": "u",
                "password": "p4ssword",
                "public_url": "https://example.org/upload",
            },
            "instagram": {"user_id": "17841400000000001", "access_token": "IGAA-for-tests"},
        }
    )


# Drives.


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """M: is a mapped drive, N: is none at all."""
    kinds = {"M:\\": win32file.DRIVE_REMOTE, "N:\\": win32file.DRIVE_NO_ROOT_DIR}

    def connection(drive: str) -> str:
        if drive != "M:":
            raise pywintypes.error(2250, "WNetGetConnection", "Not connected.")
        return r"\\nas\pictures"

    monkeypatch.setattr(
        win32file, "GetDriveType", lambda root: kinds.get(root, win32file.DRIVE_FIXED)
    )
    monkeypatch.setattr(win32wnet, "WNetGetConnection", connection)


@pytest.mark.usefixtures("mapped")
def test_a_mapped_drive_is_refused_with_the_path_to_use() -> None:
    """Who mapped it sees it, a service never does: the remedy can be copied into the settings."""
    with pytest.raises(ServiceProblem) as caught:
        require_own_drives(settings("M:/Instagram/in"))
    assert "mapped-drive" == caught.value.code
    assert r"watch.folder = '\\nas\pictures\Instagram\in'" in caught.value.remedy


@pytest.mark.usefixtures("mapped")
def test_a_drive_that_is_missing_is_refused() -> None:
    """An administrator's PowerShell has not the drives of the same person's desktop."""
    with pytest.raises(ServiceProblem, match="no drive N:") as caught:
        require_own_drives(settings("N:/in"))
    assert r"\\server\share" in caught.value.remedy


@pytest.mark.usefixtures("mapped")
@pytest.mark.parametrize("folder", ["C:/gizmobbs/download", r"\\nas\pictures\in"])
def test_disks_and_network_paths_are_taken(folder: str) -> None:
    """A disk of this machine, and a share by its own name."""
    require_own_drives(settings(folder))


# What its account may read.


def test_secrets_beside_the_settings_are_the_services_too(tmp_path: Path) -> None:
    """Files in ``credentials`` are read without being named in the settings: the account of the
    service needs rights on them as on those that are."""
    config = tmp_path / "config.toml"
    named, beside = tmp_path / "token", tmp_path / "credentials" / "ftp.password"
    beside.parent.mkdir()
    for file in (named, beside):
        file.write_text("a-secret")
    told_to = ForService(
        settings("C:/gizmobbs/download"),
        {"config.toml": config, "instagram.access_token": named, "ftp.password": beside},
    )
    config.touch()
    assert {config, named, beside} == set(windows_rights.setting_files(told_to))


# What Windows runs.


def test_the_command_is_one_that_windows_takes_apart_rightly() -> None:
    """Folders with spaces are quoted, and the program's too: else Windows would look for
    C:\\Program.exe."""
    line = command(Path("C:/My Files/config.toml"), Path("C:/My Data"))
    words = [word for word in _split(line) if word]
    assert [str(Path("C:/My Files/config.toml")), str(Path("C:/My Data"))] == words[-2:]
    assert "mediawatch.service.windows_host" in line


def _split(line: str) -> list[str]:
    import ctypes
    from ctypes import wintypes

    take_apart = ctypes.WinDLL("shell32").CommandLineToArgvW
    take_apart.restype = ctypes.POINTER(wintypes.LPWSTR)
    count = ctypes.c_int()
    found = take_apart(line, ctypes.byref(count))
    return [found[number] for number in range(count.value)]


# What Windows is told.


class Told(Host if sys.platform == "win32" else object):
    """A host that no service manager knows: what it reports is recorded."""

    def __init__(self) -> None:
        self.reports: list[tuple[int, int]] = []
        self.told_often = threading.Event()
        super().__init__(["mediawatch"])

    def ReportServiceStatus(self, state: int, **how: int) -> None:  # noqa: N802 - pywin32's name
        self.reports.append((state, how.get("svcExitCode", 0)))
        if len(self.reports) > 3:
            self.told_often.set()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Told:
    import servicemanager

    monkeypatch.setattr(servicemanager, "RegisterServiceCtrlHandler", lambda *_: None)
    return Told()


def test_the_end_of_windows_is_heard_before_it_comes(host: Told) -> None:
    """A pre-shutdown drains like a stop; the shutdown after it is no second one."""
    assert host.GetAcceptedControls() & win32service.SERVICE_ACCEPT_PRESHUTDOWN
    host.ServiceCtrlHandlerEx(win32service.SERVICE_CONTROL_PRESHUTDOWN, 0, None)
    host.ServiceCtrlHandlerEx(win32service.SERVICE_CONTROL_SHUTDOWN, 0, None)
    assert [(win32service.SERVICE_STOP_PENDING, 0)] == host.reports


def test_windows_is_told_the_truth_when_it_asks(host: Told) -> None:
    """A service that stops does not say that it runs."""
    host.SvcStop()
    host.ServiceCtrlHandlerEx(win32service.SERVICE_CONTROL_INTERROGATE, 0, None)
    assert {(win32service.SERVICE_STOP_PENDING, 0)} == set(host.reports)


def test_stopping_is_told_again_and_again(host: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows gives up a service that does not say that it still stops; one that works is left
    alone."""
    monkeypatch.setattr(windows_host, "_PULSE", 0.01)
    thread = threading.Thread(target=host._tell_progress)
    host._at_work()
    thread.start()
    host.SvcStop()
    enough = host.told_often.wait(PATIENCE)
    host._left.set()
    thread.join()
    assert enough
    running, stopping = win32service.SERVICE_RUNNING, win32service.SERVICE_STOP_PENDING
    assert [(running, 0), (stopping, 0), (stopping, 0)] == host.reports[:3]


# What it logs.


def test_the_log_lies_where_services_keep_theirs() -> None:
    """In a folder of the machine, not of a person."""
    assert ("ProgramData", "mediawatch", "logs") == windows_log.log_folder().parts[-3:]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the service logs; the files are closed in the end."""
    streams = []

    class Kept(windows_log._KeptSmall):
        def __init__(self, file: Path) -> None:
            super().__init__(file)
            streams.append(self)

    monkeypatch.setattr(windows_log, "_KeptSmall", Kept)
    monkeypatch.setattr(windows_log, "log_folder", lambda: tmp_path)
    yield tmp_path
    for stream in streams:
        stream.close()


def test_the_log_goes_to_program_data_and_warnings_to_the_event_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line is in the file; warnings and errors are told to Windows too, with their remedy and
    without secrets."""
    events: list[tuple[int, list[str]]] = []

    def report(source: str, number: int, **what: Any) -> None:
        events.append((what["eventType"], what["strings"]))

    monkeypatch.setattr("win32evtlogutil.ReportEvent", report)
    log = windows_log.open_service_log(LogSettings(), ("p4ssword",))
    log.info("All is well.", action="start")
    log.error("It failed with p4ssword.", action="crash", remedy="Mend it.")
    lines = (folder / "mediawatch.log").read_text(encoding="utf-8").splitlines()
    assert ["info", "error"] == [json.loads(line)["level"] for line in lines]
    assert [["It failed with •••.\nMend it."]] == [strings for _, strings in events]
    assert "It failed with •••. Mend it." == windows_log.first_error(0)
    assert "" == windows_log.first_error(windows_log.log_length())


def test_a_log_that_is_looked_at_grows_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody has open cannot be put aside: no line is lost for that."""
    monkeypatch.setattr(windows_log, "_LARGEST", 300)
    log: Any = windows_log.open_service_log(LogSettings())
    with (folder / "mediawatch.log").open(encoding="utf-8"):
        for number in range(9):
            log.info(f"Line {number}.", action="start")
        assert 9 == len((folder / "mediawatch.log").read_text(encoding="utf-8").splitlines())
    log.info("Line 9.", action="start")
    assert (folder / "mediawatch.log.1").exists()

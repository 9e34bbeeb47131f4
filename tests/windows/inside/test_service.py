"""The service in a real service manager: from ``install`` to ``uninstall``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediawatch import config
from mediawatch.service.base import Running, ServiceControl, ServiceProblem
from tests.support import pictures
from tests.windows.inside.river import River

if sys.platform == "win32":
    import pywintypes
    import win32service

    from mediawatch.service import windows_account, windows_manager
    from mediawatch.service.windows import WindowsService
    from mediawatch.service.windows_log import NAME, log_folder
    from mediawatch.service.windows_rights import ACCOUNT


@pytest.fixture
def service() -> Iterator[ServiceControl]:
    """What is tested; no service is there before and after."""
    try:
        # Wine's service manager ends when nobody holds it, and forgets what ran.
        manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_ALL_ACCESS)
    except pywintypes.error:
        pytest.skip("only administrators make services")
    control = WindowsService()
    if control.state().running is not Running.NOT_INSTALLED:
        pytest.skip("mediawatch is installed on this machine, and would be removed")
    try:
        yield control
    finally:
        control.uninstall()
        assert control.state().running is Running.NOT_INSTALLED
        win32service.CloseServiceHandle(manager)


@pytest.fixture
def river(tmp_path: Path, tables: dict[str, dict[str, Any]]) -> River:
    found = River(tmp_path, tables)
    found.configure()
    return found


def install(service: ServiceControl, river: River) -> list[str]:
    return service.install(river.config)


def test_the_life_of_a_service(service: ServiceControl, river: River) -> None:
    """Installed, it is stopped; started, it publishes what is dropped; stopped, it has drained;
    removed, it leaves every file where it was. Installing twice is as good as once."""
    told = install(service, river)
    assert str(river.config) in told[0]
    assert Running.STOPPED is service.state().running
    assert "up to date" in install(service, river)[0]
    try:
        service.start()
    except ServiceProblem as problem:
        problem.add_note(river.story())
        raise
    assert Running.RUNNING is service.state().running
    service.start()  # it runs already: no trouble
    river.publishes("from-a-service.jpg", pictures.jpeg(400, 320, seed=7))
    service.stop()
    assert Running.STOPPED is service.state().running
    assert "Stopped" in river.said("stop")[-1]["event"]
    assert not (river.root / "data" / "daemon.json").exists()
    service.uninstall()
    assert Running.NOT_INSTALLED is service.state().running
    assert (river.root / "data" / "journal.db").exists()
    assert (river.processed / "from-a-service.jpg").exists()


def test_how_windows_is_told_to_start_it(service: ServiceControl, river: River) -> None:
    """By itself with the machine, as an account of its own, by the base interpreter and not by the
    venv's, which would only start another process; and Windows waits for it at a shutdown."""
    install(service, river)
    with windows_manager.opened(win32service.SERVICE_QUERY_CONFIG) as handle:
        found = win32service.QueryServiceConfig(handle)
        assert win32service.SERVICE_AUTO_START == found[1]
        assert r"NT SERVICE\mediawatch" == found[7]
        assert found[3].lower().startswith(sys._base_executable.lower())
        assert sys._base_executable.lower() != sys.executable.lower()
        description = win32service.QueryServiceConfig2(
            handle, win32service.SERVICE_CONFIG_DESCRIPTION
        )
        assert "Instagram" in description
        waits = win32service.QueryServiceConfig2(
            handle, win32service.SERVICE_CONFIG_PRESHUTDOWN_INFO
        )
        assert 45_000 == waits


def test_the_doctor_knows_as_whom_it_runs(service: ServiceControl, river: River) -> None:
    """Before it is installed there is nothing to tell; after that the doctor names its account, and
    each folder that its list bars to it (under Wine, which keeps no entries for services, all)."""
    settings = config.load(river.config, {})
    assert [] == windows_account.examine(settings)
    install(service, river)
    assert ACCOUNT == windows_manager.account()
    found = windows_account.examine(settings)
    assert found
    for told in found:
        assert "service account" == told.name
        assert ACCOUNT in told.detail
        assert told.ok or "icacls" in told.remedy


def test_what_happens_when_it_fails(
    service: ServiceControl, river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again after 5, 30 and 60 seconds, also when it says itself that it failed; it
    begins later than others, and has an identity of its own. What a Windows does not know is told.
    (Wine does not, so what is asked for is looked at.)"""
    asked: dict[int, Any] = {}

    def change(_: object, level: int, value: Any) -> None:
        asked[level] = value
        if level == win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO:
            raise pywintypes.error(124, "ChangeServiceConfig2", "Invalid level.")

    monkeypatch.setattr(win32service, "ChangeServiceConfig2", change)
    told = install(service, river)
    recovery = asked[win32service.SERVICE_CONFIG_FAILURE_ACTIONS]
    restart = win32service.SC_ACTION_RESTART
    assert [(restart, 5000), (restart, 30_000), (restart, 60_000)] == recovery["Actions"]
    assert 86_400 == recovery["ResetPeriod"]
    assert asked[win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG] is True
    assert asked[win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO] is True
    unrestricted = win32service.SERVICE_SID_TYPE_UNRESTRICTED
    assert unrestricted == asked[win32service.SERVICE_CONFIG_SERVICE_SID_INFO]
    assert "This Windows knows nothing of: starting it later than other services." == told[1]


def test_settings_that_cannot_be_used_are_told_and_not_tried_again(
    service: ServiceControl, river: River
) -> None:
    """The start fails with the sentence that the log has, and the exit code calls for no
    repetition; mended, it starts."""
    install(service, river)
    river.configure(watch={"settle": -1})
    with pytest.raises(ServiceProblem, match="settle"):
        service.start()
    assert Running.STOPPED is service.state().running
    assert "settle" in (log_folder() / "mediawatch.log").read_text(encoding="utf-8")
    river.configure()
    service.start()
    service.stop()


def test_a_failure_is_told_to_windows(service: ServiceControl, river: River) -> None:
    """A journal that cannot be opened ends the service with a code other than 0: that is what its
    recovery goes by."""
    install(service, river)
    (river.root / "data" / "journal.db").mkdir(parents=True)
    with pytest.raises(ServiceProblem, match="did not come to work"):
        service.start()
    found = service.state()
    assert Running.FAILED is found.running
    assert "code 1" in found.detail


def test_what_is_not_installed_cannot_be_started() -> None:
    """The sentence says what to do, and not error 1060."""
    if WindowsService().state().running is not Running.NOT_INSTALLED:
        pytest.skip("mediawatch is installed on this machine")
    with pytest.raises(ServiceProblem) as caught:
        WindowsService().start()
    assert "service-not-installed" == caught.value.code
    assert "mediawatch service install" in caught.value.remedy


def test_who_is_no_administrator_is_told_so(river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    """Error 5 becomes what to do about it."""

    def denied(*_: object) -> None:
        raise pywintypes.error(5, "OpenSCManager", "Access is denied.")

    monkeypatch.setattr(win32service, "OpenSCManager", denied)
    with pytest.raises(ServiceProblem) as caught:
        install(WindowsService(), river)
    assert "administrator" in caught.value.remedy
    assert NAME not in caught.value.remedy


def test_settings_from_the_environment_are_not_enough(river: River) -> None:
    """A service has not the variables of who installs it: that is told at once, and not by a
    service that does not start."""
    text = river.config.read_text(encoding="utf-8")
    river.config.write_text(text.replace("access_token", "# access_token"), encoding="utf-8")
    with pytest.raises(ServiceProblem, match="access_token"):
        WindowsService().install(river.config)

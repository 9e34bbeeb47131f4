"""What is written for service managers, and what is refused before anything is written."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mediawatch.cli.main import app
from mediawatch.config import Settings, WatchSettings, load
from mediawatch.service.base import ServiceProblem
from mediawatch.service.manager_files import manager_file
from tests.docs.inventory import ROOT
from tests.unit.test_config import GOOD

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no systemd")
CREDENTIALS = {"config.toml": Path("/etc/mediawatch/config.toml")}


def settings(tmp_path: Path, **environ: str) -> Settings:
    return load(
        None, {**GOOD, "MEDIAWATCH_STORAGE__DATA_DIR": "/var/lib/mediawatch", **environ}, tmp_path
    )


def lines(text: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def opened(tmp_path: Path, **environ: str) -> list[str]:
    from mediawatch.service.systemd_unit import drop_in

    return lines(drop_in(settings(tmp_path, **environ), CREDENTIALS), "ReadWritePaths")


def test_folders_side_by_side_are_opened_as_one(tmp_path: Path) -> None:
    """Between two folders that systemd opens by themselves nothing can be renamed."""
    assert ['"/srv/pictures"'] == opened(tmp_path, AUTO_DOWNLOAD_DIR="/srv/pictures/inbox")


def test_the_folders_of_every_inbox_are_opened(tmp_path: Path) -> None:
    """Those of each by the one that holds them, so that its originals are filed by a rename."""
    from mediawatch.service.systemd_unit import watch_folders, written_folders

    made = settings(tmp_path)
    inboxes = [{"folder": f"/srv/people/{name}/in"} for name in ("alice", "bob")]
    watch = WatchSettings.model_validate({"inboxes": inboxes})
    several = made.model_copy(update={"watch": watch})

    assert [Path("/srv/people/alice"), Path("/srv/people/bob")] == written_folders(several)
    assert 10 == len(watch_folders(several))


@pytest.mark.parametrize("above", ["/srv", "/home/me", "/root"])
def test_what_holds_much_else_is_not_opened(tmp_path: Path, above: str) -> None:
    """A whole home, or all that is served, is more than the settings name."""
    inbox = f"{above}/inbox"
    expected = {f'"{above}/{n}"' for n in ("inbox", "processed", "failed", "held", "duplicate")}

    assert expected == set(opened(tmp_path, AUTO_DOWNLOAD_DIR=inbox))


def test_all_that_is_written_is_opened(tmp_path: Path) -> None:
    """Folders apart, data elsewhere, a log file: each; what lies in another one once."""
    found = opened(
        tmp_path,
        AUTO_DOWNLOAD_DIR="/srv/in/box",
        MEDIAWATCH_WATCH__PROCESSED="/archive/processed",
        MEDIAWATCH_STORAGE__DATA_DIR="/data/mediawatch",
        MEDIAWATCH_LOG__FILE="/data/mediawatch/log/mediawatch.log",
    )

    assert '"/data/mediawatch"' in found
    assert {'"/srv/in/box"', '"/srv/in/failed"', '"/archive/processed"'} <= set(found)
    assert not [path for path in found if "log" in path]


def test_a_home_is_shown_only_where_it_is_needed(tmp_path: Path) -> None:
    """The folder of a person comes to the service without the rest of the home."""
    from mediawatch.service.systemd_unit import drop_in

    text = drop_in(settings(tmp_path, AUTO_DOWNLOAD_DIR="/home/me/pictures/inbox"), CREDENTIALS)

    assert ['"/home/me/pictures"'] == lines(text, "BindPaths")
    assert ["tmpfs"] == lines(text, "ProtectHome")


def test_paths_are_written_as_systemd_reads_them(tmp_path: Path) -> None:
    """Blanks, quotes, per cents; what cannot be written is refused."""
    found = opened(tmp_path, AUTO_DOWNLOAD_DIR='/srv/50% "off"/in')
    assert ['"/srv/50%% \\"off\\""'] == found
    with pytest.raises(ServiceProblem, match="cannot be told"):
        opened(tmp_path, AUTO_DOWNLOAD_DIR="/srv/a\nb/in")


def test_no_secret_comes_into_the_drop_in(tmp_path: Path) -> None:
    """It holds places only."""
    from mediawatch.service.systemd_unit import drop_in

    made = settings(tmp_path)
    text = drop_in(made, CREDENTIALS)

    assert ["", "config.toml:/etc/mediawatch/config.toml"] == lines(text, "LoadCredential")
    assert not [secret for secret in made.secret_values() if secret in text]


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
@pytest.mark.parametrize("order", ["install", "uninstall"])
def test_without_root_the_way_is_told(
    order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is tried; the command is shown with sudo, and with the settings file that root would
    not find by itself."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["/opt/bin/mediawatch", "service", order])
    for name, value in {**GOOD, "AUTO_DOWNLOAD_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "config.toml"
    file.write_text("")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["service", order])

    assert 1 == done.exit_code
    assert "Only root may do that" in done.output
    named = f" --config {file}" if order == "install" else ""
    assert f"sudo /opt/bin/mediawatch service {order}{named}\n" in done.output


def test_the_agent_of_launchd() -> None:
    """It runs this very mediawatch with these settings, and is left alone after a clean stop."""
    from mediawatch.service.launchd import agent

    told = plistlib.loads(agent(Path("/Users/me/config.toml"), Path("/Users/me/log")))
    program = told["ProgramArguments"]

    assert [sys.executable, "-P", "-m", "mediawatch"] == program[:4]
    assert ["run", "--config", "/Users/me/config.toml"] == program[4:]
    assert {"SuccessfulExit": False} == told["KeepAlive"]
    assert told["ExitTimeOut"] >= 45


@pytest.mark.parametrize(("keeper", "code"), [("launchd", 0), ("", 78)])
def test_launchd_does_not_repeat_what_settings_make_impossible(
    tmp_path: Path, keeper: str, code: int
) -> None:
    """It starts again whatever fails, and knows no exit code from another: settings that cannot be
    used end the agent's daemon well, with the reason in the log."""
    from mediawatch.service.launchd import agent

    named = plistlib.loads(agent(tmp_path, tmp_path))["EnvironmentVariables"]
    file = tmp_path / "config.toml"
    file.write_text("[watch]\nsettle = 'soon'\n")
    environ = named if keeper else dict.fromkeys(named, keeper)
    done = CliRunner().invoke(app, ["run", "--config", str(file)], env=environ)

    assert code == done.exit_code
    assert "[watch] settle = soon" in done.output


def test_launchd_is_not_asked_to_start_what_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`service start` says what is wrong with the settings: launchd would only be silent."""
    from mediawatch.service.launchd import LaunchdService, agent

    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "config.toml"
    file.write_text("[watch]\nsettle = 'soon'\n")
    plist = tmp_path / "Library" / "LaunchAgents" / "mediawatch.plist"
    plist.parent.mkdir(parents=True)
    plist.write_bytes(agent(file, tmp_path / "log"))

    with pytest.raises(ServiceProblem, match=r"\[watch\] settle"):
        LaunchdService().start()


def test_the_files_for_managers_are_in_the_wheel(tmp_path: Path) -> None:
    """What is installed from a wheel can install itself as a service."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened_wheel:
        held = set(opened_wheel.namelist())

    for name in ("systemd/mediawatch.service", "launchd/mediawatch.plist"):
        assert manager_file(name).is_file()
        assert f"mediawatch/service/manager/{name}" in held


def test_a_work_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ran mediawatch until now left a folder in the inbox, in which the service must be
    able to work: it is told, with the command that lets it in."""
    if os.geteuid() != 0 and os.environ.get("MEDIAWATCH_REQUIRE_ALL") != "1":
        pytest.skip("only root may look as somebody else")
    from mediawatch.service import systemd_folders, systemd_unit

    inbox = tmp_path / "pictures" / "inbox"
    work = inbox / ".mediawatch"
    work.mkdir(parents=True)
    for folder in (inbox.parent, inbox):
        folder.chmod(0o777)
    work.chmod(0o755)
    monkeypatch.setattr(systemd_folders, "ACCOUNT", "nobody")
    monkeypatch.setattr(systemd_unit, "HOMES", (tmp_path,))
    folders = systemd_folders.Folders(settings(tmp_path, AUTO_DOWNLOAD_DIR=str(inbox)))

    with pytest.raises(ServiceProblem, match=r"may not read and write in .*\.mediawatch"):
        folders.make()
    work.chmod(0o777)
    folders.make()

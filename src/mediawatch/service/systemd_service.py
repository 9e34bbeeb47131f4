"""mediawatch as a service of systemd: ServiceControl for Linux."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mediawatch.config import Settings
from mediawatch.errors import from_os_error
from mediawatch.service.base import Running, ServiceProblem, ServiceState, told_to_service
from mediawatch.service.manager_files import manager_file
from mediawatch.service.spoken import by_administrator
from mediawatch.service.systemd_unit import ACCOUNT, STATE, UNIT, drop_in

assert sys.platform != "win32"  # noqa: S101 - so the type checker need not look at the rest there

_UNITS = Path("/etc/systemd/system")
_DROP_IN = _UNITS / f"{UNIT}.d" / "50-mediawatch.conf"
#: Seconds for a command of systemd: it waits for a start (120) or a stop that was given more time.
_PATIENCE = 180.0
_RUNNING = {
    "active": Running.RUNNING,
    "reloading": Running.RUNNING,
    "activating": Running.STARTING,
    "deactivating": Running.STOPPING,
    "failed": Running.FAILED,
}
#: The exit code of the daemon when its settings cannot be used.
_BAD_CONFIGURATION = "78"


class SystemdService:
    """A ServiceControl (base.py)."""

    def install(self, config: Path) -> list[str]:
        from mediawatch.service.systemd_folders import Folders

        # Root has settings of its own, and a folder of its own where it looks for them.
        _require_root("service", "install", "--config", str(config))
        _require_systemd()
        told_to = told_to_service(config)
        settings, handed_over = told_to.settings, told_to.files
        self._require_known_journal(settings)
        text = drop_in(settings, handed_over)
        told = [*_make_account(), *Folders(settings).make()]
        try:
            _write(_UNITS / UNIT, manager_file(f"systemd/{UNIT}").read_text(encoding="utf-8"))
            _write(_DROP_IN, text)
        except OSError as error:
            raise from_os_error(error, f"write {error.filename}") from error
        told += [
            f"Wrote the unit {_UNITS / UNIT}.",
            f"Wrote {_DROP_IN}, with the folders of your settings.",
            f"The service reads {', '.join(map(str, handed_over.values()))}.",
        ]
        _systemctl("daemon-reload")
        _systemctl("enable", "--quiet", UNIT)
        told.append("It starts with the machine.")
        if self.state().running is Running.RUNNING:
            done = _systemctl("restart", UNIT, check=False)
            if done.returncode:
                raise self._why_not(done.stderr)
            told.append("It was running, and was restarted with what is new.")
        return told

    def uninstall(self) -> list[str]:
        _require_root()
        told = []
        known = (_UNITS / UNIT).exists()
        if known:
            self.stop()
            _systemctl("disable", "--quiet", UNIT)
        for file in (_UNITS / UNIT, _DROP_IN):
            if file.exists():
                file.unlink()
                told.append(f"Removed {file}.")
        if _DROP_IN.parent.is_dir():
            try:
                _DROP_IN.parent.rmdir()
            except OSError:
                told.append(f"Left {_DROP_IN.parent}: what is in it was written by somebody else.")
        if known:
            _systemctl("daemon-reload")
            _systemctl("reset-failed", UNIT, check=False)
            told.append(f"Left as they are: settings, folders, journal, and the user {ACCOUNT}.")
        return told or ["Nothing was installed."]

    def start(self) -> None:
        self._require_installed()
        _require_root()
        _require_up_to_date()
        _systemctl("reset-failed", UNIT, check=False)
        done = _systemctl("start", UNIT, check=False)
        if done.returncode:
            raise self._why_not(done.stderr)

    def stop(self) -> None:
        self._require_installed()
        _require_root()
        _systemctl("stop", UNIT)

    def state(self) -> ServiceState:
        facts = _facts()
        if not facts:
            installed = (_UNITS / UNIT).exists()
            where = Running.STOPPED if installed else Running.NOT_INSTALLED
            return ServiceState(
                where, "systemd is not at work on this machine, or does not answer."
            )
        if facts["LoadState"] == "not-found":
            return ServiceState(Running.NOT_INSTALLED)
        running = _RUNNING.get(facts["ActiveState"], Running.STOPPED)
        if facts["SubState"] == "auto-restart":
            running = Running.FAILED
        return ServiceState(running, " ".join(_said(facts, running)))

    def _require_installed(self) -> None:
        if self.state().running is Running.NOT_INSTALLED:
            raise ServiceProblem(
                "The service is not installed.",
                remedy=f"Install it first: {_install_again(None)}",
            )

    def _require_known_journal(self, settings: Settings) -> None:
        """Whoever ran mediawatch until now has a journal, which knows what is published already;
        the service must not begin a new one beside it."""
        if settings.storage.data_dir != STATE or (STATE / "journal.db").exists():
            return
        user = os.environ.get("SUDO_USER", "")
        for home in {Path.home(), Path(f"~{user}").expanduser()}:
            known = home / ".local" / "share" / "mediawatch"
            if (known / "journal.db").exists():
                raise ServiceProblem(
                    f"{known} holds the journal of an earlier mediawatch; the service would begin "
                    "a new one, and not know what is published already.",
                    remedy="Stop that mediawatch, and take its data along: "
                    f"sudo mv -T {shlex.quote(str(known))} {STATE}",
                )

    def _why_not(self, said: str) -> ServiceProblem:
        state, facts = self.state(), _facts()
        if facts.get("ExecMainStatus") == _BAD_CONFIGURATION:
            return ServiceProblem(
                "The service does not start: its settings cannot be used.",
                remedy=f"`{by_administrator('check', '--config', _named())}` lists what is wrong. "
                f"Mend it, then `{_install_again(_config())}`, and start it again.",
            )
        return ServiceProblem(
            f"The service does not start. {state.detail or said.strip()}",
            remedy=f"Read what it said last: journalctl -u {UNIT} -n 30",
        )


def _said(facts: dict[str, str], running: Running) -> Iterator[str]:
    if facts["StatusText"]:
        yield facts["StatusText"]
    if running is Running.FAILED:
        yield f"It ended by {facts['Result']} (exit status {facts['ExecMainStatus']})."
    if facts["NRestarts"] not in {"", "0"}:
        yield f"Restarted {facts['NRestarts']} time{'s' if facts['NRestarts'] != '1' else ''}."


def _facts() -> dict[str, str]:
    """What systemd knows of the unit; empty if it cannot be asked."""
    wanted = "LoadState,ActiveState,SubState,StatusText,Result,ExecMainStatus,NRestarts"
    try:
        done = _systemctl("show", UNIT, f"--property={wanted}", check=False)
    except ServiceProblem:
        return {}
    if done.returncode:
        return {}
    lines = (line.partition("=") for line in done.stdout.splitlines())
    return {key: value for key, _, value in lines}


def _require_root(*order: str) -> None:
    """``order``: how it is said by root, if not as it was said."""
    if os.geteuid() != 0:
        raise ServiceProblem(
            "Only root may do that: a service belongs to the whole machine.",
            remedy=f"Say it again with sudo: {by_administrator(*(order or sys.argv[1:]))}",
        )


def _config() -> Path | None:
    """The settings file that the service was installed with; None if that cannot be told."""
    for name, path in _handed_over(_written()):
        if name == "config.toml":
            return Path(path.replace("%%", "%"))
    return None


def _named() -> str:
    return str(_config() or "FILE")


def _install_again(config: Path | None) -> str:
    return by_administrator("service", "install", "--config", str(config or "FILE"))


def _written() -> list[str]:
    """The lines of our drop-in; none if it cannot be read."""
    try:
        return _DROP_IN.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _handed_over(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.startswith("LoadCredential=") and ":" in line:
            name, _, path = line.removeprefix("LoadCredential=").partition(":")
            yield name, path


def _require_up_to_date() -> None:
    """The folders and files that are opened to the service are those of the settings as they were
    when it was installed. Raises ServiceProblem if the settings name others now; settings that
    cannot be used are told by the start itself."""
    config, lines = _config(), _written()
    if config is None:
        return
    try:
        told_to = told_to_service(config)
        wanted = drop_in(told_to.settings, told_to.files).splitlines()
    except ServiceProblem:
        return
    opening = ("LoadCredential=", "ReadWritePaths=")
    if {line for line in lines if line.startswith(opening)} != {
        line for line in wanted if line.startswith(opening)
    }:
        raise ServiceProblem(
            f"{config} names other folders or files than when the service was installed: it could "
            "not use them.",
            remedy=f"Say once more: {_install_again(config)}",
        )


def _require_systemd() -> None:
    # What sd_booted(3) looks at.
    if not Path("/run/systemd/system").is_dir():
        raise ServiceProblem(
            "systemd is not at work on this machine.",
            remedy="Have your own service manager run `mediawatch run`, in the foreground; "
            "docs/how-to/keep-it-running.md shows how.",
        )


def _make_account() -> list[str]:
    import pwd

    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        line = f'u {ACCOUNT} - "mediawatch" {STATE}'
        _run("systemd-sysusers", "--inline", line)
        return [f"Made the user and the group {ACCOUNT}."]
    return []


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o644)
    part.replace(file)


def _systemctl(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return _run("systemctl", *words, check=check)


def _run(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Raises ServiceProblem with what the command said."""
    told = f"`{shlex.join(words)}`"
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            words, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except FileNotFoundError as error:
        raise ServiceProblem(
            f"{told} cannot be run: there is no such program.",
            remedy="Install systemd, or have your own service manager run `mediawatch run`.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ServiceProblem(
            f"{told} did not end within {_PATIENCE:.0f} s.",
            remedy=f"Look what holds it up: systemctl status {UNIT}",
        ) from error
    if check and done.returncode:
        raise ServiceProblem(
            f"{told} failed: {done.stderr.strip() or done.stdout.strip()}",
            remedy="Mend what it says, and say it again; what is done already does no harm.",
        )
    return done

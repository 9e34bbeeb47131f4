"""``backup`` and ``restore``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import platformdirs
import typer

from mediawatch import config as settings_of
from mediawatch import crash
from mediawatch.cli import next_step
from mediawatch.cli.failures import FAILED, explained, speak_utf8
from mediawatch.clock import iso
from mediawatch.errors import MediawatchError, from_os_error
from mediawatch.log import printable, size
from mediawatch.safekeeping import make as making
from mediawatch.safekeeping import restore as restoring
from mediawatch.service.data_owner import make_for_service

#: Characters that a passphrase has at least: the file may lie where others can try for years.
SHORTEST = 10
VARIABLE = "MEDIAWATCH_PASSPHRASE"


class NoPassphrase(MediawatchError):
    """None was given, and nobody is there to be asked; or it cannot be used."""

    code = "no-passphrase"


def back_up(
    config: Path | None, target: Path | None, passphrase_file: Path | None, *, force: bool
) -> None:
    """Write the backup, and tell what is in it."""
    speak_utf8()
    with explained():
        crash.arm(os.environ)
        file = config or settings_of.default_config_file()
        loaded = settings_of.load_with_origins(file)
        passphrase = _passphrase(passphrase_file, twice=True)
        made = making.make(loaded, file, target or Path(), passphrase, time.time(), replace=force)
    typer.echo(printable(f"✅ {made.path} is written ({size(made.size)})."))
    kinds = [member.kind for member in made.members]
    held = ["the journal"]
    held += ["the settings"] if "settings" in kinds else []
    held += ["the secrets that lie in files"] if "secret" in kinds else []
    held += ["the authorities of [ftp] tls_ca_file"] if "authorities" in kinds else []
    held += ["the key of the tokens"] if any(m.name == "records/keys" for m in made.members) else []
    typer.echo(f"   It holds {', '.join(held)}, and nobody opens it without the passphrase.")
    if "encryption_key" in str(made.handed) or _key_is_outside(loaded):
        typer.echo(
            "   The key of the tokens is not in it (storage.encryption_key): keep it as well."
        )
    if made.handed:
        typer.echo(f"   Not in it, for the service manager has them: {', '.join(made.handed)}")


def _key_is_outside(loaded: settings_of.Loaded) -> bool:
    """Whether it is in the environment, of which no backup is made."""
    return "in the environment" in loaded.origins.get(("storage", "encryption_key"), "")


def restore(config: Path | None, source: Path, passphrase_file: Path | None) -> None:
    """Put a backup back, and tell what comes next."""
    speak_utf8()
    with explained():
        crash.arm(os.environ)
        passphrase = _passphrase(passphrase_file, twice=False)
        proved = restoring.prove(source, passphrase)
        file = config or settings_of.default_config_file()
        if file is None and any(m.kind == "settings" for m in proved.small):
            file = platformdirs.user_config_path("mediawatch") / "config.toml"
        returned = restoring.bring_back_settings(proved, file)
        _tell_settings(returned)
        loaded = settings_of.load_with_origins(file if file and file.exists() else None)
        make_for_service(loaded.settings.storage.data_dir)
        done = restoring.restore(proved, loaded.settings, time.time())
    typer.echo(f"✅ The journal of {iso(done.made)} is back in {done.aside.parent}.")
    if done.aside.is_dir():
        typer.echo(f"   What was there before is kept in {done.aside}")
    if done.unseen:
        typer.echo(
            "   Nobody here knows what was published since: unfinished posts are held at the"
        )
        typer.echo("   next start, until you have compared them with the account.")
    else:
        typer.echo("   If anything was published since, unfinished posts are held at that start.")
    begin = next_step.start(loaded.settings.storage.data_dir)
    where = f" --config {subprocess.list2cmdline([str(file)])}" if config is not None else ""
    said, is_service, _ = begin.rpartition(" service ")
    begin += "" if is_service else where
    look = f"{said or 'mediawatch'} posts list --state held{where}"
    typer.echo(printable(f"   → Next: `{begin}`, then `{look}`"))


def _tell_settings(returned: restoring.Returned) -> None:
    for path in returned.back:
        typer.echo(printable(f"✅ {path} was missing, and is back."))
    for path in returned.stayed:
        typer.echo(printable(f"   {path} is another one than in the backup; it stays as it is."))
    for path, beside in returned.beside:
        typer.echo(printable(f"   {path} is another one than in the backup; it stays as it is."))
        typer.echo(printable(f"   That of the backup is in {beside}: take what you need of it."))
    for told in returned.refused:
        typer.echo(printable(f"❌ It cannot be put back: {told}"), err=True)


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """From the file, the environment, or whoever sits there. ``twice``: it is a new one."""
    if file is not None:
        found = _read(file)
    elif VARIABLE in os.environ:
        found = os.environ[VARIABLE]
    elif sys.stdin.isatty():
        try:
            found = str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice))
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("\nNothing was done.", err=True)
            raise typer.Exit(FAILED) from None
    else:
        raise NoPassphrase(
            "The backup needs a passphrase, and nobody is here to be asked.",
            remedy=f"Say --passphrase-file FILE, or set {VARIABLE}.",
        )
    if twice and len(found) < SHORTEST:
        raise NoPassphrase(
            f"This passphrase is too short: {SHORTEST} characters are the least.",
            remedy="Take four or five words that do not belong together.",
        )
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise from_os_error(error, f"read {file}") from error
    except UnicodeDecodeError:
        raise NoPassphrase(
            f"{file} holds no text.", remedy="Name a text file that holds only the passphrase."
        ) from None

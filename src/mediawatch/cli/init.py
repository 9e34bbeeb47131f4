"""``init``: the first set-up, asked at a terminal or told by flags."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs
import typer

from mediawatch import config as settings_of
from mediawatch.cli.failures import FAILED, explained, speak_utf8
from mediawatch.config.sources import from_environment
from mediawatch.errors import from_os_error
from mediawatch.log import printable
from mediawatch.model.findings import Finding
from mediawatch.setup import files
from mediawatch.setup import questions as q
from mediawatch.setup.answers import Answers
from mediawatch.setup.interview import Interview
from mediawatch.setup.questions import MissingAnswer, Question, SetupProblem


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; empty is not said."""

    folder: str = ""
    ftp_host: str = ""
    ftp_port: int | None = None
    ftp_user: str = ""
    ftp_password_file: Path | None = None
    ftp_tls: str = ""
    ftp_tls_pin: str = ""
    upload_dir: str = ""
    public_url: str = ""
    login: str = ""
    user_id: str = ""
    token_file: Path | None = None
    graph_url: str = ""


def set_up(config: Path | None, flags: Flags, *, test: bool, force: bool) -> None:
    """Ask, try, write, and tell what comes next."""
    speak_utf8()
    target = config or settings_of.default_config_file() or _usual_place()
    attended = sys.stdin.isatty() and sys.stdout.isatty()
    with explained():
        files.require_free(target, force=force)
        told = _environment()
        interview = Interview(
            _Terminal() if attended else _Unattended(),
            _start(flags, told),
            _given(flags, told),
            test=test,
            data_dir=Path(told["storage.data_dir"]) if "storage.data_dir" in told else None,
        )
        if attended:
            typer.echo("A folder, a web host with FTP, an Instagram account: three things to tell.")
            typer.echo("Enter takes what stands in brackets. Ctrl-C leaves; nothing is written.")
        try:
            answers = interview.run()
            written = files.write(answers, target, datetime.now().astimezone())
        except (KeyboardInterrupt, typer.Abort):
            interview.undo()
            typer.echo("\nNothing was written.", err=True)
            raise typer.Exit(FAILED) from None
        except BaseException:
            interview.undo()
            raise
    _tell(written, config)


def _tell(written: files.Written, config: Path | None) -> None:
    typer.echo(f"\n✅ {written.settings} is written.")
    typer.echo(f"   The secrets lie in {written.secrets[0].parent}, readable only by you.")
    for copy in written.kept:
        typer.echo(f"   What was there before is kept: {copy}")
    named = f" --config {config}" if config is not None else ""
    typer.echo(f"   → Next: `mediawatch doctor{named}`, then `mediawatch run{named}`")


def _usual_place() -> Path:
    return platformdirs.user_config_path("mediawatch") / "config.toml"


def _environment() -> dict[str, str]:
    """What the environment names already, by table and key."""
    tables = from_environment(os.environ)
    return {
        f"{table}.{key}": value
        for table, keys in tables.items()
        for key, value in keys.items()
        if isinstance(value, str) and value
    }


def _start(flags: Flags, told: Mapping[str, str]) -> Answers:
    """What is not asked for, but may be told."""
    port = flags.ftp_port or int(told.get("ftp.port", "21"))
    return Answers(
        port=port,
        tls=flags.ftp_tls or told.get("ftp.tls", "auto"),
        tls_pin=flags.ftp_tls_pin or told.get("ftp.tls_pin_sha256", ""),
        graph_url=flags.graph_url or told.get("instagram.graph_url", ""),
    )


def _given(flags: Flags, told: Mapping[str, str]) -> dict[Question, str]:
    found = {
        q.FOLDER: flags.folder or told.get("watch.folder", ""),
        q.HOST: flags.ftp_host or told.get("ftp.host", ""),
        q.USER: flags.ftp_user or told.get("ftp.user", ""),
        q.PASSWORD: _secret(flags.ftp_password_file) or told.get("ftp.password", ""),
        q.UPLOAD_DIR: flags.upload_dir or told.get("ftp.upload_dir", ""),
        q.PUBLIC_URL: flags.public_url or told.get("ftp.public_url", ""),
        q.TOKEN: _secret(flags.token_file) or told.get("instagram.access_token", ""),
        q.LOGIN: flags.login or told.get("instagram.login", ""),
        q.USER_ID: flags.user_id or told.get("instagram.user_id", ""),
    }
    return {question: answer for question, answer in found.items() if answer}


def _secret(file: Path | None) -> str:
    """What a file holds; "-" is standard input. Raises SetupProblem if it holds nothing."""
    if file is None:
        return ""
    try:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise from_os_error(error, f"read {file}") from error
    except UnicodeDecodeError:
        text = ""
    if not text.strip():
        raise SetupProblem(
            f"{file} holds no secret.", remedy="Name a text file that holds only the secret."
        )
    return text.strip()


class _Terminal:
    """A person."""

    attended = True

    def ask(self, question: Question, default: str = "") -> str:
        words = f"   {question.words}"
        return str(typer.prompt(words, default=default or None, hide_input=question.secret))

    def choose(self, words: str, choices: Mapping[str, str]) -> str:
        for key, meaning in choices.items():
            typer.echo(f"      {key}: {meaning}")
        while True:
            said = str(typer.prompt(f"   {words}", default=next(iter(choices)))).strip().lower()
            found = [key for key in choices if said and key.startswith(said)]
            if len(found) == 1:
                return found[0]

    def title(self, words: str) -> None:
        typer.echo("")
        typer.secho(words, bold=True)

    def show(self, finding: Finding) -> None:
        _show(finding, err=False)

    @contextlib.contextmanager
    def working(self, words: str) -> Iterator[None]:
        from rich.console import Console

        with Console().status(f"   {words} …"):
            yield


class _Unattended:
    """Flags alone."""

    attended = False

    def ask(self, question: Question, default: str = "") -> str:
        if default:
            return default
        raise MissingAnswer(
            f"Nobody is here to be asked for this: {question.words}.",
            remedy=f"Say it with {question.flag}, or run this in a terminal.",
        )

    def choose(self, words: str, choices: Mapping[str, str]) -> str:
        raise MissingAnswer(f"Nobody is here to be asked: {words}")

    def title(self, words: str) -> None:
        pass

    def show(self, finding: Finding) -> None:
        _show(finding, err=not finding.ok)

    @contextlib.contextmanager
    def working(self, words: str) -> Iterator[None]:
        yield


def _show(finding: Finding, *, err: bool) -> None:
    typer.echo(printable(f"   {'✅' if finding.ok else '❌'} {finding.detail}"), err=err)
    if finding.remedy and not finding.ok:
        typer.echo(printable(f"      → {finding.remedy}"), err=err)

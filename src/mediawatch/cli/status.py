"""``status``: what the daemon is doing, or what the journal says while none runs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from mediawatch.cli import next_step
from mediawatch.cli.daemon_api import call_daemon, require_this_machine
from mediawatch.cli.failures import FAILED, explained, load_settings
from mediawatch.cli.posts import open_reader
from mediawatch.config import Settings
from mediawatch.doctor import known
from mediawatch.journal import accounts, posts, standing, tokens, withheld
from mediawatch.journal.ownership import running
from mediawatch.log import printable
from mediawatch.model.lifecycle import State
from mediawatch.tokens import CONNECT

_NO_ACCOUNT = {
    "state": "none",
    "detail": "No account is set for the inbox.",
    "remedy": CONNECT,
    "until": None,
    "waiting": 0,
}
#: Ignored files that are named one by one; the rest are counted.
SHOWN = 20


def show_status(config: Path | None, *, as_json: bool) -> None:
    """Exit code 1 when the daemon does not run, or is not well."""
    with explained():
        settings = load_settings(config)
        owner = running(settings.storage.data_dir)
        if owner is not None and owner.url:
            found = call_daemon(
                owner.url, "GET", "/api/poster-media/status", data_dir=settings.storage.data_dir
            )
        else:
            require_this_machine()
            found = _from_journal(settings, pid=owner.pid if owner else None)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _tell(found, settings)
    if found["status"] != "ok":
        raise typer.Exit(FAILED)


def _from_journal(settings: Settings, pid: int | None) -> dict[str, Any]:
    with open_reader(settings) as journal:
        counted = asyncio.run(posts.counts(journal)) if journal else dict.fromkeys(State, 0)
        held_back = asyncio.run(withheld.count(journal)) if journal else 0
        user, account = settings.instagram.user_id, _NO_ACCOUNT
        if user is None and journal:
            connected = asyncio.run(tokens.logins(journal))
            user = next(iter(connected)) if len(connected) == 1 else None
        if user is not None:
            account = asyncio.run(standing.tell(journal, user)) if journal else {"state": "ok"}
        in_use = asyncio.run(accounts.in_use(journal, user)) if journal else []
        told = asyncio.run(standing.tell_all(journal, in_use)) if journal else []
    check = known.standing(account)
    return {
        "status": "stopped" if pid is None else "ok" if check.ok else "degraded",
        "source_directory": str(settings.inboxes.first.folder),
        "inboxes": [{"source_directory": str(each)} for each in settings.inboxes.folders],
        "ftp_server": f"{settings.ftp.host}:{settings.ftp.port}",
        "instagram_account": user,
        "account": account,
        "standings": [each for each in told if each["state"] != "ok"],
        "checks": [asdict(check)],
        "converting": [],
        "posts": {state.value: count for state, count in counted.items()},
        "withheld": held_back,
    }


def _tell(found: dict[str, Any], settings: Settings) -> None:
    head = {"ok": "✅ mediawatch is at work", "degraded": "⚠️ mediawatch is not well"}
    if found["status"] in head:
        typer.echo(head[found["status"]])
    else:
        typer.echo(f"💤 mediawatch does not run (`{next_step.start(settings.storage.data_dir)}`)")
    if "inboxes" not in found:
        typer.echo("   The rest is for those who see every account that it posts to.")
        return
    for inbox in found["inboxes"]:
        whose = (
            f", for {inbox['account']}" if len(found["inboxes"]) > 1 and "account" in inbox else ""
        )
        typer.echo(printable(f"   folder     {inbox['source_directory']}{whose}"))
        if inbox.get("problem"):
            typer.echo(printable(f"   ⚠️ {inbox['problem']}"))
    typer.echo(f"   host       {found['ftp_server']}")
    typer.echo(f"   account    {found['instagram_account'] or 'none for the inbox'}")
    _tell_account(found["account"])
    _tell_accounts(
        [each for each in found["standings"] if each["id"] != found["account"].get("id")]
    )
    if found.get("api"):
        typer.echo(f"   API        {found['api']}")
    counted = ", ".join(f"{count} {state}" for state, count in found["posts"].items() if count)
    typer.echo(f"   posts      {counted or 'none yet'}")
    for each in found["converting"]:
        typer.echo(printable(f"   ⏳ {each['file']}: converting {each['percent']} %"))
    for check in found["checks"]:
        if check["remedy"] and check["name"] != known.STANDING:  # that one was told above
            sign = "💡" if check["ok"] else "⚠️"
            typer.echo(printable(f"   {sign} {check['name']}: {check['detail']}"))
            typer.echo(printable(f"      → {check['remedy']}"))
    if held_back := found["withheld"]:
        typer.echo(f"   ✋ {held_back} files were here at the first start and are held back")
        typer.echo("      → `mediawatch posts release --all` publishes them")
    for word in ("settling", "ignored"):
        _tell_files(word, _files(found["inboxes"], word))


def _files(inboxes: list[dict[str, Any]], word: str) -> dict[str, str]:
    """Of all inboxes; with the folder where there are several."""
    return {
        name if len(inboxes) == 1 else str(Path(inbox["source_directory"], name)): reason
        for inbox in inboxes
        for name, reason in inbox.get(word, {}).items()
    }


def _tell_accounts(accounts: list[dict[str, Any]]) -> None:
    """Those that are not well one by one, the others by their number."""
    if accounts:
        typer.echo(f"   and {len(accounts)} more accounts")
    for account in [each for each in accounts if each["state"] != "ok"][:SHOWN]:
        typer.echo(printable(f"   {account['username'] or account['id']}"))
        _tell_account(account)


def _tell_account(account: dict[str, Any]) -> None:
    if account["state"] == "ok":
        return
    sign = "🚨" if account["state"] in {"stopped", "none"} else "⏳"
    until = f", until {account['until']}" if account["until"] else ""
    line = f"   {sign} {account['state']}, {account['waiting']} posts wait{until}: "
    typer.echo(printable(f"{line}{account['detail']}"))
    typer.echo(f"      → {account['remedy']}")


def _tell_files(word: str, files: dict[str, str]) -> None:
    if not files:
        return
    typer.echo(f"   {len(files)} {word}:")
    for name, reason in list(files.items())[:SHOWN]:
        typer.echo(f"      {printable(name)}: {reason}")
    if len(files) > SHOWN:
        typer.echo(f"      … and {len(files) - SHOWN} more (--json shows all)")

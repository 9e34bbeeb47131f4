"""``posts list | show``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mediawatch.actions import posts as actions
from mediawatch.cli.daemon_api import DaemonSilent, call_daemon, require_this_machine
from mediawatch.cli.failures import explained, load_settings
from mediawatch.clock import iso
from mediawatch.config import Settings
from mediawatch.journal import attempts, posts
from mediawatch.journal.database import Row
from mediawatch.journal.ownership import running
from mediawatch.journal.sqlite import FILE_NAME, SqliteReader
from mediawatch.log import printable
from mediawatch.model.lifecycle import Stage, State
from mediawatch.model.people import Door, this_machine
from mediawatch.model.posts import Post, shown_as

#: Where a post stands while its files are converted: for the first time, or once more because they
#: are lost.
_CONVERTED_IN = {(Stage.CONVERT, State.RUNNING), (Stage.UPLOAD, State.RUNNING)}


@contextlib.contextmanager
def open_reader(settings: Settings) -> Iterator[Any]:
    """The journal to read from, or None if there is none yet."""
    path = settings.storage.data_dir / FILE_NAME
    if not path.exists():
        yield None
        return
    reader = SqliteReader(path)
    try:
        yield reader
    finally:
        reader.close()


def list_posts(config: Path | None, *, as_json: bool, states: list[str], limit: int) -> None:
    """A line each, newest first."""
    with explained():
        require_this_machine()
        settings = load_settings(config)
        wanted = [_state(word) for word in states]
        with open_reader(settings) as journal:
            found = (
                asyncio.run(posts.listed(journal, states=wanted, limit=limit)) if journal else []
            )
    if as_json:
        typer.echo(json.dumps([_as_json(post) for post in found], indent=2, ensure_ascii=False))
        return
    if not found:
        typer.echo("No posts yet." if not states else "No posts in that state.")
    for post in found:
        told = post.permalink or post.detail or post.stage.value
        line = f"{post.id}  {iso(post.created_at)}  {shown_as(post):<10}  {post.name}  {told}"
        typer.echo(printable(line))


def show_post(config: Path | None, prefix: str, *, as_json: bool) -> None:
    """The post and its publishing log."""
    with explained():
        require_this_machine()
        settings = load_settings(config)
        with open_reader(settings) as journal:
            if journal is None:
                raise actions.NoSuchPost(f"There is no post {prefix}.", remedy="None was made yet.")
            post = asyncio.run(actions.find(journal, this_machine(Door.COMMAND), prefix))
            history = asyncio.run(attempts.history(journal, post.id))
        percent = _percent(settings, post)
    if as_json:
        lines = [{**row, "at": iso(row["at"])} for row in history]
        told = {**_as_json(post), "percent": percent, "history": lines}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=str))
        return
    for word, value in _facts(post):
        if value:
            typer.echo(f"{word:<10} {printable(value)}")
        if word == "status" and percent is not None:
            typer.echo(f"{'now':<10} converting {percent} %")
    for row in history:
        typer.echo(printable(f"  {iso(row['at'])}  {row['stage']:<9} {_told(row)}"))


def _percent(settings: Settings, post: Post) -> int | None:
    """How far its conversion is, which only the daemon knows that is at it."""
    if (post.stage, post.state) not in _CONVERTED_IN:
        return None
    owner = running(settings.storage.data_dir)
    if owner is None or not owner.url:
        return None
    with contextlib.suppress(DaemonSilent):
        for each in call_daemon(
            owner.url, "GET", "/api/poster-media/status", data_dir=settings.storage.data_dir
        )["converting"]:
            if each["post"] == post.id:
                return int(each["percent"])
    return None


def _told(row: Row) -> str:
    """A line of the history: a request to Meta and its answer, or what happened, in words."""
    took = f" ({row['duration_ms']} ms)" if row["duration_ms"] is not None else ""
    said = row["error"] or row["detail"] or ""
    return f"{row['status']:<17} {row['endpoint']}{took}{': ' if took and said else ''}{said}"


def _state(word: str) -> State:
    try:
        return State(word.lower())
    except ValueError:
        known = ", ".join(State)
        raise typer.BadParameter(f"{word} is no state. Choose one of: {known}.") from None


def _facts(post: Post) -> list[tuple[str, str | None]]:
    return [
        ("post", post.id),
        ("file", post.name),
        ("status", f"{shown_as(post)} ({post.state} at stage {post.stage})"),
        ("why", post.detail),
        ("do", post.remedy),
        ("until", iso(post.wait_until) if post.wait_until else None),
        ("caption", post.caption),
        ("changes", "; ".join(change for item in post.items for change in item.changes)),
        ("original", ", ".join(str(item.source) for item in post.items)),
        ("container", post.container_id),
        ("media", post.media_id),
        ("link", post.permalink),
        ("taken", iso(post.created_at)),
        ("published", iso(post.published_at) if post.published_at else None),
    ]


def _as_json(post: Post) -> dict[str, Any]:
    facts = {word: value for word, value in _facts(post) if value is not None}
    return {**facts, "status": shown_as(post), "stage": post.stage, "state": post.state}

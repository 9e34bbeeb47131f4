"""``poster_media``: publish what lies in the inboxes now, and report what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mediawatch.clock import Clock
from mediawatch.config import Inbox, Settings
from mediawatch.errors import StorageProblem
from mediawatch.journal import posts, standing
from mediawatch.journal.database import Journal
from mediawatch.model.lifecycle import STAGES, Publication, Stage, State
from mediawatch.model.posts import ACCOUNT_BUSY, SCHEDULED, Post
from mediawatch.watch.candidates import Outcome, Seen
from mediawatch.watch.watched import WatchedInboxes

#: Seconds between looks at the posts that are waited for.
LOOK = 0.1
#: Waits that end by themselves in seconds: the report waits with them.
SHORT_WAITS = {"processing", ACCOUNT_BUSY, "listing"}
#: Posts that are looked up in one go: a query takes no more than some 30,000 values.
_AT_ONCE = 1000


@dataclass(slots=True)
class Stats:
    """Numbers of files of one pass."""

    files_found: int = 0
    files_processed: int = 0
    files_uploaded: int = 0
    files_published: int = 0
    files_ignored: int = 0
    files_failed: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


#: By inbox and name: the post of a file, and whether it is a duplicate of that.
_Taking = dict[tuple[Path, str], tuple[str, bool]]


class PosterMedia:
    """One pass over all inboxes, with the posts that were under way before it.

    ``limit``: seconds after which the report is made of what is known by then.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        clock: Clock,
        watched: Callable[[], WatchedInboxes],
        *,
        limit: float = 900.0,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._clock = clock
        self._watched = watched
        self._limit = limit
        self._takings: list[_Taking] = []

    def taken(self, inbox: Path, name: str, post_id: str, again: bool) -> None:
        """The intake made a post of a file, or found that it is one already."""
        for taking in self._takings:
            taking[inbox, name] = (post_id, again)

    async def run(self) -> dict[str, Any]:
        """Publish, wait, and report. Never raises StorageProblem: it is told in the report."""
        taking: _Taking = {}
        end = self._clock.monotonic() + self._limit
        self._takings.append(taking)
        try:
            earlier = await posts.workable(self._journal, now=self._clock.now(), limit=1000)
            passes = await self._watched().pass_once(self._limit)
            ids = {post_id for post_id, _ in earlier}
            ids |= {post_id for post_id, again in taking.values() if not again}
            found = await self._settled(ids, end)
        finally:
            self._takings.remove(taking)
        stats = _count(_seen(passes), taking, found)
        stats.errors[:0] = [
            {"file": "", **problem.as_dict()}
            for _, problem in passes
            if isinstance(problem, StorageProblem)
        ]
        stats.errors += await self._stopped(stats)
        report = self._report(stats)
        if len(passes) > 1:
            report["inboxes"] = [
                self._of_inbox(inbox, seen, taking, found) for inbox, seen in passes
            ]
        return report

    def _of_inbox(
        self, inbox: Inbox, seen: list[Seen] | StorageProblem, taking: _Taking, found: list[Post]
    ) -> dict[str, Any]:
        own = {post_id for (folder, _), (post_id, _) in taking.items() if folder == inbox.folder}
        stats = _count(
            _seen([(inbox, seen)]),
            {key: value for key, value in taking.items() if key[0] == inbox.folder},
            [post for post in found if post.id in own],
        )
        if isinstance(seen, StorageProblem):
            stats.errors.insert(0, {"file": "", **seen.as_dict()})
        account = {each.inbox.folder: each.sorter.account for each in self._watched()}.get(
            inbox.folder
        )
        return {
            "source_directory": str(inbox.folder),
            "instagram_account": account,
            "stats": asdict(stats),
        }

    async def _stopped(self, stats: Stats) -> list[dict[str, Any]]:
        """Posts of earlier passes that wait for their account: no pass is well that is silent
        about them."""
        stopped = [account.id for account in await standing.stopped(self._journal)]
        known = {error["code"] for error in stats.errors}
        return [
            {
                "file": "",
                "code": account["reason"],
                "message": f"{account['waiting']} posts wait, because the account is stopped: "
                f"{account['detail']}",
                "remedy": account["remedy"],
                "details": {"account": account["id"], "waiting": account["waiting"]},
            }
            for account in await standing.tell_all(self._journal, stopped)
            if account["waiting"] and account["reason"] not in known
        ]

    async def _settled(self, ids: set[str], end: float) -> list[Post]:
        while True:
            found = [
                post
                for some in _parts(sorted(ids))
                for post in await posts.listed(self._journal, ids=some, limit=len(some))
            ]
            moving = [post for post in found if not _at_rest(post, self._clock.now())]
            if not moving or self._clock.monotonic() > end:
                return found
            await asyncio.sleep(LOOK)

    def _report(self, stats: Stats) -> dict[str, Any]:
        settings = self._settings
        success = not stats.errors and stats.files_failed == 0
        return {
            "success": success,
            "timestamp": datetime.fromtimestamp(self._clock.now(), UTC).isoformat(),
            "source_directory": str(settings.inboxes.first.folder),
            "ftp_server": f"{settings.ftp.host}:{settings.ftp.port}",
            "instagram_account": self._watched().first.sorter.account,
            "result": {
                "success": success,
                "stats": asdict(stats),
                "message": _message(stats),
            },
        }


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]


def _at_rest(post: Post, now: float) -> bool:
    if post.state is State.WAITING:
        # One that is due is about to be taken up, even if no worker has it yet.
        return post.reason not in SHORT_WAITS and (post.wait_until or 0.0) > now
    return post.state not in {State.READY, State.RUNNING}


def _seen(passes: list[tuple[Inbox, list[Seen] | StorageProblem]]) -> list[tuple[Path, Seen]]:
    return [
        (inbox.folder, one)
        for inbox, seen in passes
        if not isinstance(seen, StorageProblem)
        for one in seen
    ]


def _count(seen: list[tuple[Path, Seen]], taking: _Taking, found: list[Post]) -> Stats:
    stats = Stats()
    elsewhere = [
        one
        for inbox, one in seen
        if (inbox, one.name) not in taking and one.outcome is not Outcome.TAKEN
    ]
    duplicates = sum(again for _, again in taking.values())
    stats.files_found = len(found) + duplicates + len(elsewhere)
    stats.files_ignored = duplicates
    for one in elsewhere:
        if one.outcome is Outcome.IGNORED:
            stats.files_ignored += 1
        elif one.outcome is Outcome.GONE:
            stats.files_found -= 1
        else:
            stats.errors.append(
                {
                    "file": one.name.encode("utf-8", "replace").decode(),
                    "code": one.outcome.value,
                    "message": f"It stays in the folder, because {one.reason}.",
                    "remedy": "It is taken with the next pass after that has changed.",
                }
            )
    for post in found:
        stats.files_processed += 1
        stats.files_uploaded += STAGES.index(post.stage) > STAGES.index(Stage.UPLOAD)
        if post.publication is Publication.LIVE:
            stats.files_published += 1
        elif post.state in {State.HELD, State.FAILED, State.CANCELLED}:
            stats.files_failed += 1
        if post.state is not State.DONE and post.reason != SCHEDULED:
            stats.errors.append(_error(post))
    return stats


def _error(post: Post) -> dict[str, Any]:
    return {
        "file": post.name,
        "code": post.reason or post.state.value,
        "message": post.detail or f"It is {post.state} at the stage {post.stage}.",
        "remedy": post.remedy or f"`mediawatch posts show {post.id}` tells more.",
        "details": {"post": post.id, "state": post.state.value, "stage": post.stage.value},
    }


def _message(stats: Stats) -> str:
    told = f"{stats.files_published} of {stats.files_processed} files published"
    if stats.files_ignored:
        told += f", {stats.files_ignored} ignored"
    if stats.files_failed:
        told += f", {stats.files_failed} failed or held"
    return told + "."

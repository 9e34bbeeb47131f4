"""Where every sample stands: read from the journal and the folders, as any onlooker could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from mediawatch.clock import Clock
from mediawatch.config import Settings
from mediawatch.daemon import Daemon
from mediawatch.demo.samples import Ending, Sample
from mediawatch.journal import posts
from mediawatch.model.kinds import PostKind
from mediawatch.model.lifecycle import STAGES, Publication, State
from mediawatch.model.posts import Post


@dataclass(slots=True)
class Progress:
    """One sample on its way. Times in seconds on the monotonic clock, sizes in bytes."""

    sample: Sample
    size: int = 0
    dropped_at: float | None = None
    whole_at: float | None = None
    ended_at: float | None = None
    stage: int = 0
    word: str = ""
    told: str = ""
    ending: Ending | None = None
    failed: bool = False

    @property
    def as_it_should(self) -> bool:
        """Whether it ended, and as it should."""
        return self.ending is self.sample.ends and not self.failed

    @property
    def ended(self) -> bool:
        """Whether anything more will happen to it."""
        return self.ending is not None or self.failed


class Observer:
    """Looks at a running daemon from outside."""

    def __init__(self, daemon: Daemon, settings: Settings, clock: Clock) -> None:
        self._daemon = daemon
        self._settings = settings
        self._clock = clock

    async def look(self, all_progress: Iterable[Progress]) -> None:
        """Bring every row up to date."""
        found = {post.name: post for post in await posts.listed(self._daemon.app.journal)}
        watch = self._daemon.app.watched.first.watcher.state
        now = self._clock.monotonic()
        for row in all_progress:
            if row.dropped_at is None or row.ended:
                continue
            name = row.sample.name
            post = found.get(PurePath(name).name)
            if post is not None:
                self._from_post(row, post)
            elif name in watch.ignored:
                row.ending, row.told = Ending.IGNORED, watch.ignored[name]
            elif (self._settings.watch.duplicate_folder / name).exists():
                row.ending, row.told = Ending.DUPLICATE, "filed under duplicate/, not posted again"
            elif name in watch.settling:
                row.word = "settling" if row.whole_at else "being written"
            if row.ended:
                row.ended_at = now

    def _from_post(self, row: Progress, post: Post) -> None:
        row.stage = STAGES.index(post.stage) + 1
        row.word = post.stage.value
        if converting := self._daemon.app.converting.of(post.id):
            row.word = f"converting {converting.percent} %"
        if post.state is State.DONE:
            row.ending, row.stage = Ending.PUBLISHED, len(STAGES) + 1
            row.told = _told(post)
        elif post.state is State.HELD:
            row.ending, row.told = Ending.HELD, post.detail or ""
        elif post.state in {State.FAILED, State.CANCELLED}:
            row.failed, row.told = True, post.detail or ""
        elif post.state is State.WAITING and post.publication is not Publication.LIVE:
            row.word, row.told = "waiting", post.detail or ""


def _told(post: Post) -> str:
    """What became of it: its kind, unless it is a picture, and what was changed."""
    kinds = {
        PostKind.REEL: "a reel; ",
        PostKind.STORY: "a story; ",
        PostKind.CAROUSEL: f"a carousel of {len(post.items)}; ",
    }
    changes = dict.fromkeys(change for item in post.items for change in item.changes)
    return kinds.get(post.kind, "") + ("; ".join(changes) or "byte for byte as it was")

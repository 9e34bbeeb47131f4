"""A post, its items, and the words that people read for where it stands."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from mediawatch.model.kinds import VIDEO, PostKind
from mediawatch.model.lifecycle import Position, Publication, Stage, State
from mediawatch.model.pairs import is_cover
from mediawatch.model.wishes import Wishes

#: Why posts are held after an older journal was put back (pipeline/recovery.py).
JOURNAL_RESTORED = "journal-restored"
#: Why posts wait that are planned for a time (pipeline/planned.py).
SCHEDULED = "scheduled"
#: Why posts wait whose account publishes another one first (pipeline/publish.py).
ACCOUNT_BUSY = "account-busy"
#: Why posts are held that a person must say yes to, by their inbox or for want of certainty.
APPROVAL, ACCOUNT_FOLDER = "approval", "account-folder"


@dataclass(frozen=True, slots=True)
class Item:
    """One picture or video of a post, with what each stage recorded of it.

    ``source`` is where the original lies now. ``moving_to`` is set, durably, before the
    original is moved there and cleared after, so that a crash in between is told apart.
    ``media_type`` is that of the prepared file, ``duration`` its seconds (None: a picture).
    ``container_id`` is that of one part of a carousel, or of a video that is being sent to it;
    ``container_at`` is None until it has all of it.
    """

    post_id: str
    position: int
    name: str
    source: Path
    sha256: str
    size: int
    moving_to: Path | None = None
    prepared: Path | None = None
    prepared_sha256: str | None = None
    prepared_size: int | None = None
    width: int | None = None
    height: int | None = None
    media_type: str | None = None
    duration: float | None = None
    changes: tuple[str, ...] = ()
    remote_key: str | None = None
    public_url: str | None = None
    container_id: str | None = None
    container_at: float | None = None

    @property
    def is_video(self) -> bool:
        """Whether what is published of it is a video."""
        return self.media_type == VIDEO


@dataclass(frozen=True, slots=True)
class Post:
    """One post of one account. Times are seconds since the epoch, UTC.

    ``generation`` counts its containers, ``rebuilds`` those that were lost or refused since a
    person last had it tried. ``moved_to``: when it is published instead of at the time that was
    wished for. ``refusal``: code, sentence and remedy of what is wrong with the wishes, so that it
    must be held before anything is done. ``inbox``: the folder that it came from, None if that is
    not known (the first one); ``awaits``: code, sentence and remedy (in which ``{post}`` is the
    id) of what a person must say yes to before anything is done. ``items``: the files of a carousel
    in order; else the one file, and behind it what goes with it (model/pairs.py). ``comment_…``:
    its first comment,
    how often and when last it was asked for.
    """

    id: str
    account_id: str
    kind: PostKind
    name: str
    caption: str
    content_key: str
    stage: Stage
    state: State
    created_at: float
    updated_at: float
    fence: int = 0
    lease_until: float | None = None
    wait_until: float | None = None
    attempts: int = 0
    parked: bool = False
    reason: str | None = None
    detail: str | None = None
    remedy: str | None = None
    container_id: str | None = None
    container_at: float | None = None
    container_reads: int = 0
    generation: int = 0
    rebuilds: int = 0
    publish_asked_at: float | None = None
    absent_at: float | None = None
    published_at: float | None = None
    media_id: str | None = None
    permalink: str | None = None
    wishes: Wishes = field(default=Wishes())
    refusal: tuple[str, str, str] | None = None
    inbox: Path | None = None
    awaits: tuple[str, str, str] | None = None
    moved_to: float | None = None
    comment_asked_at: float | None = None
    comment_id: str | None = None
    comment_tries: int = 0
    items: tuple[Item, ...] = field(default=())

    @property
    def parts(self) -> tuple[Item, ...]:
        """The items that are sent to Meta. Of a single file, that is the file and its cover: a RAW
        or a clip only goes where its picture goes."""
        if self.kind is PostKind.CAROUSEL:
            return self.items
        return tuple(each for each in self.items if each.position == 0 or is_cover(each.name))

    @property
    def cover(self) -> Item | None:
        """The picture that a reel shows before it plays, if it came as a file."""
        return self.parts[1] if self.kind is PostKind.REEL and len(self.parts) > 1 else None

    @property
    def publication(self) -> Publication:
        """What is known of the irreversible call, derived from stage and facts."""
        if self.stage in {Stage.CONFIRM, Stage.ARCHIVE}:
            return Publication.LIVE
        if self.publish_asked_at is not None:
            return Publication.ASKED
        return Publication.NOT_ASKED

    @property
    def position(self) -> Position:
        """Where the post stands in the state machine."""
        return Position(self.stage, self.state, self.publication)


def new_post_id() -> str:
    """Twelve hex digits: short enough to type, long enough to be met once."""
    return secrets.token_hex(6)


def shown_as(post: Post) -> str:
    """The word that people read: derived, never stored."""
    if post.state is State.DONE or post.publication is Publication.LIVE:
        return "published"
    if post.state is State.WAITING and post.reason == SCHEDULED:
        return "scheduled"
    return {
        State.HELD: "needs you",
        State.WAITING: "waiting",
        State.READY: "publishing",
        State.RUNNING: "publishing",
        State.FAILED: "failed",
        State.CANCELLED: "cancelled",
    }[post.state]

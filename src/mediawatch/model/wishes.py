"""What the owner wishes for a post, wherever it was said: a sidecar, the folder, the picture."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from mediawatch.errors import Rejected
from mediawatch.model.kinds import PostKind
from mediawatch.model.moments import zone_name, zone_named


@dataclass(frozen=True, slots=True)
class UserTag:
    """Somebody who is in the picture. ``x``, ``y``: where, 0.0 to 1.0 from the upper left, or
    both None."""

    username: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """What a reel shows before it plays: a picture file beside it, or its own frame at so many
    milliseconds. One of the two."""

    file: str | None = None
    offset_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wished for one post. None: nothing was said; an empty caption is a wish.

    ``title`` is what ``{title}`` of a template stands for. ``alt_text`` is for every picture,
    ``alt_texts`` (file name, text) for those of a carousel. ``publish_at`` is aware, in the zone in
    which it was meant; ``publish_note`` tells what had to be decided about it. ``again`` is a word
    of the owner's that lets the same bytes be published once more: once for each word.
    """

    caption: str | None = None
    title: str | None = None
    alt_text: str | None = None
    alt_texts: tuple[tuple[str, str], ...] = ()
    publish_at: datetime | None = None
    publish_note: str = ""
    kind: PostKind | None = None
    location_id: str | None = None
    user_tags: tuple[UserTag, ...] | None = None
    collaborators: tuple[str, ...] | None = None
    share_to_feed: bool | None = None
    first_comment: str | None = None
    cover: Cover | None = None
    again: str | None = None

    def merge(self, over: Wishes) -> Wishes:
        """These wishes, and over them those of a nearer source.

        From far to near: the template, what the picture holds itself, the folder's caption file,
        the name of the file, the sidecar.
        """
        said = {name: value for name, value in over.said().items() if name != "publish_note"}
        if over.publish_at is not None:
            said["publish_note"] = over.publish_note
        if over.alt_texts:
            said["alt_texts"] = tuple((dict(self.alt_texts) | dict(over.alt_texts)).items())
        return replace(self, **said)

    def __bool__(self) -> bool:
        return self != NOTHING

    def said(self) -> dict[str, Any]:
        """The fields in which something is wished for."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {n: value for n, value in values.items() if value != _UNSAID[n]}

    def alt_text_for(self, name: str) -> str | None:
        """The alternative text of one file: its own, or the one for all."""
        own = dict(self.alt_texts)
        if name in own:
            return own[name]
        blind = {key.casefold(): text for key, text in self.alt_texts}
        return blind.get(name.casefold(), self.alt_text)

    def alt_texts_astray(self, names: Iterable[str]) -> list[str]:
        """Names that have an alternative text but are no files of the post."""
        there = {name.casefold() for name in names}
        return [name for name, _ in self.alt_texts if name.casefold() not in there]

    def to_json(self) -> str:
        """The wishes as the journal keeps them: one line, the same for the same wishes."""
        said = self.said()
        if self.user_tags is not None:
            said["user_tags"] = [[tag.username, tag.x, tag.y] for tag in self.user_tags]
        if self.cover is not None:
            said["cover"] = [self.cover.file, self.cover.offset_ms]
        if self.publish_at is not None:
            at = self.publish_at
            said["publish_at"] = [at.isoformat(), zone_name(at.tzinfo)]
        return json.dumps(said, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Wishes:
        """What ``to_json`` wrote. Raises ValueError if it is nothing of the kind."""
        try:
            return cls(**_restored(json.loads(text)))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"these are no wishes of a post: {error}") from error


#: No wish at all.
NOTHING = Wishes()
_UNSAID = {each.name: each.default for each in fields(Wishes)}


def _restored(said: dict[str, Any]) -> dict[str, Any]:
    if "collaborators" in said:
        said["collaborators"] = tuple(said["collaborators"])
    if "alt_texts" in said:
        said["alt_texts"] = tuple((name, text) for name, text in said["alt_texts"])
    if "user_tags" in said:
        said["user_tags"] = tuple(UserTag(*tag) for tag in said["user_tags"])
    if "cover" in said:
        said["cover"] = Cover(*said["cover"])
    if "kind" in said:
        said["kind"] = PostKind(said["kind"])
    if "publish_at" in said:
        written, zone = said["publish_at"]
        said["publish_at"] = _in_zone(datetime.fromisoformat(written), zone)
    return said


def _in_zone(at: datetime, zone: str | None) -> datetime:
    """The instant in its zone; in its offset alone if this machine does not know the zone."""
    if zone is None:
        return at
    try:
        return at.astimezone(UTC).astimezone(zone_named(zone))
    except Rejected:
        return at

"""The keys of a sidecar: what each may hold, and what is said when it holds something else."""

from __future__ import annotations

import difflib
from datetime import tzinfo
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from mediawatch.errors import Handling, Rejected
from mediawatch.model import moments
from mediawatch.model.kinds import PostKind
from mediawatch.model.moments import Moment
from mediawatch.model.wishes import Wishes
from mediawatch.watch import sidecar_values as values
from mediawatch.watch.sidecar_values import shown

#: Meta: IG User Media.
MAX_COLLABORATORS = 3
#: People who can be tagged in one picture: the app's own limit.
MAX_USER_TAGS = 20
#: Problems that are told at once; a file of another program may have hundreds.
_TOLD = 5

#: Words that people and other programs use, where the nearest spelling would not find the key.
_MEANT = {
    "text": "caption",
    "description": "caption",
    "hashtags": "caption",
    "alt": "alt_text",
    "accessibility": "alt_text",
    "date": "publish_at",
    "time": "publish_at",
    "when": "publish_at",
    "schedule": "publish_at",
    "scheduled_at": "publish_at",
    "timezone": "zone",
    "tz": "zone",
    "type": "kind",
    "media_type": "kind",
    "location": "location_id",
    "place": "location_id",
    "tags": "user_tags",
    "people": "user_tags",
    "users": "user_tags",
    "comment": "first_comment",
    "thumbnail": "cover",
    "thumb_offset": "cover",
    "cover_url": "cover",
    "repeat": "again",
}


class _Keys(BaseModel):
    """Everything that a ``.toml`` or ``.json`` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    caption: Annotated[str, BeforeValidator(values.caption)] | None = None
    title: Annotated[str, BeforeValidator(values.plain_text)] | None = None
    alt_text: Annotated[str | dict[str, str], BeforeValidator(values.alt_text)] | None = None
    publish_at: Annotated[Any, BeforeValidator(values.publish_at)] = None
    zone: Annotated[Any, BeforeValidator(values.zone)] = None
    kind: Annotated[PostKind, BeforeValidator(values.kind)] | None = None
    location_id: Annotated[str, BeforeValidator(values.location)] | None = None
    user_tags: (
        Annotated[
            list[Annotated[Any, BeforeValidator(values.user_tag)]], Field(max_length=MAX_USER_TAGS)
        ]
        | None
    ) = None
    collaborators: (
        Annotated[
            tuple[str, ...], BeforeValidator(values.usernames), Field(max_length=MAX_COLLABORATORS)
        ]
        | None
    ) = None
    share_to_feed: StrictBool | None = None
    first_comment: Annotated[str, BeforeValidator(values.first_comment)] | None = None
    cover: Annotated[Any, BeforeValidator(values.cover)] = None
    again: Annotated[Any, BeforeValidator(values.nonce)] = None


#: Every key that a sidecar may have.
KEYS = tuple(_Keys.model_fields)


def wishes_of(name: str, parsed: dict[str, Any], zone: tzinfo) -> Wishes:
    """The wishes of a parsed sidecar. ``zone``: of times that name none.

    Raises Rejected, to be held, with every problem: the file, the key, what is wrong, the remedy.
    """
    # JSON's null says nothing, as a key that is left out.
    given = {key: value for key, value in parsed.items() if value is not None or key not in KEYS}
    try:
        keys = _Keys.model_validate(given)
    except ValidationError as error:
        raise _rejected(name, [_told(detail) for detail in error.errors()]) from None
    at = _moment(name, keys, zone)
    return Wishes(
        caption=keys.caption,
        title=keys.title,
        alt_text=keys.alt_text if isinstance(keys.alt_text, str) else None,
        alt_texts=tuple(keys.alt_text.items()) if isinstance(keys.alt_text, dict) else (),
        publish_at=at.at if at else None,
        publish_note=at.note if at else "",
        kind=keys.kind,
        location_id=keys.location_id,
        user_tags=None if keys.user_tags is None else tuple(keys.user_tags),
        collaborators=keys.collaborators,
        share_to_feed=keys.share_to_feed,
        first_comment=keys.first_comment,
        cover=keys.cover,
        again=keys.again,
    )


def _moment(name: str, keys: _Keys, default: tzinfo) -> Moment | None:
    """The time that is meant, of its own zone, the one beside it, or the default."""
    written, zone = keys.publish_at, keys.zone
    if written is None:
        if zone is not None:
            told = ("zone", "belongs to a time, and there is none.", "Write publish_at as well.")
            raise _rejected(name, [told])
        return None
    try:
        if isinstance(written, str):
            return moments.moment(written, zone, default)
        return moments.meant(written, zone, default)
    except Rejected as refused:
        told = ("publish_at", f"cannot be used: {refused.message}", refused.remedy)
        raise _rejected(name, [told]) from None


def _told(detail: ErrorDetails) -> tuple[str, str, str]:
    """Key, what is wrong with it, what to do."""
    key = ".".join(str(part) for part in detail["loc"][:2] if not str(part).startswith("function"))
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "sidecar":
        return key, str(context["message"]), str(context["remedy"])
    if kind == "extra_forbidden":
        meant = _nearest(key)
        known = f'Did you mean "{meant}"?' if meant else f"Known are: {', '.join(KEYS)}."
        return key, "is not known.", known
    if kind == "too_long":
        return key, f"has too many: {context['max_length']} are allowed.", "Leave some out."
    if kind in {"bool_type", "bool_parsing"}:
        return key, "is neither true nor false.", "Write true or false, without quotes."
    if kind == "list_type":
        return key, "is no list.", 'Write it in brackets, like ["some.one"].'
    return key, "is not of the kind that is wanted.", "See the page on files and folders."


def _nearest(key: str) -> str | None:
    word = key[:64].lower().replace("-", "_").replace(" ", "_")
    known = [*KEYS, *_MEANT]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return _MEANT.get(near[0], near[0]) if near else None


def _rejected(name: str, problems: list[tuple[str, str, str]]) -> Rejected:
    told = [f'"{shown(key)}" {shown(message, 300)}' for key, message, _ in problems[:_TOLD]]
    more = f" And {len(problems) - _TOLD} more." if len(problems) > _TOLD else ""
    remedies = dict.fromkeys(shown(remedy, 300) for _, _, remedy in problems[:_TOLD])
    return Rejected(
        f"{shown(name)}: {' '.join(told)}{more}",
        remedy=f"{' '.join(remedies)} Then put both files back.",
        code="sidecar",
        handling=Handling.HOLD,
        file=shown(name),
        keys=[shown(key) for key, _, _ in problems[:_TOLD]],
    )

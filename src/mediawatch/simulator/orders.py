"""What ``POST /{ig-user}/media`` asks for, read from its parameters and checked.

Source: the parameter table of Meta's "IG User Media" page. A parameter that the page does not
allow for a kind of media is refused, though Meta may let some of them pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .containers import Details, Kind
from .judge import judge_text
from .refusals import Refusal, invalid

MAX_TAGS, MAX_COLLABORATORS = 20, 3
_LEAST_CHILDREN, _MOST_CHILDREN = 2, 10
_TYPES = {"", "IMAGE", "VIDEO", "REELS", "STORIES", "CAROUSEL"}
_PICTURES = {"image", "carousel image"}
#: Which parameter goes with which form of media; those that are not here go with each.
_FITS = {
    "alt_text": _PICTURES,
    "location_id": {"image", "reel", "story", "carousel"},
    "user_tags": {"image", "reel", "story", "carousel image"},
    "collaborators": {"image", "reel", "carousel"},
    "share_to_feed": {"reel", "carousel"},
    "cover_url": {"reel"},
    "thumb_offset": {"reel", "carousel video"},
    "audio_name": {"reel"},
    "is_ai_generated": {"image", "reel", "story", "carousel"},
}


@dataclass(frozen=True, slots=True)
class Order:
    """A container to be made. An address is empty if there is none."""

    kind: Kind
    is_video: bool
    details: Details
    image_url: str = ""
    video_url: str = ""
    cover_url: str = ""
    resumable: bool = False
    children: tuple[str, ...] = ()

    @property
    def uris(self) -> tuple[str, ...]:
        """Where its media is to come from."""
        return tuple(filter(None, (self.image_url, self.video_url, self.cover_url)))


def read_order(params: Mapping[str, str], *, is_location: Callable[[str], bool]) -> Order:
    """The order in the parameters of a call.

    ``is_location`` knows which Page ids are places. Raises Refusal: 100/2207023 for a type that
    is not there or not taken alone, 100/2207028 for a carousel of the wrong size, 100/2207040,
    36004 or 100 for words and tags, 1/2207057 for a cover before the beginning.
    """
    kind, is_video = _kind(params)
    form = _form(kind, is_video=is_video)
    for name, forms in _FITS.items():
        if params.get(name) and form not in forms:
            raise invalid(f"The parameter {name} is not supported for a {form}.")
    order = Order(
        kind=kind,
        is_video=is_video,
        details=_details(params, form, is_location),
        image_url=params.get("image_url", ""),
        video_url=params.get("video_url", ""),
        cover_url=params.get("cover_url", ""),
        resumable=_is_resumable(params),
        children=tuple(_texts(params, "children")),
    )
    _require_media(order)
    return order


def is_child(params: Mapping[str, str]) -> bool:
    """Whether the call asks for one item of a carousel."""
    return _is_true(params.get("is_carousel_item", ""))


def _kind(params: Mapping[str, str]) -> tuple[Kind, bool]:
    """What becomes of the container, and whether a video is to come into it."""
    media_type = params.get("media_type", "")
    moves = bool(params.get("video_url")) or _is_resumable(params)
    if media_type not in _TYPES:
        raise Refusal(100, 2207023, kind=media_type)
    if is_child(params):
        if media_type in {"REELS", "STORIES", "CAROUSEL"}:
            raise invalid(f"media_type {media_type} cannot be an item of a carousel.")
        return Kind.CHILD, media_type == "VIDEO" or (moves and media_type == "")
    match media_type:
        case "REELS":
            return Kind.REEL, True
        case "STORIES":
            return Kind.STORY, moves
        case "CAROUSEL":
            return Kind.CAROUSEL, False
        case _ if media_type == "VIDEO" or (moves and not params.get("image_url")):
            raise Refusal(100, 2207023, kind="VIDEO")  # since 2023-11-09: a lone one is a reel
        case _:
            return Kind.IMAGE, False


def _form(kind: Kind, *, is_video: bool) -> str:
    if kind is Kind.CHILD:
        return "carousel video" if is_video else "carousel image"
    return kind.value.lower()


def _require_media(order: Order) -> None:
    """There must be exactly one source, of the right sort."""
    if order.kind is Kind.CAROUSEL:
        if not _LEAST_CHILDREN <= len(order.children) <= _MOST_CHILDREN:
            raise Refusal(100, 2207028)
        return
    if order.is_video and not order.resumable and not order.video_url:
        raise invalid("The parameter video_url is required.")
    if not order.is_video and not order.image_url:
        raise invalid("The parameter image_url is required.")
    if sum((bool(order.image_url), bool(order.video_url), order.resumable)) > 1:
        raise invalid("Only one of image_url, video_url and upload_type=resumable may be given.")


def _details(params: Mapping[str, str], form: str, is_location: Callable[[str], bool]) -> Details:
    caption = params.get("caption", "")
    judge_text(caption, params.get("alt_text", ""))
    location = params.get("location_id", "")
    if location and not is_location(location):
        raise invalid("INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID")
    collaborators = tuple(_texts(params, "collaborators"))
    if len(collaborators) > MAX_COLLABORATORS:
        raise invalid(f"Param collaborators must have at most {MAX_COLLABORATORS} usernames.")
    shared = params.get("share_to_feed", "true")
    return Details(
        caption=caption if form in {"image", "reel", "carousel"} else "",
        alt_text=params.get("alt_text", ""),
        location_id=location,
        user_tags=_user_tags(params.get("user_tags", ""), form),
        collaborators=collaborators,
        share_to_feed=_is_true(shared) if form == "reel" else None,
        thumb_offset=_offset(params.get("thumb_offset", "")),
        audio_name=params.get("audio_name", ""),
    )


def _offset(text: str) -> int:
    try:
        offset = int(text or "0")
    except ValueError:
        raise invalid("Param thumb_offset must be an integer") from None
    if offset < 0:
        raise Refusal(1, 2207057)
    return offset


def _user_tags(text: str, form: str) -> tuple[dict[str, Any], ...]:
    """The people in a picture, each where it stands; a place has no meaning in a video."""
    tags = _json_list(text, "user_tags") if text else []
    if len(tags) > MAX_TAGS:
        raise Refusal(100, 2207040, limit=MAX_TAGS)
    for tag in tags:
        if not isinstance(tag, dict) or not isinstance(tag.get("username"), str):
            raise invalid("Param user_tags must be an array of objects with a username.")
        place = [tag[axis] for axis in ("x", "y") if tag.get(axis) is not None]
        if len(place) != 2 and (place or form in _PICTURES):
            raise invalid("Param user_tags needs x and y for a photo.")
        if place and form == "reel":
            raise invalid("Param user_tags has no x and y for a video.")
        if not all(_is_share(value) for value in place):
            raise invalid("Param user_tags: x and y must be from 0.0 to 1.0.")
    return tuple(tags)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _texts(params: Mapping[str, str], name: str) -> list[str]:
    """A list as Meta's pages show it: ``1,2`` or ``["1","2"]``."""
    text = params.get(name, "")
    if text.startswith("["):
        return [str(item) for item in _json_list(text, name)]
    return [part.strip() for part in text.split(",") if part.strip()]


def _json_list(text: str, name: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise invalid(f"Param {name} must be an array.")
    return found


def _is_true(text: str) -> bool:
    return text.lower() in {"true", "1"}


def _is_resumable(params: Mapping[str, str]) -> bool:
    return params.get("upload_type", "") == "resumable"

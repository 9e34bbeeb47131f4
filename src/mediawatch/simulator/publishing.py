"""The publishing endpoints: make a container, read it, publish it, read the quota."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from .faults import Rule, StatusCode
from .fetch import Fetcher
from .fields import requested
from .judge import judge_picture, judge_text
from .options import SimulatorOptions
from .refusals import Refusal, invalid
from .state import DAY, Container, Kind, Picture, State

_STATUS_TEXT = {
    StatusCode.IN_PROGRESS: "In Progress: Media is still being processed.",
    StatusCode.FINISHED: "Finished: Media has been uploaded and it is ready to be published.",
    StatusCode.PUBLISHED: "Published: Media has been successfully published.",
    StatusCode.ERROR: "Error: Media upload has failed with error code {subcode}",
    StatusCode.EXPIRED: "Expired: The container was not published within 24 hours.",
}
_KINDS = {
    "": Kind.IMAGE,
    "IMAGE": Kind.IMAGE,
    "CAROUSEL": Kind.CAROUSEL,
    "STORIES": Kind.STORY,
    "REELS": Kind.VIDEO,
    "VIDEO": Kind.VIDEO,
}


class Publishing:
    """The publishing endpoints over one state."""

    def __init__(self, options: SimulatorOptions, state: State, fetcher: Fetcher) -> None:
        self._options = options
        self._state = state
        self._fetcher = fetcher

    async def create(
        self, user: str, params: Mapping[str, str], rule: Rule | None
    ) -> dict[str, Any]:
        """``POST /{ig-user}/media``. A status rule forces how the container ends."""
        media_type = params.get("media_type", "")
        if media_type not in _KINDS:
            raise Refusal(100, 2207023, kind=media_type)
        judge_text(params.get("caption", ""), params.get("alt_text", ""))
        kind = _KINDS[media_type]
        if kind is Kind.VIDEO or params.get("video_url"):
            container = self._create_video(user, params)
        elif kind is Kind.CAROUSEL:
            container = self._create_carousel(user, params)
        else:
            if kind is Kind.IMAGE and params.get("is_carousel_item", "").lower() in {"true", "1"}:
                kind = Kind.CHILD
            container = await self._create_picture(user, kind, params)
        if rule is not None:
            container.forced = rule.status
            container.subcode = rule.subcode or container.subcode
        return {"id": container.id}

    async def _create_picture(self, user: str, kind: Kind, params: Mapping[str, str]) -> Container:
        uri = params.get("image_url", "")
        if not uri:
            raise invalid("The parameter image_url is required.")
        fetched = await self._fetcher.get(uri)
        width, height = await asyncio.to_thread(
            judge_picture, fetched.body, uri, any_shape=kind is Kind.STORY
        )
        picture = Picture(
            uri=uri,
            sha256=self._state.keep(fetched.body),
            size=len(fetched.body),
            width=width,
            height=height,
            content_type=fetched.content_type,
        )
        return self._state.create(
            user,
            kind,
            caption=params.get("caption", "") if kind is Kind.IMAGE else "",
            alt_text=params.get("alt_text", ""),
            pictures=(picture,),
        )

    def _create_video(self, user: str, params: Mapping[str, str]) -> Container:
        """Video is not simulated: as Meta does, it is taken, and refused by its status."""
        if not params.get("video_url"):
            raise invalid("The parameter video_url is required.")
        container = self._state.create(user, Kind.VIDEO, caption=params.get("caption", ""))
        container.forced, container.subcode = StatusCode.ERROR, 2207026
        return container

    def _create_carousel(self, user: str, params: Mapping[str, str]) -> Container:
        ids = _id_list(params.get("children", ""))
        if not 2 <= len(ids) <= 10:
            raise Refusal(100, 2207028)
        children = tuple(self._child(user, child_id) for child_id in ids)
        return self._state.create(
            user,
            Kind.CAROUSEL,
            caption=params.get("caption", ""),
            pictures=tuple(picture for child in children for picture in child.pictures),
            children=children,
        )

    def _child(self, user: str, child_id: str) -> Container:
        child = self._state.container_of(user, child_id)
        if child is None:
            raise Refusal(24, 2207006, id=child_id)
        if child.kind is not Kind.CHILD:
            raise invalid(f"{child_id} was not made with is_carousel_item=true")
        match child.status(self._options.clock()):
            case StatusCode.IN_PROGRESS:
                raise Refusal(9007, 2207027)
            case StatusCode.FINISHED:
                return child
            case _:
                raise Refusal(-2, 2207020)

    def read(
        self, container: Container, params: Mapping[str, str], rule: Rule | None
    ) -> dict[str, Any]:
        """``GET /{container}``. A status rule changes this one answer."""
        code = container.status(self._options.clock())
        subcode = container.subcode
        if rule is not None:
            code = rule.status or code
            subcode = rule.subcode or subcode
        known: dict[str, Any] = {
            "id": container.id,
            "status_code": str(code),
            "status": _STATUS_TEXT[code].format(subcode=subcode),
            "copyright_check_status": {"status": "not_started", "matches_found": False},
        }
        return requested(params.get("fields", "id"), known)

    def publish(self, user: str, params: Mapping[str, str]) -> dict[str, Any]:
        """``POST /{ig-user}/media_publish``: the one effect that cannot be taken back."""
        container_id = params.get("creation_id", "")
        if not container_id:
            raise invalid("The parameter creation_id is required.")
        container = self._state.container_of(user, container_id)
        if container is None:
            raise Refusal(24, 2207008, id=container_id)
        return {"id": self._state.publish(container).id}

    def limit(self, user: str, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /{ig-user}/content_publishing_limit``; ``since`` at most 24 hours back."""
        since = None
        if "since" in params:
            if not params["since"].isascii() or not params["since"].isdecimal():
                raise invalid("Param since must be a Unix timestamp")
            since = int(params["since"])
            # A minute of grace, as the request was under way.
            if since < self._options.clock() - DAY - 60:
                raise invalid("Param since must not be older than 24 hours")
        known: dict[str, Any] = {
            "quota_usage": self._state.usage(user, since),
            "config": {"quota_total": self._options.quota_total, "quota_duration": int(DAY)},
        }
        return {"data": [requested(params.get("fields", "quota_usage"), known)]}


def _id_list(text: str) -> list[str]:
    """Children as Meta's pages show them: ``1,2`` or ``["1","2"]``."""
    if text.startswith("["):
        try:
            return [str(item) for item in json.loads(text)]
        except ValueError:
            raise invalid("Param children must be an array of strings.") from None
    return [part.strip() for part in text.split(",") if part.strip()]

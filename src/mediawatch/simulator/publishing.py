"""The publishing endpoints: make a container, read it, publish it, read the quota."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .containers import DAY, Container, Kind, Picture, Upload
from .faults import Rule, StatusCode
from .fetch import Fetcher
from .fields import requested
from .judge import judge_picture
from .options import SimulatorOptions
from .orders import read_order
from .refusals import Refusal, invalid
from .state import State
from .videos import Videos

_STATUS_TEXT = {
    StatusCode.IN_PROGRESS: "In Progress: Media is still being processed.",
    StatusCode.FINISHED: "Finished: Media has been uploaded and it is ready to be published.",
    StatusCode.PUBLISHED: "Published: Media has been successfully published.",
    StatusCode.ERROR: "Error: Media upload has failed with error code {subcode}",
    StatusCode.EXPIRED: "Expired: The container was not published within 24 hours.",
}


class Publishing:
    """The publishing endpoints over one state."""

    def __init__(
        self, options: SimulatorOptions, state: State, fetcher: Fetcher, videos: Videos
    ) -> None:
        self._options = options
        self._state = state
        self._fetcher = fetcher
        self._videos = videos

    async def create(
        self, user: str, params: Mapping[str, str], here: str, rule: Rule | None
    ) -> dict[str, Any]:
        """``POST /{ig-user}/media``. A status rule forces how the container ends.

        Pictures are fetched before the answer, a video after it. ``here`` is the address of the
        simulator with the version of the call, where a resumable video is to be sent.
        """
        order = read_order(params, is_location=self._is_location)
        cover = await self._picture(order.cover_url, any_shape=True) if order.cover_url else None
        details = replace(order.details, cover=cover)
        if order.kind is Kind.CAROUSEL:
            children = tuple(self._child(user, child_id) for child_id in order.children)
            items = tuple(item for child in children for item in child.items)
            container = self._state.create(
                user, order.kind, details, items=items, children=children
            )
        elif order.is_video:
            upload = Upload(resumable=order.resumable)
            container = self._state.create(
                user, order.kind, details, uris=order.uris, upload=upload
            )
            if order.video_url:
                self._videos.fetch(container, order.video_url)
        else:
            picture = await self._picture(order.image_url, any_shape=order.kind is Kind.STORY)
            container = self._state.create(
                user, order.kind, details, uris=order.uris, items=(picture,)
            )
        if rule is not None:
            container.forced = rule.status
            container.subcode = rule.subcode or container.subcode
        if not order.resumable:
            return {"id": container.id}
        return {"id": container.id, "uri": f"{here}/{container.id}"}

    def _is_location(self, page_id: str) -> bool:
        known = self._options.locations
        return page_id.isascii() and page_id.isdecimal() if known is None else page_id in known

    async def _picture(self, uri: str, *, any_shape: bool) -> Picture:
        fetched = await self._fetcher.get(uri)
        width, height = await asyncio.to_thread(
            judge_picture, fetched.body, uri, any_shape=any_shape
        )
        return Picture(
            uri=uri,
            sha256=self._state.keep(fetched.body),
            size=len(fetched.body),
            width=width,
            height=height,
            content_type=fetched.content_type,
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
            "video_status": _video_status(container, code),
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


def _video_status(container: Container, code: StatusCode) -> dict[str, Any] | None:
    """How far a video has come; None for what is no video."""
    upload = container.upload
    if upload is None:
        return None
    phase = "complete" if upload.complete else "in_progress" if upload.received else "not_started"
    processing = "not_started"
    errors: list[dict[str, Any]] = []
    if code is StatusCode.ERROR:
        processing = "error"
        errors = [
            {
                "code": container.subcode,
                "message": _STATUS_TEXT[code].format(subcode=container.subcode),
            }
        ]
    elif upload.complete:
        processing = "in_progress" if code is StatusCode.IN_PROGRESS else "complete"
    return {
        "uploading_phase": {
            "status": phase,
            "bytes_transferred": upload.received,
            "source_file_size": upload.size,
            "errors": [],
        },
        "processing_phase": {"status": processing, "errors": errors},
    }

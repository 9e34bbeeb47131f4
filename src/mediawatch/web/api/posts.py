"""What may be asked of single posts over HTTP."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from mediawatch.actions import posts as actions
from mediawatch.clock import iso
from mediawatch.model.posts import Post, shown_as
from mediawatch.web.doors import DOORS

routes = web.RouteTableDef()


@routes.post("/api/v1/social/scheduled-posts/{id}/retry/")
async def retry(request: web.Request) -> web.Response:
    """Have a post tried again now."""
    doors = request.app[DOORS]
    post = await actions.retry(doors.journal, doors.clock, request.match_info["id"])
    doors.woken(post)
    return web.json_response(as_json(post))


@routes.post("/api/v1/social/cron/retry-failed/")
async def retry_failed(request: web.Request) -> web.Response:
    """Have every post tried again that is held, failed or parked."""
    doors = request.app[DOORS]
    retried = await actions.retry_all(doors.journal, doors.clock)
    for post in retried:
        doors.woken(post)
    return web.json_response({"retried": [as_json(post) for post in retried]})


def as_json(post: Post) -> dict[str, Any]:
    """A post as the API shows it."""
    return {
        "id": post.id,
        "name": post.name,
        "status": shown_as(post),
        "stage": post.stage.value,
        "state": post.state.value,
        "caption": post.caption,
        "reason": post.reason,
        "detail": post.detail,
        "remedy": post.remedy,
        "media_id": post.media_id,
        "permalink": post.permalink,
        "created_at": iso(post.created_at),
        "published_at": iso(post.published_at) if post.published_at else None,
        "wait_until": iso(post.wait_until) if post.wait_until else None,
    }

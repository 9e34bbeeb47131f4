"""What may be asked of single posts over HTTP."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from mediawatch.actions import posts as actions
from mediawatch.actions.again import publish_again
from mediawatch.clock import iso
from mediawatch.model.posts import Post, shown_as
from mediawatch.web.access import actor_of
from mediawatch.web.doors import DOORS, Doors

routes = web.RouteTableDef()


@routes.post("/api/v1/social/scheduled-posts/{id}/retry/")
async def retry(request: web.Request) -> web.Response:
    """Have a post tried again now."""
    doors, actor = request.app[DOORS], actor_of(request)
    prefix = request.match_info["id"]
    return _moved(doors, await actions.retry(doors.journal, doors.clock, actor, prefix))


@routes.post("/api/v1/social/scheduled-posts/{id}/confirm/")
async def confirm(request: web.Request) -> web.Response:
    """A person looked: the post is on Instagram."""
    doors, actor = request.app[DOORS], actor_of(request)
    prefix, media_id = request.match_info["id"], request.query.get("media")
    post = await actions.confirm(doors.journal, doors.clock, actor, prefix, media_id)
    return _moved(doors, post)


@routes.post("/api/v1/social/scheduled-posts/{id}/deny/")
async def deny(request: web.Request) -> web.Response:
    """A person looked: the post is not on Instagram."""
    doors, actor = request.app[DOORS], actor_of(request)
    prefix, quiet = request.match_info["id"], doors.settings.publish.doubtful_for
    post = await actions.deny(doors.journal, doors.clock, actor, prefix, quiet=quiet)
    return _moved(doors, post)


@routes.post("/api/v1/social/scheduled-posts/{id}/publish-now/")
async def publish_now(request: web.Request) -> web.Response:
    """Publish a post now; with ``?again=true`` also one that is published already."""
    doors, prefix, actor = request.app[DOORS], request.match_info["id"], actor_of(request)
    if request.query.get("again") == "true":
        inboxes = doors.settings.inboxes
        again = await publish_again(doors.journal, doors.clock, actor, prefix, inboxes)
        return _moved(doors, again)
    return _moved(doors, await actions.publish_now(doors.journal, doors.clock, actor, prefix))


@routes.post("/api/v1/social/cron/retry-failed/")
async def retry_failed(request: web.Request) -> web.Response:
    """Have every post tried again that is held, failed or parked."""
    doors = request.app[DOORS]
    retried = await actions.retry_all(doors.journal, doors.clock, actor_of(request))
    for post in retried:
        doors.woken(post)
    return web.json_response({"retried": [as_json(post) for post in retried]})


def _moved(doors: Doors, post: Post) -> web.Response:
    doors.woken(post)
    return web.json_response(as_json(post))


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

"""How a page comes to be: a template, who looks at it, and what went wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from markupsafe import Markup

from mediawatch import __version__
from mediawatch.errors import MediawatchError
from mediawatch.model.people import Right
from mediawatch.web.access import ACTOR, ENTERED, is_page
from mediawatch.web.refusals import STATUS

STATIC = Path(__file__).parent.parent / "static"


def set_up_pages(app: web.Application) -> None:
    """Templates for the application, escaped by default."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("mediawatch.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["moment"] = _moment
    environment.globals["version"] = __version__


def page(
    request: web.Request, template: str, facts: Mapping[str, Any] | None = None, status: int = 200
) -> web.Response:
    """The page, with who looks at it."""
    actor = request.get(ACTOR)
    known = {
        "actor": actor,
        "is_admin": actor is not None and actor.may(Right.ADMIN),
        "logged_in": request.get(ENTERED) is not None,
        "path": request.path,
        "told": "",
        "problem": None,
        **(facts or {}),
    }
    return aiohttp_jinja2.render_template(template, request, known, status=status)


@web.middleware
async def errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What went wrong with a page is told on a page, to a browser."""
    browser = "text/html" in request.headers.get(hdrs.ACCEPT, "")
    if not browser or not is_page(request.path):
        return await handler(request)
    try:
        return await handler(request)
    except MediawatchError as error:
        status = STATUS.get(error.code, 503)
        return page(request, "problem.html", {"problem": error}, status)
    except web.HTTPNotFound:
        nothing = MediawatchError(f"There is no page {request.path}.", remedy="Begin at the start.")
        return page(request, "problem.html", {"problem": nothing}, 404)


def _moment(at: float | None) -> str:
    """A time for people; the zone is said on every page."""
    if at is None:
        return "never"
    told = dt.datetime.fromtimestamp(at, dt.UTC)
    shown = f"{told:%Y-%m-%d %H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(told.isoformat("T", "seconds"), shown)

"""What every request passes: only this machine, no web page of somebody else, one error form."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from mediawatch.config.values import is_loopback
from mediawatch.errors import MediawatchError
from mediawatch.web.doors import DOORS

_STATUS = {
    "no-such-post": 404,
    "no-such-account": 404,
    "no-such-user": 404,
    "bad-request": 400,
    "not-allowed": 403,
    "not-possible": 409,
    "already-running": 409,
    "not-connected": 409,
    "account-in-settings": 409,
    "account-taken": 409,
    "token-not-refreshed": 409,
    "choose-account": 409,
    "token-refused": 409,
    "token": 409,
    "permission": 409,
    "personal-account": 409,
    "missing-permissions": 409,
    "page-role": 409,
    "no-linked-account": 409,
}


def refusal(status: int, code: str, message: str, remedy: str) -> web.Response:
    """The one form of an error: code, message, remedy, details."""
    body = {"error": {"code": code, "message": message, "remedy": remedy, "details": {}}}
    return web.json_response(body, status=status)


@web.middleware
async def this_machine_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that are not loopback, and pages of other origins.

    A page in the owner's browser can send requests to loopback, or have its own name resolve to
    it; neither may drive the daemon.
    """
    if not is_loopback(_host_of(f"//{request.host}")):
        return refusal(
            403,
            "foreign-host",
            f"This address is not called {request.host}.",
            "Use http://localhost or http://127.0.0.1.",
        )
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if (origin is not None and not _is_of(origin, request.host)) or site not in {
        "same-origin",
        "none",
    }:
        return refusal(
            403,
            "foreign-origin",
            "A page of another site may not use this API.",
            "Call it from this machine: with curl, a script, or its own pages.",
        )
    return await handler(request)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error in the one form; a mistake of ours is logged, and told without its insides."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = refusal(
            error.status,
            error.reason.lower().replace(" ", "-"),
            f"{request.method} {request.path}: {error.reason}.",
            "The addresses are in the reference, docs/reference/http-api.md.",
        )
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except MediawatchError as error:
        return web.json_response({"error": error.as_dict()}, status=_STATUS.get(error.code, 503))
    except Exception as error:  # a mistake of ours must not show its insides
        request.app[DOORS].log.error(
            f"A mistake in mediawatch broke {request.method} {request.path}.",
            action="crash",
            exc_info=error,
        )
        return refusal(
            500, "bug", "A mistake in mediawatch itself.", "Please report it with the log."
        )


def _is_of(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:  # no address at all
        return False


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""

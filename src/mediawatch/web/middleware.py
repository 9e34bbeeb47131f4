"""Every error in one form, for programs and on pages."""

from __future__ import annotations

import math

from aiohttp import web
from aiohttp.typedefs import Handler

from mediawatch.errors import MediawatchError
from mediawatch.web.doors import DOORS
from mediawatch.web.refusals import STATUS, refusal


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A mistake of ours is logged, and told without its insides."""
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
        told = web.json_response({"error": error.as_dict()}, status=STATUS.get(error.code, 503))
        if error.retry_after is not None:
            told.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return told
    except Exception as error:  # a mistake of ours must not show its insides
        request.app[DOORS].log.error(
            f"A mistake in mediawatch broke {request.method} {request.path}.",
            action="crash",
            exc_info=error,
        )
        return refusal(
            500, "bug", "A mistake in mediawatch itself.", "Please report it with the log."
        )

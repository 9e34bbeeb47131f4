"""The parameters of a request, wherever they stand."""

from __future__ import annotations

import json

from aiohttp import web

from .refusals import invalid


async def parameters(request: web.Request) -> dict[str, str]:
    """Query and body as one; a form, multipart or JSON. Lists in JSON stay JSON text."""
    params = dict(request.query)
    if request.method != "POST":
        return params
    if request.content_type == "application/json":
        try:
            document = json.loads(await request.text() or "{}")
        except ValueError:
            raise invalid("The body is not valid JSON") from None
        if not isinstance(document, dict):
            raise invalid("The body must be a JSON object")
        return params | {name: _as_text(value) for name, value in document.items()}
    return params | {k: v for k, v in (await request.post()).items() if isinstance(v, str)}


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)

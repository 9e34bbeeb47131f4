"""What a client gets in place of its answer when a rule says so."""

from __future__ import annotations

from aiohttp import web

from .faults import Do, Rule
from .refusals import Refusal

BEFORE = {Do.ERROR, Do.DROP_BEFORE, Do.HTML_500, Do.BODY}
AFTER = {Do.ERROR_AFTER, Do.DROP_AFTER, Do.HTML_500_AFTER, Do.BODY_AFTER}
_HTML_500 = (
    "<!DOCTYPE html><html><head><title>Error</title></head>"
    "<body><h1>Sorry, something went wrong.</h1></body></html>"
)


def spoiled(request: web.Request, rule: Rule) -> web.Response:
    """The answer that the rule wants. Raises Refusal for one that is an error of Graph."""
    if rule.do in {Do.DROP_BEFORE, Do.DROP_AFTER, Do.DROP_WITHIN}:
        return cut(request)
    if rule.do in {Do.HTML_500, Do.HTML_500_AFTER}:
        return web.Response(text=_HTML_500, status=500, content_type="text/html")
    if rule.do in {Do.BODY, Do.BODY_AFTER}:
        return web.Response(text=rule.text, status=rule.http or 200, content_type="text/html")
    raise Refusal(rule.code, rule.subcode, http=rule.http, message=rule.message)


def cut(request: web.Request) -> web.Response:
    """Cut the connection; the answer given is for nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()

"""The door of the Graph API: token, parameters, dispatch, scripted faults, envelope, headers."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .faults import Do, Endpoint, Faults, Rule
from .options import SimulatorOptions
from .publishing import Publishing
from .reading import Reading
from .refusals import Refusal, invalid, missing
from .state import State

_VERSION = re.compile(r"v\d+\.\d+")
_NEWEST = "v25.0"
_BEFORE = {Do.ERROR, Do.DROP_BEFORE, Do.HTML_500, Do.BODY}
_AFTER = {Do.ERROR_AFTER, Do.DROP_AFTER, Do.HTML_500_AFTER, Do.BODY_AFTER}
_HTML_500 = (
    "<!DOCTYPE html><html><head><title>Error</title></head>"
    "<body><h1>Sorry, something went wrong.</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that found its endpoint. ``run`` has the effect and gives the JSON answer."""

    endpoint: Endpoint
    subject: str
    run: Callable[[Rule | None], Awaitable[dict[str, Any]]]


class Graph:
    """Answers every Graph request of one simulator."""

    def __init__(
        self, options: SimulatorOptions, state: State, publishing: Publishing, faults: Faults
    ) -> None:
        self._options = options
        self._state = state
        self._publishing = publishing
        self._reading = Reading(state)
        self.faults = faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, from token check to headers."""
        self._state.calls += 1
        parts = [part for part in request.path.split("/") if part]
        version = parts.pop(0) if parts and _VERSION.fullmatch(parts[0]) else _NEWEST
        try:
            params = await _parameters(request)
            params["access_token"] = self._check_token(request, params)
            call = self._find(request, parts, params)
            self._state.asked[call.endpoint] += 1
            answer = await self._perform(request, call)
        except Refusal as refusal:
            answer = web.json_response(refusal.envelope(), status=refusal.http)
            if refusal.code == 190:
                answer.headers["WWW-Authenticate"] = (
                    f'OAuth "Facebook Platform" "invalid_token" "{refusal.message}"'
                )
        answer.headers["facebook-api-version"] = version
        answer.headers.update(self._usage_headers(parts))
        answer.headers.update(self.faults.scenario.headers)
        return answer

    def _check_token(self, request: web.Request, params: Mapping[str, str]) -> str:
        """The token of the request, wherever it stands."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"}:
            token = params.get("access_token", "")
        token, wanted = token.strip(), self._options.token
        fits = bool(token) if wanted is None else hmac.compare_digest(_raw(token), _raw(wanted))
        if not fits:
            raise Refusal(190)
        return token

    def _find(self, request: web.Request, parts: list[str], params: Mapping[str, str]) -> Call:
        match request.method, parts:
            case "GET", [node]:
                return self._find_node(node, params, self._base(request))
            case "GET", [node, "media" | "stories" | "content_publishing_limit" as edge]:
                return self._find_read(request, self._user(node, "get"), edge, params)
            case "POST", [node, "media"]:
                user = self._user(node, "post")

                async def create(rule: Rule | None) -> dict[str, Any]:
                    return await self._publishing.create(user, params, rule)

                subject = f"{params.get('caption', '')}\n{params.get('image_url', '')}"
                return Call(Endpoint.CREATE, subject, create)
            case "POST", [node, "media_publish"]:
                return self._find_publish(self._user(node, "post"), params)
            case _:
                raise Refusal(2500, path="/" + "/".join(parts))

    def _find_node(self, node: str, params: Mapping[str, str], base: str) -> Call:
        if container := self._state.containers.get(node):

            async def status(rule: Rule | None) -> dict[str, Any]:
                return self._publishing.read(container, params, rule)

            return Call(Endpoint.STATUS, container.subject, status)
        if media := self._state.media.get(node):

            async def permalink(_: Rule | None) -> dict[str, Any]:
                return self._reading.media(media, params, base)

            return Call(Endpoint.PERMALINK, media.container.subject, permalink)
        user = self._user(node, "get")

        async def account(_: Rule | None) -> dict[str, Any]:
            return self._reading.user(user, params)

        return Call(Endpoint.USER, user, account)

    def _find_read(
        self, request: web.Request, user: str, edge: str, params: Mapping[str, str]
    ) -> Call:
        base = self._base(request)
        here = f"{base}{request.path}"

        async def limit(_: Rule | None) -> dict[str, Any]:
            return self._publishing.limit(user, params)

        async def listing(_: Rule | None) -> dict[str, Any]:
            return self._reading.listing(user, params, base, here=here)

        async def stories(_: Rule | None) -> dict[str, Any]:
            return self._reading.listing(user, params, base, here=here, stories=True)

        if edge == "media":
            return Call(Endpoint.LISTING, user, listing)
        if edge == "stories":
            return Call(Endpoint.STORIES, user, stories)
        return Call(Endpoint.LIMIT, user, limit)

    def _find_publish(self, user: str, params: Mapping[str, str]) -> Call:
        container = self._state.container_of(user, params.get("creation_id", ""))
        if container is not None:
            self._state.note_publish_call(container)

        async def publish(_: Rule | None) -> dict[str, Any]:
            return self._publishing.publish(user, params)

        return Call(Endpoint.PUBLISH, container.subject if container else "", publish)

    async def _perform(self, request: web.Request, call: Call) -> web.Response:
        rule = self.faults.pick(call.endpoint, call.subject)
        if rule is None:
            return web.json_response(await call.run(None))
        if rule.do in _BEFORE:
            return _spoiled(request, rule)
        if rule.do is Do.DELAY_EFFECT:
            await self._options.sleep(rule.seconds)
        answer = await call.run(rule if rule.do is Do.STATUS else None)
        if rule.do in _AFTER:
            return _spoiled(request, rule)
        if rule.do is Do.DELAY:
            await self._options.sleep(rule.seconds)
        return web.json_response(answer)

    def _user(self, node: str, verb: str) -> str:
        if node == "me":
            return self._options.users[0]
        if node not in self._options.users:
            raise missing(node, verb)
        return node

    def _base(self, request: web.Request) -> str:
        return self._options.public_url.rstrip("/") or str(request.url.origin())

    def _usage_headers(self, parts: list[str]) -> dict[str, str]:
        percent = self.faults.scenario.usage
        used = {"call_count": percent, "total_cputime": percent, "total_time": percent}
        user = parts[0] if parts and parts[0] in self._options.users else self._options.users[0]
        row = {"type": "instagram", **used, "estimated_time_to_regain_access": 0}
        return {
            "X-App-Usage": json.dumps(used),
            "X-Business-Use-Case-Usage": json.dumps({user: [row]}),
        }


async def _parameters(request: web.Request) -> dict[str, str]:
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


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _spoiled(request: web.Request, rule: Rule) -> web.Response:
    """What the client gets instead of the answer."""
    if rule.do in {Do.DROP_BEFORE, Do.DROP_AFTER}:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if rule.do in {Do.HTML_500, Do.HTML_500_AFTER}:
        return web.Response(text=_HTML_500, status=500, content_type="text/html")
    if rule.do in {Do.BODY, Do.BODY_AFTER}:
        return web.Response(text=rule.text, status=rule.http or 200, content_type="text/html")
    raise Refusal(rule.code, rule.subcode, http=rule.http, message=rule.message)

"""The door of the Graph API: token, parameters, dispatch, scripted faults, envelope, headers."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .commenting import Commenting
from .faults import Do, Endpoint, Faults, Rule
from .identity import Identity
from .options import SimulatorOptions
from .orders import is_child
from .publishing import Publishing
from .reading import Reading
from .refusals import Refusal, invalid, missing
from .spoiling import AFTER, BEFORE, spoiled
from .state import State

_VERSION = re.compile(r"v\d+\.\d+")
_NEWEST = "v25.0"


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
        self._identity = Identity(options, state)
        self._commenting = Commenting(state)
        self.faults = faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, from token check to headers."""
        self._state.calls += 1
        parts = [part for part in request.path.split("/") if part]
        version = parts.pop(0) if parts and _VERSION.fullmatch(parts[0]) else _NEWEST
        try:
            params = await _parameters(request)
            params["access_token"] = self._check_token(request, params)
            call = self._find(request, version, parts, params)
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
        token = token.strip()
        if not self._options.admits(token):
            raise Refusal(190)
        return token

    def _find(
        self, request: web.Request, version: str, parts: list[str], params: Mapping[str, str]
    ) -> Call:
        match request.method, parts:
            case "GET", ["debug_token"] | ["me", "permissions" | "accounts"]:
                return self._find_identity(parts[-1], params)
            case "GET", [node]:
                return self._find_node(node, params, self._base(request))
            case "GET", [node, "media" | "stories" | "content_publishing_limit" as edge]:
                return self._find_read(request, self._user(node, "get"), edge, params)
            case "GET", [node, "comments"]:
                return self._find_comments(request, node, params)
            case "POST", [node, "comments"]:
                return self._find_comment(node, params)
            case "POST", [node, "media"]:
                upload = f"{self._base(request)}/ig-api-upload/{version}"
                return self._find_create(self._user(node, "post"), params, upload)
            case "POST", [node, "media_publish"]:
                return self._find_publish(self._user(node, "post"), params)
            case _:
                raise Refusal(2500, path="/" + "/".join(parts))

    def _find_identity(self, asked: str, params: Mapping[str, str]) -> Call:
        person = self.faults.scenario.person

        async def permissions(_: Rule | None) -> dict[str, Any]:
            return self._identity.permissions(person)

        async def pages(_: Rule | None) -> dict[str, Any]:
            return self._identity.pages(person, params)

        async def debug(_: Rule | None) -> dict[str, Any]:
            return self._identity.debug(person, params)

        if asked == "permissions":
            return Call(Endpoint.PERMISSIONS, "me", permissions)
        if asked == "accounts":
            return Call(Endpoint.PAGES, "me", pages)
        return Call(Endpoint.DEBUG_TOKEN, "me", debug)

    def _find_create(self, user: str, params: Mapping[str, str], upload: str) -> Call:
        async def create(rule: Rule | None) -> dict[str, Any]:
            return await self._publishing.create(user, params, upload, rule)

        endpoint = Endpoint.CREATE_CHILD if is_child(params) else Endpoint.CREATE
        named = ("caption", "image_url", "video_url", "cover_url")
        return Call(endpoint, "\n".join(params.get(name, "") for name in named), create)

    def _find_comment(self, node: str, params: Mapping[str, str]) -> Call:
        media = self._state.media.get(node)
        if media is None:
            raise missing(node, "post")

        async def comment(_: Rule | None) -> dict[str, Any]:
            return self._commenting.write(media, params)

        subject = f"{params.get('message', '')}\n{media.container.subject}"
        return Call(Endpoint.COMMENT, subject, comment)

    def _find_comments(self, request: web.Request, node: str, params: Mapping[str, str]) -> Call:
        media = self._state.media.get(node)
        if media is None:
            raise missing(node, "get")
        here = f"{self._base(request)}{request.path}"

        async def comments(_: Rule | None) -> dict[str, Any]:
            return self._commenting.listing(media, params, here=here)

        return Call(Endpoint.COMMENTS, media.container.subject, comments)

    def _find_node(self, node: str, params: Mapping[str, str], base: str) -> Call:
        if container := self._state.containers.get(node):

            async def status(rule: Rule | None) -> dict[str, Any]:
                return self._publishing.read(container, params, rule)

            return Call(Endpoint.STATUS, container.subject, status)
        if media := self._state.media.get(node):

            async def permalink(_: Rule | None) -> dict[str, Any]:
                return self._reading.media(media, params, base)

            return Call(Endpoint.PERMALINK, media.container.subject, permalink)
        if node in self._state.comments:

            async def comment(_: Rule | None) -> dict[str, Any]:
                return self._commenting.read(node, params)

            return Call(Endpoint.COMMENTS, self._state.comments[node][1].text, comment)
        user = self._user(node, "get")

        async def account(_: Rule | None) -> dict[str, Any]:
            return self._reading.user(user, params, self.faults.scenario.person)

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
        if rule.do in BEFORE:
            return spoiled(request, rule)
        if rule.do is Do.DELAY_EFFECT:
            await self._options.sleep(rule.seconds)
        answer = await call.run(rule if rule.do is Do.STATUS else None)
        if rule.do in AFTER:
            return spoiled(request, rule)
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

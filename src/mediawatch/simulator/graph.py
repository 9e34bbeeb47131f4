"""The door of the Graph API: token, parameters, dispatch, scripted faults, envelope, headers."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .access import Holder, Need
from .commenting import Commenting
from .exchange import Exchange
from .faults import Do, Endpoint, Faults, Rule, Scenario
from .identity import Identity
from .options import SimulatorOptions
from .orders import is_child
from .parameters import parameters
from .people import Cast
from .publishing import Publishing
from .reading import Reading
from .refusals import Refusal, missing
from .spoiling import AFTER, BEFORE, spoiled
from .state import State

_VERSION = re.compile(r"v\d+\.\d+")
_NEWEST = "v25.0"
_IDENTITY = {
    "permissions": Endpoint.PERMISSIONS,
    "accounts": Endpoint.PAGES,
    "revoke": Endpoint.REVOKE,
    "debug_token": Endpoint.DEBUG_TOKEN,
}


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
        self._exchange = Exchange(options, state)
        self._commenting = Commenting(state)
        self.faults = faults

    def play(self, scenario: Scenario) -> None:
        """Put a scenario in place of the one at work; what was granted stays."""
        self.faults = Faults(scenario)
        self._state.cast = Cast(self._options.users, scenario.persons, scenario.apps)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, from token check to headers."""
        self._state.calls += 1
        parts = [part for part in request.path.split("/") if part]
        versioned = bool(parts) and _VERSION.fullmatch(parts[0]) is not None
        version = parts.pop(0) if versioned else _NEWEST
        try:
            params = await parameters(request)
            call = self._find_exchange(request, parts, versioned=versioned, params=params)
            if call is None:
                holder = self._holder(request, parts, params)
                call = self._find(request, version, parts, params, holder)
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

    def _holder(self, request: web.Request, parts: list[str], params: dict[str, str]) -> Holder:
        """Whose token the request carries, wherever it stands. Raises Refusal 190."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"}:
            text = params.get("access_token", "")
        text = params["access_token"] = text.strip()
        token = self._state.grants.good(text)
        if token is None and parts == ["debug_token"] and self._identity.is_app_token(text):
            return Holder(self._options, self._state, None)
        if token is None and not self._options.admits(text):
            raise Refusal(190)
        holder = Holder(self._options, self._state, token)
        holder.check_proof(params.get("appsecret_proof"))
        return holder

    def _find_exchange(
        self,
        request: web.Request,
        parts: list[str],
        *,
        versioned: bool,
        params: Mapping[str, str],
    ) -> Call | None:
        """What needs no token, for tokens are what it gives. Facebook's addresses have a version:
        by that the two logins are told apart here, where both have one host."""
        match request.method, parts:
            case "POST", ["oauth", "access_token"] if not versioned:
                work, endpoint = self._exchange.instagram, Endpoint.EXCHANGE
            case "GET" | "POST", ["oauth", "access_token"]:
                work, endpoint = self._exchange.facebook, Endpoint.EXCHANGE
            case "GET", ["access_token"]:
                work, endpoint = self._exchange.lengthen, Endpoint.EXCHANGE
            case "GET", ["refresh_access_token"]:
                work, endpoint = self._exchange.refresh, Endpoint.REFRESH
            case _:
                return None

        async def exchange(_: Rule | None) -> dict[str, Any]:
            return work(params)

        return Call(endpoint, params.get("grant_type", ""), exchange)

    def _find(
        self,
        request: web.Request,
        version: str,
        parts: list[str],
        params: Mapping[str, str],
        holder: Holder,
    ) -> Call:
        def user(node: str, verb: str, need: Need) -> str:
            return holder.account(node, verb, need)

        match request.method, parts:
            case "GET", ["debug_token"] | ["me", "permissions" | "accounts"]:
                return self._find_identity(request, parts[-1], params, holder)
            case "DELETE", ["me", "permissions"]:
                return self._find_identity(request, "revoke", params, holder)
            case "GET", [node]:
                return self._find_node(node, params, self._base(request), holder)
            case "GET", [node, "media" | "stories" as edge]:
                return self._find_read(request, user(node, "get", Need.BASIC), edge, params)
            case "GET", [node, "content_publishing_limit" as edge]:
                return self._find_read(request, user(node, "get", Need.PUBLISH), edge, params)
            case "GET", [node, "comments"]:
                return self._find_comments(request, node, params, holder)
            case "POST", [node, "comments"]:
                return self._find_comment(node, params, holder)
            case "POST", [node, "media"]:
                upload = f"{self._base(request)}/ig-api-upload/{version}"
                return self._find_create(user(node, "post", Need.PUBLISH), params, upload)
            case "POST", [node, "media_publish"]:
                return self._find_publish(user(node, "post", Need.PUBLISH), params)
            case _:
                raise Refusal(2500, path="/" + "/".join(parts))

    def _find_identity(
        self, request: web.Request, asked: str, params: Mapping[str, str], holder: Holder
    ) -> Call:
        person = self.faults.scenario.person
        here = f"{self._base(request)}{request.path}"

        async def run(_: Rule | None) -> dict[str, Any]:
            match asked:
                case "permissions":
                    return self._identity.permissions(holder, person)
                case "accounts":
                    return self._identity.pages(holder, person, params, here)
                case "revoke":
                    return self._identity.revoke(holder, params)
                case _:
                    return self._identity.debug(person, params)

        return Call(_IDENTITY[asked], "me", run)

    def _find_create(self, user: str, params: Mapping[str, str], upload: str) -> Call:
        async def create(rule: Rule | None) -> dict[str, Any]:
            return await self._publishing.create(user, params, upload, rule)

        endpoint = Endpoint.CREATE_CHILD if is_child(params) else Endpoint.CREATE
        named = ("caption", "image_url", "video_url", "cover_url")
        return Call(endpoint, "\n".join(params.get(name, "") for name in named), create)

    def _find_comment(self, node: str, params: Mapping[str, str], holder: Holder) -> Call:
        media = self._state.media.get(node)
        if media is None:
            raise missing(node, "post")
        holder.require(media.container.user, node, "post", Need.COMMENTS)

        async def comment(_: Rule | None) -> dict[str, Any]:
            return self._commenting.write(media, params)

        subject = f"{params.get('message', '')}\n{media.container.subject}"
        return Call(Endpoint.COMMENT, subject, comment)

    def _find_comments(
        self, request: web.Request, node: str, params: Mapping[str, str], holder: Holder
    ) -> Call:
        media = self._state.media.get(node)
        if media is None:
            raise missing(node, "get")
        holder.require(media.container.user, node, "get", Need.COMMENTS)
        here = f"{self._base(request)}{request.path}"

        async def comments(_: Rule | None) -> dict[str, Any]:
            return self._commenting.listing(media, params, here=here)

        return Call(Endpoint.COMMENTS, media.container.subject, comments)

    def _find_node(self, node: str, params: Mapping[str, str], base: str, holder: Holder) -> Call:
        if container := self._state.containers.get(node):
            holder.require(container.user, node, "get", Need.BASIC)

            async def status(rule: Rule | None) -> dict[str, Any]:
                return self._publishing.read(container, params, rule)

            return Call(Endpoint.STATUS, container.subject, status)
        if media := self._state.media.get(node):
            holder.require(media.container.user, node, "get", Need.BASIC)

            async def permalink(_: Rule | None) -> dict[str, Any]:
                return self._reading.media(media, params, base)

            return Call(Endpoint.PERMALINK, media.container.subject, permalink)
        if node in self._state.comments:
            said_below = self._state.comments[node][0].container.user
            holder.require(said_below, node, "get", Need.COMMENTS)

            async def comment(_: Rule | None) -> dict[str, Any]:
                return self._commenting.read(node, params)

            return Call(Endpoint.COMMENTS, self._state.comments[node][1].text, comment)
        if (found := self._identity.node(holder, node, params)) is not None:

            async def page(_: Rule | None) -> dict[str, Any]:
                return found

            return Call(Endpoint.PAGE, node, page)
        user = holder.account(node, "get", Need.BASIC)

        async def account(_: Rule | None) -> dict[str, Any]:
            return self._reading.user(user, params, self.faults.scenario.person, holder)

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

    def _base(self, request: web.Request) -> str:
        return self._options.public_url.rstrip("/") or str(request.url.origin())

    def _usage_headers(self, parts: list[str]) -> dict[str, str]:
        percent = self.faults.scenario.usage
        used = {"call_count": percent, "total_cputime": percent, "total_time": percent}
        known = parts[0] if parts else ""
        user = known if known in self._state.cast.accounts else self._options.users[0]
        row = {"type": "instagram", **used, "estimated_time_to_regain_access": 0}
        return {
            "X-App-Usage": json.dumps(used),
            "X-Business-Use-Case-Usage": json.dumps({user: [row]}),
        }

"""One call to the Graph API: the token in a header, the answer typed, the exchange recorded."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from mediawatch import crash
from mediawatch.config import InstagramSettings
from mediawatch.errors import GraphProblem
from mediawatch.graph.errors import GraphError, GraphUnreachable, from_answer
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.proof import appsecret_proof
from mediawatch.graph.verdicts import Remedy
from mediawatch.metrics import Metrics
from mediawatch.model.accounts import Login

#: Longest answer that is read, in bytes. Meta's are a few kB.
MAX_ANSWER = 4 << 20
#: What stands in an answer where a secret was.
HIDDEN = b"(hidden)"
#: What Meta's tokens look like.
_ANY_TOKEN = re.compile(rb"\b(?:EAA|IGAA|IGQV)[0-9A-Za-z_-]{16,}")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, for the publishing log. Never holds a token."""

    endpoint: str
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None
    error: str | None
    http_status: int | None
    duration_ms: int
    #: What Meta's clock said, in the form of HTTP; empty if it did not.
    date: str = ""


Record = Callable[[Exchange], None]


def not_recorded(_: Exchange) -> None:
    """A call that belongs to no post, or whose answer holds tokens."""


#: For the account that a token is of, where that is not known yet (Meta: "me").
ANYBODY = "me"


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a call is made: the account, its token, who records the exchange, and the login that
    the token comes from, by which it is known where the call goes."""

    account_id: str
    token: SecretStr
    record: Record
    login: Login


@dataclass(frozen=True, slots=True)
class MetaApp:
    """Where the calls of one login go, and the secret of the app that its tokens were made for.

    ``address``: of the Graph API, without a version. With a ``secret`` each call carries
    ``appsecret_proof`` (Meta: Securing Graph API Calls).
    """

    address: str
    secret: SecretStr | None = None


def meta_apps(settings: InstagramSettings) -> dict[Login, MetaApp]:
    """As the settings have them, by login. Only the Facebook login is known to take a proof."""
    facebook = MetaApp(settings.base_url("facebook"), settings.app("facebook")[1])
    return {"facebook": facebook, "instagram": MetaApp(settings.base_url("instagram"))}


def _pass_answered(path: str) -> None:
    match path.rpartition("/")[2]:
        case "media_publish":
            crash.at("publish.answered")
        case "comments":
            crash.at("comment.answered")
        case "ig-api-upload":
            crash.at("video.sent")
        case _:
            crash.at("container.answered")


class GraphClient:
    """Calls of the Graph API, for every account and login: one client for all of them.

    ``apps``: by login. ``pacing`` is asked before and told after each call.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        apps: Mapping[Login, MetaApp],
        version: str,
        *,
        timeout: float,
        pacing: Pacing,
        wait: Any = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._session = session
        self.apps = apps
        self._version = version
        self._timeout = timeout
        self._pacing = pacing
        self._metrics = metrics or Metrics()
        self._wait = wait if wait is not None else wait_random_exponential(0.25, max=4.0)

    async def get(
        self, path: str, caller: Caller, params: Mapping[str, str], *, essential: bool = True
    ) -> dict[str, Any]:
        """A read. Repeated twice, with jitter, when the answer is lost or says "later".

        Raises GraphError, GraphUnreachable, and GraphPaused if Meta's limits leave no room.
        """
        return await self._repeatable("GET", path, caller, params, essential)

    async def post(self, path: str, caller: Caller, params: Mapping[str, str]) -> dict[str, Any]:
        """A write whose repetition harms nobody. Repeated as a read is; raises the same."""
        return await self._repeatable("POST", path, caller, params, True)

    async def post_once(
        self, path: str, caller: Caller, params: Mapping[str, str], *, timeout: float
    ) -> dict[str, Any]:
        """A write that is sent once, whatever comes of it.

        It is sent in any case: whether there is room for it is asked before its intent is
        written down. Raises GraphError and GraphUnreachable.
        """
        return await self._send("POST", path, caller, params, timeout)

    async def _repeatable(
        self,
        method: str,
        path: str,
        caller: Caller,
        params: Mapping[str, str],
        essential: bool,
    ) -> dict[str, Any]:
        tries = AsyncRetrying(
            retry=retry_if_exception(_passes),
            stop=stop_after_attempt(3),
            wait=self._wait,
            reraise=True,
        )

        async def send() -> dict[str, Any]:
            self._pacing.admit(caller.account_id, essential=essential)
            return await self._send(method, path, caller, params, self._timeout)

        return await tries(send)

    async def _send(
        self, method: str, path: str, caller: Caller, params: Mapping[str, str], timeout: float
    ) -> dict[str, Any]:
        exchange = self._exchange(method, path, caller, params, timeout)
        return await self.judge(method, path, caller, params, exchange)

    async def judge(
        self,
        method: str,
        path: str,
        caller: Caller,
        params: Mapping[str, str],
        exchange: Awaitable[Answer],
        *,
        address: str = "",
    ) -> dict[str, Any]:
        """Make an exchange and tell pacing, figures and log of it; the body of its answer.

        ``address``: of another host than this client's. Raises GraphError and GraphUnreachable.
        """
        started = time.perf_counter()
        answer: Answer | None = None
        problem: GraphProblem | None = None
        try:
            answer = await exchange
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = GraphUnreachable(
                f"No answer from {address or self.apps[caller.login].address}: "
                f"{why_unreachable(error)}.",
                remedy="Check the internet connection; mediawatch tries again by itself.",
            )
        else:
            self._pacing.learn(caller.account_id, answer.headers)
            if answer.status != 200 or says_no(answer.body):
                problem = from_answer(answer.status, answer.body, answer.challenge)
        if method == "POST":
            _pass_answered(path)
        status = answer.status if answer else None
        body = answer.body if answer and isinstance(answer.body, dict) else None
        self._metrics.graph_call(path, _outcome(status, problem))
        caller.record(
            Exchange(
                endpoint=f"{method} /{path}",
                request=dict(params),
                # The links to further pages carry the token.
                response=None if body is None else {k: body[k] for k in body if k != "paging"},
                error=problem.message if problem else None,
                http_status=status,
                duration_ms=round((time.perf_counter() - started) * 1000),
                date=answer.headers.get("Date", "") if answer else "",
            )
        )
        if isinstance(problem, GraphError) and caller.account_id != ANYBODY:
            # That one token is refused says nothing of the next that is tried.
            self._pacing.learn_refusal(caller.account_id, problem)
        if problem is not None or body is None:
            raise problem or AssertionError("an answer without a body is a problem")
        return body

    async def _exchange(
        self, method: str, path: str, caller: Caller, params: Mapping[str, str], timeout: float
    ) -> Answer:
        plain, app = caller.token.get_secret_value(), self.apps[caller.login]
        fields = dict(params)
        if path == "debug_token":
            fields["input_token"] = plain  # only here, so that no log ever holds it
        if app.secret is not None:
            fields["appsecret_proof"] = appsecret_proof(caller.token, app.secret)
        async with self._session.request(
            method,
            f"{app.address.rstrip('/')}/{self._version}/{path}",
            params=fields if method == "GET" else None,
            data=fields if method == "POST" else None,
            headers={"Authorization": f"Bearer {plain}"},
            timeout=aiohttp.ClientTimeout(total=timeout),
            allow_redirects=False,
        ) as answer:
            # Some of Meta's errors, and its links to further pages, repeat the token.
            return await read_answer(answer, [plain, fields.get("appsecret_proof", plain)])


async def read_answer(answer: aiohttp.ClientResponse, secrets: Sequence[str]) -> Answer:
    """The answer, read whole, with no secret left in it. Raises ClientPayloadError if it is long
    beyond measure."""
    text = await answer.content.read(MAX_ANSWER)
    while chunk := await answer.content.read(MAX_ANSWER):
        text += chunk
        if len(text) > MAX_ANSWER:
            raise aiohttp.ClientPayloadError("the answer is too long")
    challenge = answer.headers.get("WWW-Authenticate", "")
    for secret in (*secrets, *map(quote, secrets)):
        text = text.replace(secret.encode(), HIDDEN)
        challenge = challenge.replace(secret, HIDDEN.decode())
    if answer.status != 200:
        # An error may repeat any token, not only that of the call.
        text = _ANY_TOKEN.sub(HIDDEN, text)
    return Answer(answer.status, answer.headers, challenge, _parse(text))


def says_no(body: Any) -> bool:
    """Whether it is no success. What status a refusal of the upload host has is not documented."""
    if not isinstance(body, dict):
        return True
    return "error" in body or "debug_info" in body or body.get("success") is False


def _outcome(status: int | None, problem: GraphProblem | None) -> str:
    if problem is None:
        return "ok"
    return "no-answer" if status is None else "error"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body``: None if it is no JSON."""

    status: int
    headers: Mapping[str, str]
    challenge: str
    body: Any


def _parse(body: bytes) -> Any:
    text = body.decode("utf-8-sig", "replace")
    try:
        found = json.loads(text)
        if _HALF.search(text):
            # Half an emoji is no text: neither log nor journal nor a listing could hold it.
            whole = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
            found = json.loads(whole)
    except (ValueError, RecursionError):
        return None
    return found


def _passes(error: BaseException) -> bool:
    if isinstance(error, GraphUnreachable):
        return True
    return isinstance(error, GraphError) and error.verdict.kind is Remedy.RETRY


def why_unreachable(error: BaseException) -> str:
    """In a few words without any address, for an address may carry a secret."""
    if isinstance(error, asyncio.TimeoutError):
        return "it took too long"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or "no connection"
    return type(error).__name__

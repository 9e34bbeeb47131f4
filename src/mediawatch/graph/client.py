"""One call to the Graph API: the token in a header, the answer typed, the exchange recorded."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
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

from mediawatch.errors import GraphProblem, Handling
from mediawatch.graph.errors import GraphError, GraphUnreachable, from_answer
from mediawatch.metrics import Metrics

#: Longest answer that is read, in bytes. Meta's are a few kB.
MAX_ANSWER = 4 << 20
#: What stands in an answer where a secret was.
HIDDEN = b"(hidden)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, for the publishing log. Never holds a token."""

    endpoint: str
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None
    error: str | None
    http_status: int | None
    duration_ms: int


Record = Callable[[Exchange], None]


class GraphClient:
    """Calls of one Graph API host.

    ``base_url`` has no version. With an ``app_secret`` each call carries ``appsecret_proof``
    (Meta: Securing Graph API Calls).
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        version: str,
        *,
        timeout: float,
        app_secret: SecretStr | None = None,
        wait: Any = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._session = session
        self._base = f"{base_url.rstrip('/')}/{version}"
        self.address = base_url
        self._timeout = timeout
        self._app_secret = app_secret
        self._metrics = metrics or Metrics()
        self._wait = wait if wait is not None else wait_random_exponential(0.25, max=4.0)

    async def get(
        self, path: str, token: SecretStr, params: Mapping[str, str], record: Record
    ) -> dict[str, Any]:
        """A read. Repeated twice, with jitter, when the answer is lost or says "later"."""
        return await self._repeatable("GET", path, token, params, record)

    async def post(
        self, path: str, token: SecretStr, params: Mapping[str, str], record: Record
    ) -> dict[str, Any]:
        """A write whose repetition harms nobody. Repeated as a read is."""
        return await self._repeatable("POST", path, token, params, record)

    async def post_once(
        self,
        path: str,
        token: SecretStr,
        params: Mapping[str, str],
        record: Record,
        *,
        timeout: float,
    ) -> dict[str, Any]:
        """A write that is sent once, whatever comes of it."""
        return await self._send("POST", path, token, params, record, timeout)

    async def _repeatable(
        self,
        method: str,
        path: str,
        token: SecretStr,
        params: Mapping[str, str],
        record: Record,
    ) -> dict[str, Any]:
        tries = AsyncRetrying(
            retry=retry_if_exception(_passes),
            stop=stop_after_attempt(3),
            wait=self._wait,
            reraise=True,
        )
        return await tries(self._send, method, path, token, params, record, self._timeout)

    async def _send(
        self,
        method: str,
        path: str,
        token: SecretStr,
        params: Mapping[str, str],
        record: Record,
        timeout: float,
    ) -> dict[str, Any]:
        started = time.perf_counter()
        status: int | None = None
        body: Any = None
        problem: GraphProblem | None = None
        try:
            status, body = await self._exchange(method, path, token, params, timeout)
            if status != 200 or not isinstance(body, dict) or "error" in body:
                problem = from_answer(status, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = GraphUnreachable(
                f"No answer from {self.address}: {_why(error)}.",
                remedy="Check the internet connection; mediawatch tries again by itself.",
            )
        self._metrics.graph_call(path, _outcome(status, problem))
        record(
            Exchange(
                endpoint=f"{method} /{path}",
                request=dict(params),
                # The links to further pages carry the token.
                response={key: body[key] for key in body if key != "paging"}
                if isinstance(body, dict)
                else None,
                error=problem.message if problem else None,
                http_status=status,
                duration_ms=round((time.perf_counter() - started) * 1000),
            )
        )
        if problem is not None:
            raise problem
        answer: dict[str, Any] = body
        return answer

    async def _exchange(
        self, method: str, path: str, token: SecretStr, params: Mapping[str, str], timeout: float
    ) -> tuple[int, Any]:
        plain = token.get_secret_value()
        fields = dict(params)
        if self._app_secret is not None:
            key = self._app_secret.get_secret_value().encode()
            fields["appsecret_proof"] = hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()
        async with self._session.request(
            method,
            f"{self._base}/{path}",
            params=fields if method == "GET" else None,
            data=fields if method == "POST" else None,
            headers={"Authorization": f"Bearer {plain}"},
            timeout=aiohttp.ClientTimeout(total=timeout),
            allow_redirects=False,
        ) as answer:
            text = await answer.content.read(MAX_ANSWER)
            while chunk := await answer.content.read(MAX_ANSWER):
                text += chunk
                if len(text) > MAX_ANSWER:
                    raise aiohttp.ClientPayloadError("the answer is too long")
            # Some of Meta's errors, and its links to further pages, repeat the token.
            secrets = [plain, quote(plain), fields.get("appsecret_proof", plain)]
            for secret in secrets:
                text = text.replace(secret.encode(), HIDDEN)
            return answer.status, _parse(text)


def _outcome(status: int | None, problem: GraphProblem | None) -> str:
    if problem is None:
        return "ok"
    return "no-answer" if status is None else "error"


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _passes(error: BaseException) -> bool:
    if isinstance(error, GraphUnreachable):
        return True
    return isinstance(error, GraphError) and error.handling is Handling.RETRY


def _why(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "it took too long"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or "no connection"
    return type(error).__name__

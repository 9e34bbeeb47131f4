"""One call of a login's endpoints: what is secret in it stays out of every error.

Not ``GraphClient``: there is no account yet whose calls could be counted, a code must be sent once
only, and the answers are themselves secret, so nothing here is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr

from mediawatch.graph.client import HIDDEN, read_answer, says_no, why_unreachable
from mediawatch.graph.errors import GraphError, GraphUnreachable, from_answer
from mediawatch.graph.verdicts import Remedy, Verdict

#: Levels of an error that are kept; none of Meta's has more.
_DEEPEST = 3
#: A secret shorter than this is none, and hiding it would leave nothing to read.
_SHORTEST = 4


class Wire:
    """Calls of the hosts of one login. Each is sent once. ``app_secret`` is hidden in whatever
    comes back, sent or not."""

    def __init__(
        self, session: aiohttp.ClientSession, app_secret: SecretStr, *, timeout: float
    ) -> None:
        self._session = session
        self._app_secret = app_secret
        self._timeout = timeout

    async def call(
        self,
        method: str,
        address: str,
        fields: Mapping[str, str],
        *,
        bearer: str | None = None,
    ) -> dict[str, Any]:
        """The JSON object of the answer. Every field but plain words is taken for a secret.

        A ``POST`` carries its fields in the body, all else in the query. Raises GraphError, with
        a verdict on what is wrong with the login where Meta tells, and GraphUnreachable.
        """
        held = [value for name, value in fields.items() if name not in _PLAIN]
        held += [self._app_secret.get_secret_value(), bearer or ""]
        try:
            async with self._session.request(
                method,
                address,
                params=None if method == "POST" else fields,
                data=fields if method == "POST" else None,
                headers={"Authorization": f"Bearer {bearer}"} if bearer else None,
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                allow_redirects=False,
            ) as response:
                # Nothing is hidden in it yet: a refreshed token may be the one that was sent.
                answer = await read_answer(response, ())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise GraphUnreachable(
                f"No answer from {_host(address)}: {why_unreachable(error)}.",
                remedy="Check the internet connection, and try again.",
            ) from None  # what it carries names the address, and that a secret
        body = answer.body
        if answer.status == 200 and isinstance(body, dict) and not _refuses(body):
            return body
        found = from_answer(
            answer.status, _without(held, body), str(_without(held, answer.challenge))
        )
        raise _judged(found) if isinstance(found, GraphError) else found


#: Fields that may be shown.
_PLAIN = {"grant_type", "client_id", "redirect_uri", "fields", "limit", "after"}


def _refuses(body: dict[str, Any]) -> bool:
    return says_no(body) or "error_message" in body


def _host(address: str) -> str:
    return "/".join(address.split("/", 3)[:3])


def _without(held: list[str], value: Any, depth: int = _DEEPEST) -> Any:
    """The same with no secret left in it, and nothing deeper than errors go."""
    if isinstance(value, str):
        for secret in held:
            if len(secret) >= _SHORTEST:
                for written in (secret, quote(secret), quote(secret, safe="")):
                    value = value.replace(written, HIDDEN.decode())
        return value
    if isinstance(value, dict) and depth:
        return {name: _without(held, inner, depth - 1) for name, inner in value.items()}
    return value if isinstance(value, int | float | None) else None


def _login_refused(remedy: str) -> Verdict:
    return Verdict("login-refused", Remedy.RECONNECT, remedy)


_SECRET = _login_refused(
    "Check instagram.app_id and instagram.app_secret: they are a pair, and the Instagram login has "
    "another one than the Facebook login (App Dashboard, Instagram, API setup)."
)
_ADDRESS = _login_refused(
    "Add the address of the callback, just as mediawatch shows it, to the valid OAuth redirect "
    "URIs of the app in Meta's App Dashboard."
)
_AGAIN = _login_refused("Start connecting the account again, and finish within a few minutes.")
_LOGIN_VERDICTS = {
    (100, 36007): _AGAIN,
    (100, 36008): _ADDRESS,
    (100, 36009): _AGAIN,
    (101, None): _SECRET,
}
#: Where Meta tells no number, or the same one for all: by words that its messages have.
_BY_WORDS = (
    ("client secret", _SECRET),
    ("client_id", _SECRET),
    ("validating application", _SECRET),
    ("platform app", _SECRET),
    ("redirect_uri", _ADDRESS),
    ("code_verifier", _AGAIN),
    ("verification code", _AGAIN),
    ("authorization code", _AGAIN),
    ("matching code", _AGAIN),
)


def _judged(error: GraphError) -> GraphError:
    """The error with a remedy that speaks of the login, where it is about that."""
    verdict = _LOGIN_VERDICTS.get((error.number or 0, error.subcode))
    if verdict is None and error.number in {None, 1, 100, 400}:
        said = error.said.lower()
        verdict = next((each for words, each in _BY_WORDS if words in said), None)
    if verdict is None:
        return error
    return GraphError(
        error.said,
        number=error.number,
        subcode=error.subcode,
        http_status=error.http_status,
        trace=error.details["fbtrace_id"],
        verdict=verdict,
    )

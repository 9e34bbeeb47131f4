"""Looks up until when the access token is good."""

from __future__ import annotations

from mediawatch.errors import MediawatchError
from mediawatch.graph.client import Caller, Exchange, GraphClient
from mediawatch.graph.identity import Identity
from mediawatch.log import Log
from mediawatch.tokens import Tokens


class TokenExpiry:
    """Of one account. ``asks``: whether its login can tell at all."""

    def __init__(
        self,
        client: GraphClient,
        tokens: Tokens,
        account_id: str,
        log: Log,
        *,
        asks: bool,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._account_id = account_id
        self._log = log
        self._asks = asks
        #: Seconds since the epoch; None: it never ends, or that is not known.
        self.at: float | None = None

    async def run_once(self) -> None:
        """Ask Meta. What was known stays known if it does not answer."""
        if not self._asks:
            return
        try:
            token = await self._tokens.access_token(self._account_id)
            caller = Caller(self._account_id, token, _not_kept)
            self.at = (await Identity(self._client, caller).token()).ends_at
        except MediawatchError as error:
            self._log.debug(f"When the token ends is not known: {error.message}", action="account")


def _not_kept(_: Exchange) -> None:
    """It belongs to no post."""

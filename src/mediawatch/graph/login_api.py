"""What the code that connects and refreshes accounts asks of a login (graph/oauth.py has it)."""

from __future__ import annotations

from typing import Protocol

from pydantic import SecretStr

from mediawatch.graph.identity import TokenFacts


class Grant(Protocol):
    """A token that was given. ``expires_in``: seconds, None without an end."""

    @property
    def token(self) -> SecretStr: ...
    @property
    def expires_in(self) -> int | None: ...
    @property
    def meta_user_id(self) -> str: ...
    @property
    def permissions(self) -> frozenset[str]: ...


class Candidate(Protocol):
    """An account that may be connected. ``kind``: as Meta spells it, empty if it does not tell.
    ``tasks``: what the person may do on its page; ``page_token``: of that page."""

    @property
    def account_id(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def page_id(self) -> str | None: ...
    @property
    def page_name(self) -> str | None: ...
    @property
    def page_token(self) -> SecretStr | None: ...
    @property
    def tasks(self) -> tuple[str, ...]: ...


class LoginApi(Protocol):
    """One login. All raise GraphError and GraphUnreachable."""

    def authorize_url(self, *, state: str, redirect_uri: str, challenge: str | None) -> str:
        """Where a person logs in and chooses."""
        ...

    async def exchange_code(self, code: str, redirect_uri: str, verifier: str | None) -> Grant:
        """What they gave, for the code that they came back with."""
        ...

    async def long_lived(self, token: SecretStr) -> Grant:
        """The same, for sixty days."""
        ...

    async def refresh(self, token: SecretStr) -> Grant:
        """A token that lasts longer, which may be the same or another one."""
        ...

    async def granted(self, token: SecretStr) -> frozenset[str]:
        """What the person has granted."""
        ...

    async def candidates(self, token: SecretStr) -> list[Candidate]:
        """The accounts that the person may have connected."""
        ...

    async def facts(self, token: SecretStr) -> TokenFacts:
        """For how long the token lasts, and for what."""
        ...

    async def revoke(self, token: SecretStr) -> None:
        """Take the person's consent back, for all that they granted to this app."""
        ...

"""A login that answers as it is told: what refreshing, exchanging and revoking came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from mediawatch.errors import GraphProblem
from mediawatch.graph.identity import TokenFacts
from mediawatch.graph.oauth import Candidate, Grant

SIXTY_DAYS = 60 * 86_400


@dataclass
class ToldLogin:
    """Tokens are called by their text. ``problem``: what every call meets."""

    refreshed: str = "refreshed-token"
    lasts: int | None = SIXTY_DAYS
    found: list[Candidate] = field(default_factory=list)
    scopes: frozenset[str] = frozenset()
    told: TokenFacts = field(default_factory=TokenFacts)
    problem: GraphProblem | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)

    def _asked(self, what: str, token: SecretStr) -> None:
        self.calls.append((what, token.get_secret_value()))
        if self.problem is not None:
            raise self.problem

    async def long_lived(self, token: SecretStr) -> Grant:
        self._asked("long_lived", token)
        return Grant(SecretStr(f"{token.get_secret_value()}-long"), self.lasts, "9001", None)

    async def refresh(self, token: SecretStr) -> Grant:
        self._asked("refresh", token)
        return Grant(SecretStr(self.refreshed), self.lasts, "9001", None)

    async def granted(self, token: SecretStr) -> frozenset[str]:
        self._asked("granted", token)
        return self.scopes

    async def candidates(self, token: SecretStr) -> list[Candidate]:
        self._asked("candidates", token)
        return self.found

    async def facts(self, token: SecretStr) -> TokenFacts:
        self._asked("facts", token)
        return self.told

    async def revoke(self, token: SecretStr) -> bool:
        self._asked("revoke", token)
        return True


def candidate(account_id: str, name: str = "ana", **facts: object) -> Candidate:
    """A business account on a page of which the person may do all."""
    known: dict[str, object] = {
        "kind": "BUSINESS",
        "page_id": "134895000000009",
        "page_name": "Ana's page",
        "page_token": SecretStr(f"page-token-of-{account_id}"),
        "tasks": frozenset({"CREATE_CONTENT"}),
    }
    return Candidate(account_id, name, **{**known, **facts})  # type: ignore[arg-type]

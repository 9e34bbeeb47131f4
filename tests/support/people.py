"""People, their keys and their browsers, for tests of who may do what."""

from __future__ import annotations

from dataclasses import dataclass

from argon2 import PasswordHasher

from mediawatch.crypto import bearer
from mediawatch.journal import api_keys, sessions, shares, users
from mediawatch.journal.api_keys import ApiKey
from mediawatch.journal.database import Journal
from mediawatch.model.people import Right, Role, User

#: Of everybody here.
PASSWORD = "four plain words together"
#: Quick to make: what it protects is a test.
QUICK_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass(frozen=True)
class Person:
    """Somebody with a session and a key of each scope."""

    user: User
    cookie: str
    keys: dict[Right, str]

    def by_cookie(self) -> dict[str, str]:
        """Headers of a browser that is on a page of ours."""
        return {"Cookie": f"mediawatch_session={self.cookie}", "Sec-Fetch-Site": "same-origin"}

    def by_key(self, scope: Right) -> dict[str, str]:
        """Headers of a program."""
        return {"Authorization": f"Bearer {self.keys[scope]}"}


async def settle(
    journal: Journal, name: str, role: Role, *, now: float, shared: dict[str, Role] | None = None
) -> Person:
    """Somebody moves in; these accounts are shared with them."""
    user = User(f"id-of-{name}", name, role, QUICK_HASH, now)
    cookie, digests = bearer.new(), {}
    changes = [users.add(user)]
    changes.append(
        sessions.begin(bearer.digest(cookie), user.id, now=now, address="", agent="a test")
    )
    for scope in Right:
        digests[scope] = bearer.new(bearer.KEY_PREFIX)
        key = ApiKey(f"{name}-{scope}", user.id, f"{scope}", scope, now, None, None, None)
        changes.append(api_keys.add(key, bearer.digest(digests[scope])))
    changes += [shares.share(account, user.id, as_) for account, as_ in (shared or {}).items()]
    await journal.apply(changes)
    return Person(user, cookie, digests)

"""What may be asked of API keys: make one for oneself, see one's own, revoke them."""

from __future__ import annotations

import secrets
from typing import Any

from mediawatch import crash
from mediawatch.actions.permission import NotAllowed, require
from mediawatch.actions.users import find as find_user
from mediawatch.clock import Clock, iso
from mediawatch.crypto import bearer
from mediawatch.errors import Conflict, MediawatchError
from mediawatch.journal import api_keys, audit, users
from mediawatch.journal.api_keys import ApiKey
from mediawatch.journal.database import Journal
from mediawatch.model.people import Actor, Door, Right, includes


class NoSuchKey(MediawatchError):
    """There is no such key, or none that the actor may know of."""

    code = "no-such-key"


class NoOwner(MediawatchError):
    """A key is always somebody's."""

    code = "key-without-owner"


async def create(
    journal: Journal,
    clock: Clock,
    actor: Actor,
    name: str,
    scope: Right,
    *,
    owner: str | None = None,
    days: float | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and what it says: never shown again. For oneself; for ``owner`` by those who
    administer. It goes no further than the right of whoever makes it.

    Raises NotAllowed, NoSuchUser and NoOwner.
    """
    if actor.door is Door.API:
        require(actor, Right.ADMIN)  # a key must not make more of itself
    if owner is not None:
        user = await find_user(journal, actor, owner)
    elif actor.user_id is not None:
        found = await users.by_id(journal, actor.user_id)
        if found is None:
            raise NotAllowed(f"{actor.name} is no user any more.", remedy="Log in again.")
        user = found
    else:
        raise NoOwner("Whose key is it to be?", remedy="Name a user: --user NAME.")
    if not includes(actor.right, scope):
        raise NotAllowed(
            f"{actor.name} may not make a key with the scope {scope}.",
            remedy=f"Make one with the scope {actor.right}, or ask an owner.",
        )
    now, word = clock.now(), bearer.new(bearer.KEY_PREFIX)
    key = ApiKey(
        id=secrets.token_hex(4),
        user_id=user.id,
        name=" ".join(name.split())[:60] or "key",
        scope=scope,
        created_at=now,
        used_at=None,
        ends_at=None if days is None else now + days * 86_400,
        revoked_at=None,
    )
    told = f"{key.name}, scope {scope}, for {user.name}"
    said = audit.record(actor, "key.create", key.id, detail=told, now=now)
    await journal.apply([api_keys.add(key, bearer.digest(word)), said])
    crash.at("key.changed")
    return key, word


async def listed(journal: Journal, actor: Actor) -> list[tuple[ApiKey, str]]:
    """The actor's own keys, or everybody's for those who administer; with their owner's name."""
    require(actor, Right.READ)
    whose = None if actor.may(Right.ADMIN) else actor.user_id
    names = {user.id: user.name for user in await users.listed(journal)}
    return [(key, names[key.user_id]) for key in await api_keys.listed(journal, whose)]


def as_json(key: ApiKey, user: str) -> dict[str, Any]:
    """A key as doors show it: nothing of what it says."""
    times = {
        "created_at": key.created_at,
        "used_at": key.used_at,
        "ends_at": key.ends_at,
        "revoked_at": key.revoked_at,
    }
    return {
        "id": key.id,
        "name": key.name,
        "user": user,
        "scope": key.scope.value,
        **{word: iso(at) if at else None for word, at in times.items()},
    }


async def revoke(journal: Journal, clock: Clock, actor: Actor, key_id: str) -> None:
    """Nobody comes in with it any more. Raises NoSuchKey."""
    known = {key.id for key, _ in await listed(journal, actor)}
    said = audit.record(actor, "key.revoke", key_id, now=clock.now())
    try:
        if key_id not in known:
            raise NoSuchKey(
                f"There is no key {key_id}.", remedy="`mediawatch keys list` shows them."
            )
        await journal.apply([api_keys.revoke(key_id, clock.now()), said])
    except Conflict as error:
        raise NoSuchKey(f"The key {key_id} is revoked already.", remedy="Nothing to do.") from error
    crash.at("key.changed")

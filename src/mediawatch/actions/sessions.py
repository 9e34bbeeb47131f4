"""Coming in: by name and password, by a session's cookie, by an API key; and leaving."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from mediawatch import crash
from mediawatch.clock import Clock
from mediawatch.crypto import bearer, passwords
from mediawatch.errors import MediawatchError
from mediawatch.journal import api_keys, audit, sessions, users
from mediawatch.journal.database import Journal
from mediawatch.journal.sessions import Session
from mediawatch.model.people import Actor, Door, User, least


class WrongPassword(MediawatchError):
    """Name and password do not belong together. Which of them is wrong is told to nobody."""

    code = "wrong-password"


class NoSuchSession(MediawatchError):
    """No session of theirs is called so."""

    code = "no-such-session"


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in. ``session``: None with a key."""

    actor: Actor
    user: User
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has just begun: ``cookie`` is what its bearer gets in with."""

    user: User
    cookie: str = field(repr=False)


async def log_in(
    journal: Journal, clock: Clock, name: str, password: str, *, address: str, agent: str
) -> Begun:
    """A new session. A hash of older make is made anew. Raises WrongPassword."""
    user = await users.by_name(journal, name.strip())
    known = user.password_hash if user else None
    fits = await asyncio.to_thread(passwords.fits, known, password[: passwords.LONGEST + 1])
    if user is None or not fits:
        raise WrongPassword(
            "Name and password do not belong together.",
            remedy="Try again. An owner can set another one: `mediawatch users passwd NAME`.",
        )
    return await begin(journal, clock, user, password, address=address, agent=agent)


async def begin(
    journal: Journal, clock: Clock, user: User, password: str, *, address: str, agent: str
) -> Begun:
    """A session of somebody whose password is known to fit."""
    now, cookie = clock.now(), bearer.new()
    actor = Actor(user.id, user.name, user.role.right, Door.PAGE, address)
    changes = [
        sessions.forget_ended(now),
        sessions.begin(bearer.digest(cookie), user.id, now=now, address=address, agent=agent),
        audit.record(actor, "session.begin", user.name, detail=agent[:200], now=now),
    ]
    if passwords.is_outdated(user.password_hash):
        again = await asyncio.to_thread(passwords.hashed, password)
        changes.append(users.set_password(user.id, again))
    await journal.apply(changes)
    crash.at("session.changed")
    return Begun(user, cookie)


async def enter(journal: Journal, clock: Clock, cookie: str, *, address: str) -> Entered | None:
    """Whose session it is, or None if it is over or never was."""
    digest, now = bearer.digest(cookie), clock.now()
    found = await sessions.find(journal, digest, now=now)
    if found is None:
        return None
    session, user = found
    if now - session.seen_at > sessions.SEEN_EVERY:
        await journal.apply([sessions.seen(digest, now)])
        crash.at("session.changed")
    return Entered(Actor(user.id, user.name, user.role.right, Door.PAGE, address), user, session)


async def enter_by_key(journal: Journal, clock: Clock, key: str, *, address: str) -> Entered | None:
    """Whose key it is, or None if it is none that is good."""
    now = clock.now()
    found = await api_keys.find(journal, bearer.digest(key), now=now)
    if found is None:
        return None
    known, user = found
    if known.used_at is None or now - known.used_at > api_keys.USED_EVERY:
        await journal.apply([api_keys.used(known.id, now)])
        crash.at("key.changed")
    right = least(user.role.right, known.scope)
    return Entered(Actor(user.id, f"{user.name} ({known.name})", right, Door.API, address), user)


async def log_out(journal: Journal, clock: Clock, entered: Entered) -> None:
    """The session ends."""
    if entered.session is None:
        return
    said = audit.record(entered.actor, "session.end", entered.user.name, now=clock.now())
    await journal.apply([sessions.end(entered.session.digest), said])
    crash.at("session.changed")


async def listed(journal: Journal, clock: Clock, actor: Actor) -> list[Session]:
    """Where the actor is logged in; whoever has this machine is nowhere."""
    if actor.user_id is None:
        return []
    return await sessions.listed(journal, actor.user_id, now=clock.now())


async def revoke(journal: Journal, clock: Clock, actor: Actor, session_id: str) -> None:
    """One of the actor's own sessions ends. Raises NoSuchSession."""
    for session in await listed(journal, clock, actor):
        if session.id == session_id:
            said = audit.record(actor, "session.revoke", session_id, now=clock.now())
            await journal.apply([sessions.end(session.digest), said])
            crash.at("session.changed")
            return
    raise NoSuchSession(
        f"No session of yours is called {session_id}.", remedy="It may have ended already."
    )

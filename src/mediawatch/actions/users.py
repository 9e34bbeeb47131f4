"""What may be asked of people: who may log in, and as what."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from mediawatch import crash
from mediawatch.actions.permission import require
from mediawatch.clock import Clock, iso
from mediawatch.crypto import passwords
from mediawatch.errors import Conflict, MediawatchError
from mediawatch.journal import accounts, audit, sessions, users
from mediawatch.journal.database import Journal, Statement
from mediawatch.model.people import Actor, Door, Right, Role, User

#: Characters of a name at the most.
LONGEST_NAME = 60


class NoSuchUser(MediawatchError):
    """Nobody has this name."""

    code = "no-such-user"


class UserNotPossible(MediawatchError):
    """This cannot be done with a user as things stand."""

    code = "user-not-possible"


async def add(
    journal: Journal, clock: Clock, actor: Actor, name: str, role: Role, password: str
) -> User:
    """A new user. The first must be an owner, and is given the accounts that are there.

    Raises NotAllowed, UserNotPossible and WeakPassword.
    """
    require(actor, Right.ADMIN)
    if role is not Role.OWNER and not await users.any_there(journal):
        raise UserNotPossible(
            "The first user must be an owner: nobody could make another one.",
            remedy="Add an owner first, then the others.",
        )
    return await _add(journal, clock, actor, name, role, password, first=False)


async def add_first(journal: Journal, clock: Clock, actor: Actor, name: str, password: str) -> User:
    """The owner, of a mediawatch without users. Raises UserNotPossible and WeakPassword."""
    return await _add(journal, clock, actor, name, Role.OWNER, password, first=True)


async def _add(
    journal: Journal,
    clock: Clock,
    actor: Actor,
    name: str,
    role: Role,
    password: str,
    *,
    first: bool,
) -> User:
    name = _name(name)
    passwords.check(password, name)
    now = clock.now()
    password_hash = await asyncio.to_thread(passwords.hashed, password)
    user = User(secrets.token_hex(6), name, role, password_hash, now)
    said = audit.record(actor, "user.add", name, detail=f"as {role}", now=now)
    try:
        await journal.apply([users.add(user, first=first), users.adopt(), said])
    except Conflict as error:
        taken = "There is a user already." if first else f"There is a user {name} already."
        raise UserNotPossible(taken, remedy="Log in, or take another name.") from error
    crash.at("user.changed")
    return user


async def set_password(
    journal: Journal, clock: Clock, actor: Actor, name: str, password: str, *, keep: str = ""
) -> None:
    """Another password; all sessions of the user end, but for the one whose digest is ``keep``.

    For oneself, or with the right to administer. Raises NotAllowed, NoSuchUser, WeakPassword.
    """
    user = await find(journal, actor, name)
    passwords.check(password, user.name)
    password_hash = await asyncio.to_thread(passwords.hashed, password)
    await _change(
        journal,
        clock,
        actor,
        "user.password",
        user,
        [users.set_password(user.id, password_hash), sessions.end_all(user.id, but=keep)],
    )


async def set_role(journal: Journal, clock: Clock, actor: Actor, name: str, role: Role) -> None:
    """What somebody is from now on. Raises NotAllowed, NoSuchUser and UserNotPossible."""
    require(actor, Right.ADMIN)
    user = await find(journal, actor, name)
    changes = [users.set_role(user.id, role)]
    await _change(journal, clock, actor, "user.role", user, changes, detail=f"{role}")


async def remove(
    journal: Journal, clock: Clock, actor: Actor, name: str, accounts_to: str | None = None
) -> None:
    """Somebody who may no longer log in, with their sessions, keys and shares. Their accounts go to
    ``accounts_to``; who has accounts is not removed without.

    Raises NotAllowed, NoSuchUser and UserNotPossible.
    """
    require(actor, Right.ADMIN)
    user = await find(journal, actor, name)
    changes = [users.remove(user.id)]
    if accounts_to is not None:
        heir = await find(journal, actor, accounts_to)
        if heir.id == user.id or heir.role is not Role.OWNER:
            raise UserNotPossible(
                f"{heir.name} cannot get the accounts.",
                remedy="Name another user, with the role of an owner.",
            )
        changes.insert(0, users.hand_over(user.id, heir.id))
    elif owned := await _owned(journal, user):
        raise UserNotPossible(
            f"{user.name} has {len(owned)} accounts: {', '.join(owned)}.",
            remedy=f"Say who gets them: `mediawatch users remove {user.name} --accounts-to NAME`.",
        )
    await _change(journal, clock, actor, "user.remove", user, changes)


async def listed(journal: Journal, actor: Actor) -> list[User]:
    """Everybody, for those who administer. Raises NotAllowed."""
    require(actor, Right.ADMIN)
    return await users.listed(journal)


def as_json(user: User) -> dict[str, Any]:
    """A user as doors show them."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role.value,
        "created_at": iso(user.created_at),
    }


async def find(journal: Journal, actor: Actor, name: str) -> User:
    """The user of that name; for those who administer, and for themselves.

    Raises NotAllowed and NoSuchUser.
    """
    user = await users.by_name(journal, name.strip())
    # A key is for programs: it must not make more of itself, but with the scope for that.
    if user is not None and user.id == actor.user_id and actor.door is not Door.API:
        return user
    require(actor, Right.ADMIN)
    if user is None:
        raise NoSuchUser(f"There is no user {name}.", remedy="`mediawatch users list` shows them.")
    return user


async def _owned(journal: Journal, user: User) -> list[str]:
    return sorted(each.id for each in await accounts.listed(journal) if each.owner_id == user.id)


async def _change(
    journal: Journal,
    clock: Clock,
    actor: Actor,
    action: str,
    user: User,
    changes: list[Statement],
    *,
    detail: str = "",
) -> None:
    said = audit.record(actor, action, user.name, detail=detail, now=clock.now())
    try:
        await journal.apply([*changes, said])
    except Conflict as error:
        raise UserNotPossible(
            f"{user.name} is the last owner, or was changed a moment ago.",
            remedy="Make somebody else an owner first.",
        ) from error
    crash.at("user.changed")


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UserNotPossible(
            f"A name has 1 to {LONGEST_NAME} characters that can be read.",
            remedy="Take a shorter or plainer one.",
        )
    return name

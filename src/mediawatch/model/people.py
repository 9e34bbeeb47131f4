"""Who asks: people with their roles, and what each may do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Right(StrEnum):
    """What may be done; the scope of an API key is one of these and includes those before it."""

    READ = "read"  # see accounts and posts
    POST = "post"  # make posts, and decide what becomes of them
    ADMIN = "admin"  # accounts, people, keys, and what concerns the whole of mediawatch


class Role(StrEnum):
    """What somebody is, here or for one account."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    @property
    def right(self) -> Right:
        """The greatest right that goes with it."""
        return _RIGHT[self]


_RIGHT = {Role.VIEWER: Right.READ, Role.EDITOR: Right.POST, Role.OWNER: Right.ADMIN}
_ORDER = list(Right)


def includes(held: Right, wanted: Right) -> bool:
    """Whether who may do ``held`` may do ``wanted``."""
    return _ORDER.index(held) >= _ORDER.index(wanted)


def least(*rights: Right) -> Right:
    """The smallest of several rights: a key of an editor, for an account shared to be seen."""
    return min(rights, key=_ORDER.index)


class Door(StrEnum):
    """Where somebody came in."""

    PAGE = "page"
    API = "api"
    COMMAND = "command"
    FOLDER = "folder"
    META = "meta"  # its calls to our webhooks
    DAEMON = "daemon"  # what mediawatch does by itself


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in."""

    id: str
    name: str
    role: Role
    password_hash: str = field(repr=False)
    created_at: float
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for something. ``user_id``: None for whoever has this machine, who may do all and
    sees every account. ``right``: the greatest they have by their role and, with an API key, by
    its scope. ``address``: of the network, empty on this machine."""

    user_id: str | None
    name: str
    right: Right
    door: Door
    address: str = ""

    def may(self, wanted: Right) -> bool:
        """Whether their right goes so far; for an account, actions/permission.py knows more."""
        return includes(self.right, wanted)


def this_machine(door: Door) -> Actor:
    """Whoever works on this machine and may read mediawatch's own files."""
    return Actor(None, "this machine", Right.ADMIN, door)

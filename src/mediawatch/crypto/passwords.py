"""Passwords, hashed by Argon2id with the parameters that its library recommends. All of it blocks
for some tenths of a second, on purpose."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mediawatch.errors import MediawatchError

#: Characters. Longer ones only cost time (OWASP: Authentication Cheat Sheet).
SHORTEST, LONGEST = 10, 1000


class WeakPassword(MediawatchError):
    """A password that is too easy to guess, or too long to be one."""

    code = "weak-password"


def check(password: str, name: str) -> None:
    """Refuse what is too short, or is the user's own name. Raises WeakPassword."""
    if len(password) < SHORTEST:
        raise WeakPassword(
            f"The password has {len(password)} characters; {SHORTEST} are the least.",
            remedy="Take a longer one: four or five words that have nothing to do with each other.",
        )
    if len(password) > LONGEST:
        raise WeakPassword(
            f"The password has more than {LONGEST} characters.", remedy="Take a shorter one."
        )
    if name and password.casefold() in {name.casefold(), name.casefold()[::-1]}:
        raise WeakPassword("The password is the name.", remedy="Take another one.")


def hashed(password: str) -> str:
    """The hash, with salt and parameters in it. Blocks."""
    return _hasher().hash(password)


def fits(known: str | None, password: str) -> bool:
    """Whether it is the password behind the hash. Without a hash (there is no such user) the same
    work is done, so that time tells nobody who is known here. Blocks."""
    try:
        _hasher().verify(known or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return known is not None


def is_outdated(known: str) -> bool:
    """Whether the hash was made with weaker parameters than are recommended by now."""
    return _hasher().check_needs_rehash(known)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")

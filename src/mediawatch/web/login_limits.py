"""How often somebody may guess a password: by name and by address, slower with each wrong one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mediawatch.actions.sessions import WrongPassword
from mediawatch.clock import Clock, iso
from mediawatch.errors import MediawatchError

#: Wrong passwords that cost nothing; each further one doubles the wait.
FREE = 5
#: Seconds of the first wait, and of the longest.
FIRST, LONGEST = 2.0, 900.0
#: Seconds without a wrong one after which all is forgotten.
FORGET = 3600.0
#: Names and addresses that are remembered at the most.
MOST = 10_000


class TooManyLogins(MediawatchError):
    """Too many wrong passwords; the right one would not be looked at now."""

    code = "too-many-logins"


@dataclass(slots=True)
class _Wrong:
    count: int = 0
    last: float = 0.0


class LoginLimits:
    """In memory: a restart forgives, and costs whoever guesses more than it gives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, str], _Wrong] = OrderedDict()

    def admit(self, name: str, address: str) -> None:
        """Raises TooManyLogins while name or address must wait."""
        now = self._clock.monotonic()
        free = max(self._free_at(key) for key in _keys(name, address))
        if free > now:
            until = self._clock.now() + free - now
            raise TooManyLogins(
                "Too many wrong passwords.",
                remedy=f"Try again after {iso(until)}; a restart of mediawatch forgets them, too.",
                retry_after=free - now,
            )

    @contextmanager
    def counted(self, name: str, address: str) -> Iterator[None]:
        """While a password is looked at: whether it was right is told by WrongPassword."""
        try:
            yield
        except WrongPassword:
            self.note_wrong(name, address)
            raise
        self.note_right(name, address)

    def note_wrong(self, name: str, address: str) -> None:
        """A password was wrong."""
        now = self._clock.monotonic()
        for key in _keys(name, address):
            wrong = self._wrong.setdefault(key, _Wrong())
            if now - wrong.last > FORGET:
                wrong.count = 0
            wrong.count += 1
            wrong.last = now
            self._wrong.move_to_end(key)
        while len(self._wrong) > MOST:
            self._wrong.popitem(last=False)

    def note_right(self, name: str, address: str) -> None:
        """It was right: the name begins anew; the address still counts what else it guessed."""
        self._wrong.pop(_keys(name, address)[0], None)

    def _free_at(self, key: tuple[str, str]) -> float:
        wrong = self._wrong.get(key)
        if wrong is None or wrong.count < FREE:
            return 0.0
        return wrong.last + min(LONGEST, FIRST * 2.0 ** min(wrong.count - FREE, 20))


def _keys(name: str, address: str) -> list[tuple[str, str]]:
    return [("name", name.strip().casefold()[:100]), ("address", address)]

"""One address of the settings, as it may be spoken of: its number and its kind, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Address:
    """``number``: from 1, as they stand in the settings. ``digest`` tells it from others in the
    journal; no way leads back from it."""

    number: int
    url: SecretStr = field(repr=False)
    digest: str

    @property
    def shown(self) -> str:
        """For people: ``1 (mailto://•••)``. Even its host may be a secret."""
        return f"{self.number} ({self.url.get_secret_value().partition('://')[0]}://•••)"


def addresses(urls: Iterable[SecretStr]) -> tuple[Address, ...]:
    """The addresses of the settings, numbered; each takes some milliseconds."""
    return tuple(Address(number, url, _digest(url)) for number, url in enumerate(urls, 1))


def _digest(url: SecretStr) -> str:
    # Slow by intent: an address may hold a weak password, and who reads a journal could try many.
    plain = url.get_secret_value().encode()
    return hashlib.scrypt(plain, salt=b"mediawatch-alerts", n=2**12, r=8, p=1, dklen=9).hex()

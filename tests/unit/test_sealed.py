"""Sealed files: only the passphrase opens them, and nothing can be changed, moved or cut off."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawatch.crypto import sealed
from mediawatch.crypto.sealed import SealBroken, Sealer, Unsealer, WrongPassphrase

PASSPHRASE = "correct horse"
CHEAP = (4, 1, 1)
HEAD = 8 + 3 + 16 + 7 + 8 + 16


def seal(*blocks: bytes, passphrase: str = PASSPHRASE) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, passphrase, CHEAP)
    for block in blocks:
        sealer.write(block)
    sealer.close()
    return target.getvalue()


def unseal(content: bytes, passphrase: str = PASSPHRASE) -> bytes:
    unsealer = Unsealer(io.BytesIO(content), passphrase)
    found = unsealer.read()
    unsealer.finish()
    return found


def chunks(content: bytes) -> list[bytes]:
    found, rest = [], content[HEAD:]
    while rest:
        length = 4 + int.from_bytes(rest[:4])
        found.append(rest[:length])
        rest = rest[length:]
    return found


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "CHUNK", 64)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 1000])
def test_what_goes_in_comes_out(size: int) -> None:
    """Of any size, in blocks of any size."""
    plain = bytes(range(256)) * 4
    blocks = [plain[:size][at : at + 7] for at in range(0, size, 7)]

    content = seal(*blocks)

    assert plain[:size] == unseal(content)
    assert plain[:32] not in content


def test_the_same_twice_is_never_the_same_file() -> None:
    """Salt and nonce are new each time."""
    assert seal(b"x") != seal(b"x")


def test_a_wrong_passphrase_is_told_as_one() -> None:
    """Not as damage; and an accent is the same however it was typed."""
    with pytest.raises(WrongPassphrase) as caught:
        unseal(seal(b"x"), "correct hors")
    assert caught.value.remedy
    assert b"x" == unseal(seal(b"x", passphrase="caf\u00e9"), "cafe\u0301")


@given(st.data())
def test_any_bit_that_is_turned_is_noticed(data: st.DataObject) -> None:
    """Anywhere in the file, the length of a part too; and never taken for a wrong passphrase, but
    where that cannot be told: in the proof itself."""
    content = bytearray(seal(b"a" * 150))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))

    proof = HEAD - 16 <= at < HEAD
    with pytest.raises(WrongPassphrase if proof else SealBroken):
        unseal(bytes(content))


@given(st.integers(0, 10_000))
def test_any_end_that_is_missing_is_noticed(at: int) -> None:
    """Also where it breaks off between two parts."""
    content = seal(b"a" * 300)
    with pytest.raises(SealBroken):
        unseal(content[: at % len(content)])


@pytest.mark.parametrize("change", ["swap", "drop", "repeat", "drop last", "append"])
def test_parts_that_are_moved_are_noticed(change: str) -> None:
    """Each part is good by itself; their order and their end are sealed too."""
    content = seal(bytes(200))
    head, parts = content[:HEAD], chunks(content)
    assert 4 == len(parts)
    moved = {
        "swap": [parts[1], parts[0], *parts[2:]],
        "drop": [parts[0], *parts[2:]],
        "repeat": [parts[0], parts[0], *parts[1:]],
        "drop last": parts[:-1],
        "append": [*parts, b"x"],
    }[change]

    with pytest.raises(SealBroken):
        unseal(head + b"".join(moved))


def test_parts_of_another_file_are_noticed() -> None:
    """Of the same passphrase, at the same place."""
    one, other = seal(bytes(200)), seal(bytes(200))
    mixed = [chunks(one)[0], chunks(other)[1], *chunks(one)[2:]]

    with pytest.raises(SealBroken, match="part 2"):
        unseal(one[:HEAD] + b"".join(mixed))


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" * 20, b"MWSEAL\x00\x02" + bytes(60)])
def test_what_is_no_sealed_file_is_told(content: bytes) -> None:
    """In a sentence, with what to do."""
    with pytest.raises(SealBroken) as caught:
        unseal(content)
    assert caught.value.remedy


def test_a_forged_cost_is_not_paid() -> None:
    """A file must not make us take all memory of the machine."""
    content = bytearray(seal(b"x"))
    content[8] = 40
    content[34:42] = sealed._checksum(bytes(content[:34]))

    with pytest.raises(SealBroken, match="asks for"):
        unseal(bytes(content))


def test_guessing_a_passphrase_costs_memory_and_time() -> None:
    """N = 2^17, r = 8: what OWASP's Password Storage Cheat Sheet asks for."""
    assert (17, 8, 1) == sealed.COST

"""Sealed values, and the keys that open them."""

from __future__ import annotations

import base64
import os
import stat
import sys
from pathlib import Path

import pytest

from mediawatch.crypto.vault import KeyProblem, Place, SealedOtherwise, Vault, key_id, key_of

TOKEN = "EAAB-marked-token-of-the-owner"
HERE = Place("tokens", "17841400000000001", "sealed")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_what_is_sealed_comes_back_and_shows_nothing(file: Path) -> None:
    """With the same key, after a restart too; never twice the same bytes."""
    vault = Vault(file)
    once, again = vault.seal(TOKEN, HERE), vault.seal(TOKEN, HERE)

    assert TOKEN == Vault(file).open(once, HERE)
    assert once != again
    assert TOKEN.encode() not in once
    assert key_of(once) == vault.active


def test_no_key_is_made_before_it_is_needed(file: Path) -> None:
    """Who connects no account has no file of keys."""
    assert "" == Vault(file).active
    assert not file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode")
def test_the_keys_are_their_owners_alone(file: Path) -> None:
    """Nobody else on the machine reads them."""
    Vault(file).seal(TOKEN, HERE)

    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("tokens", "17841400000000002", "sealed"),
        Place("tokens", "17841400000000001", "sealed_user_token"),
        Place("logins_under_way", "17841400000000001", "sealed"),
        Place("tokens1784140", "0000000001", "sealed"),
    ],
)
def test_a_value_is_good_in_its_own_place_only(file: Path, elsewhere: Place) -> None:
    """Nobody who writes the database has one account speak with the token of another."""
    vault = Vault(file)

    with pytest.raises(SealedOtherwise, match="moved from another row"):
        vault.open(vault.seal(TOKEN, HERE), elsewhere)


@pytest.mark.parametrize("at", [0, 1, 8, 9, 20, 21, -1])
def test_a_changed_value_is_refused(file: Path, at: int) -> None:
    """Whichever byte of it was changed: version, key, nonce, text or tag."""
    vault = Vault(file)
    sealed = bytearray(vault.seal(TOKEN, HERE))
    sealed[at] ^= 1

    with pytest.raises(SealedOtherwise):
        vault.open(bytes(sealed), HERE)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 36, b"\x02" * 80])
def test_what_was_never_sealed_is_refused(file: Path, sealed: bytes) -> None:
    """Rubbish in the column is told as such, with what to do."""
    with pytest.raises(SealedOtherwise) as caught:
        Vault(file).open(sealed, HERE)
    assert "connect the account again" in caught.value.remedy


def test_another_key_opens_nothing_and_says_which_file(file: Path) -> None:
    """The file was lost, and another one made: what to put back is named."""
    sealed = Vault(file).seal(TOKEN, HERE)
    file.unlink()

    with pytest.raises(SealedOtherwise) as caught:
        Vault(file).open(sealed, HERE)
    assert str(file) in caught.value.message
    assert str(file) in caught.value.remedy


def test_an_old_key_opens_until_it_is_dropped(file: Path) -> None:
    """A new one seals from now on."""
    vault = Vault(file)
    sealed, old = vault.seal(TOKEN, HERE), vault.active
    new = vault.add_key()

    assert TOKEN == vault.open(sealed, HERE)
    assert new == key_of(vault.seal(TOKEN, HERE)) == Vault(file).active != old

    vault.drop_keys({old, new})

    assert (new,) == Vault(file).ids
    with pytest.raises(SealedOtherwise):
        vault.open(sealed, HERE)


def test_the_key_of_the_settings_goes_before_those_of_the_file(file: Path) -> None:
    """What was sealed before opens still; nothing of the settings is written into the file."""
    sealed = Vault(file).seal(TOKEN, HERE)
    given = os.urandom(32)
    vault = Vault(file, [given])

    assert TOKEN == vault.open(sealed, HERE)
    assert key_id(given) == key_of(vault.seal(TOKEN, HERE))
    vault.drop_keys({key_of(sealed)})
    assert base64.b64encode(given).decode() not in file.read_text()
    assert (key_id(given),) == Vault(file, [given]).ids


@pytest.mark.parametrize("content", [b"rubbish", b"\xff\xfe", b"# nothing\n", b"c2hvcnQ=\n"])
def test_a_damaged_file_is_told_and_never_overwritten(file: Path, content: bytes) -> None:
    """A person may have a backup of it; until then nothing is sealed with a key made meanwhile."""
    file.write_bytes(content)
    vault = Vault(file)

    with pytest.raises(KeyProblem) as caught:
        vault.seal(TOKEN, HERE)
    assert str(file) in caught.value.message
    assert content == file.read_bytes()


def test_no_repr_shows_a_key(file: Path) -> None:
    """Whatever is logged of it by mistake."""
    key = os.urandom(32)
    told = f"{Vault(file, [key])!r} {HERE!r}"

    assert base64.b64encode(key).decode() not in told
    assert key.hex() not in told

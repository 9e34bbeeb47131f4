"""Addresses for alerts in the settings: read in each way, and secret as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch.config import Settings, load
from mediawatch.config.addresses import secret_parts
from mediawatch.errors import ConfigError
from mediawatch.log import Redactor
from mediawatch.model.alerts import USUAL, AlertKind

MAIL = "mailtos://me:app-pass,word@example.org?to=you@example.org"
NTFY = "ntfys://a-topic-9"
NEEDED = {
    "FTP_HOST": "ftp.example.org",
    "FTP_USER": "me",
    "FTP_PASS": "ftp-password",
    "MEDIAWATCH_FTP__PUBLIC_URL": "https://www.example.org/upload",
    "IG_USER_ID": "17841400000000001",
    "ACCESS_TOKEN": "an-access-token",
}


def settings(tmp_path: Path, **environ: str) -> Settings:
    return load(None, NEEDED | environ, tmp_path / ".env")


def plain(settings: Settings) -> list[str]:
    return [url.get_secret_value() for url in settings.alerts.urls]


def test_nobody_is_told_unless_somebody_wants_it(tmp_path: Path) -> None:
    """And then of everything but what went well."""
    assert [] == plain(settings(tmp_path))
    assert USUAL == settings(tmp_path).alerts.kinds
    assert AlertKind.PUBLISHED not in USUAL


@pytest.mark.parametrize("between", [",", ", ", " ", "\n"])
def test_the_environment_holds_several(tmp_path: Path, between: str) -> None:
    """A comma inside an address does not cut it."""
    found = settings(tmp_path, MEDIAWATCH_ALERTS__URLS=between.join([MAIL, NTFY]))

    assert [MAIL, NTFY] == plain(found)


def test_a_credential_of_the_service_manager_is_one_too(tmp_path: Path) -> None:
    """One address a line, with remarks."""
    (tmp_path / "alerts.urls").write_text(f"# mine\n{MAIL}\n\n{NTFY}\n", encoding="utf-8")

    assert [MAIL, NTFY] == plain(settings(tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path)))


def test_a_kind_that_is_none_is_told(tmp_path: Path) -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match="failed"):
        settings(tmp_path, MEDIAWATCH_ALERTS__KINDS="held,everything")


@pytest.mark.parametrize("wrong", ["no-address-secret-1", f"{NTFY} no-address-secret-1"])
def test_no_address_is_shown_when_one_is_wrong(tmp_path: Path, wrong: str) -> None:
    """Neither the wrong one nor the others."""
    given = {"MEDIAWATCH_ALERTS__URLS": "://".join(["", wrong]) if "://" not in wrong else wrong}
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, **given)

    told = f"{caught.value} {caught.value.problems}"
    assert "[alerts] urls" in told
    assert "secret" not in told
    assert "topic" not in told


def test_what_could_be_a_secret_is_masked_in_the_log(tmp_path: Path) -> None:
    """The address, and what stands in it; but not a word that anybody uses."""
    address = "tgram://123456789:AAbot-token/mediawatch/?key=0123456789"
    found = settings(tmp_path, MEDIAWATCH_ALERTS__URLS=address)
    clean = Redactor(found.secret_values()).clean

    assert "tgram" not in clean(f"sent to {address}")
    for part in ("AAbot-token", "0123456789"):
        assert part not in clean(f"/path/{part}/x")
    assert "mediawatch" == clean("mediawatch")
    assert address not in repr(found)
    assert [address, address.partition("://")[2]] == secret_parts(address)[:2]

"""What an FTP answer means: every row of the table, and every kind of broken connection."""

from __future__ import annotations

import socket
import ssl

import aioftp
import pytest
from aioftp.common import Code

from mediawatch.errors import Handling, HostProblem
from mediawatch.hosts.base import new_key
from mediawatch.hosts.ftp_errors import _TABLE, FOREIGN, Scene, Stage, from_exception, from_reply

RETRY, HOLD, PARK = Handling.RETRY, Handling.HOLD, Handling.PARK

CASES = [
    (Stage.CONNECT, "421", "Too many users", "ftp-too-many-connections", RETRY),
    (Stage.LOGIN, "421", "busy", "ftp-too-many-connections", RETRY),
    (Stage.STORE, "421", "Timeout", "ftp-broken-off", RETRY),
    (Stage.LOGIN, "530", "Login incorrect.", "ftp-login-refused", HOLD),
    (Stage.LOGIN, "430", "Invalid username or password", "ftp-login-refused", HOLD),
    (Stage.LOGIN, "530", "Too many failed login attempts", "ftp-login-refused", HOLD),
    (
        Stage.LOGIN,
        "530",
        "Sorry, the maximum number of allowed clients (2) already connected",
        "ftp-too-many-connections",
        RETRY,
    ),
    (Stage.LOGIN, "530", "Non-anonymous sessions must use encryption", "ftp-tls-required", HOLD),
    (Stage.LOGIN, "550", "SSL/TLS required on the control channel", "ftp-tls-required", HOLD),
    (Stage.LOGIN, "500", "OOPS: cannot change directory", "ftp-busy", RETRY),
    (Stage.LOGIN, "503", "not now", "ftp-busy", RETRY),
    (Stage.TLS, "500", " OOPS: child died", "ftp-busy", RETRY),
    (Stage.TLS, "502", "no such command", "ftp-no-tls", HOLD),
    (Stage.TLS, "534", "policy", "ftp-no-tls", HOLD),
    (Stage.TLS, "431", "no resource", "ftp-no-tls", HOLD),
    (Stage.TLS, "530", "Please login with USER and PASS", "ftp-no-tls", HOLD),
    (Stage.STORE, "522", "Data connections must be encrypted", "ftp-tls-session", HOLD),
    (Stage.STORE, "452", "Insufficient storage space", "ftp-disk-full", PARK),
    (Stage.STORE, "552", "Quota exceeded", "ftp-disk-full", PARK),
    (Stage.STORE, "451", "Failure writing to local file.", "ftp-disk-full", PARK),
    (Stage.STORE, "426", "No space left on device", "ftp-disk-full", PARK),
    (Stage.STORE, "553", "disk quota exceeded", "ftp-disk-full", PARK),
    (Stage.STORE, "425", "Unable to build data connection", "ftp-data-refused", RETRY),
    (Stage.STORE, "426", "Failure reading network stream", "ftp-busy", RETRY),
    (Stage.STORE, "450", "busy", "ftp-busy", RETRY),
    (Stage.STORE, "451", "local error", "ftp-busy", RETRY),
    (Stage.STORE, "500", "OOPS: child died", "ftp-busy", RETRY),
    (Stage.STORE, "530", "Please login", "ftp-broken-off", RETRY),
    (Stage.STORE, "550", "No such directory", "ftp-write-refused", HOLD),
    (Stage.STORE, "553", "Could not create file", "ftp-write-refused", HOLD),
    (Stage.DELETE, "550", "Permission denied", "ftp-refused", HOLD),
    (Stage.SIZE, "501", "syntax", "ftp-refused", HOLD),
    (Stage.RENAME, "503", "bad sequence", "ftp-refused", HOLD),
    (Stage.STORE, "226", "a stale reply", "ftp-garbled", RETRY),
    (Stage.STORE, "HTT", "P/1.1 400", "ftp-garbled", RETRY),
]


@pytest.mark.parametrize(("stage", "reply", "text", "code", "handling"), CASES)
def test_replies(stage: Stage, reply: str, text: str, code: str, handling: Handling) -> None:
    """Each answer of a server has one meaning, and what to do about it."""
    problem = from_reply(reply, text, Scene("ftp.example.org", stage))
    assert (code, handling) == (problem.code, problem.handling)
    assert "ftp.example.org" in problem.message
    assert problem.remedy


def test_every_row_is_reached() -> None:
    """No row of the table is hidden behind an earlier one."""
    scenes = [
        *((reply, text, Scene("h", stage)) for stage, reply, text, _, _ in CASES),
        ("425", "", Scene("h", Stage.STORE, encrypted=True, again=True)),
        ("530", "Sorry", Scene("h", Stage.LOGIN, others=1)),
    ]
    reached = {
        next(number for number, row in enumerate(_TABLE) if row.fits(*scene)) for scene in scenes
    }
    assert set(range(len(_TABLE))) == reached


def test_530_means_too_many_while_others_are_logged_in() -> None:
    """The same password works elsewhere at this moment, so it is not wrong."""
    problem = from_reply("530", "Sorry", Scene("h", Stage.LOGIN, others=1))
    assert "ftp-too-many-connections" == problem.code


def test_425_under_tls_twice_hints_at_session_reuse() -> None:
    """FileZilla and ProFTPD refuse a data connection with 425 if its session is not resumed;
    once it may be anything."""
    hints = [
        "TLS session reuse"
        in from_reply("425", "", Scene("h", Stage.STORE, encrypted=tls, again=again)).remedy
        for tls, again in [(True, True), (True, False), (False, True)]
    ]
    assert [True, False, False] == hints


def test_disk_full_waits() -> None:
    """A full disk is asked again after a quarter of an hour."""
    assert 900 == from_reply("452", "", Scene("h", Stage.STORE)).retry_after


BROKEN: list[tuple[Stage, Exception, str]] = [
    (Stage.CONNECT, socket.gaierror(-2, "Name or service not known"), "ftp-unreachable"),
    (Stage.CONNECT, ConnectionRefusedError(111, "Connection refused"), "ftp-unreachable"),
    (Stage.CONNECT, TimeoutError(), "ftp-unreachable"),
    (Stage.STORE, ConnectionResetError(), "ftp-broken-off"),
    (Stage.STORE, TimeoutError(), "ftp-broken-off"),
    (Stage.SIZE, EOFError(), "ftp-broken-off"),
    (Stage.STORE, ssl.SSLError(1, "alert"), "ftp-tls-failed"),
    (Stage.STORE, ValueError("rubbish"), "ftp-garbled"),
    (Stage.STORE, IndexError(), "ftp-garbled"),
    (Stage.STORE, OverflowError(), "ftp-garbled"),
    (Stage.STORE, aioftp.AIOFTPException(), "ftp-garbled"),
]


@pytest.mark.parametrize(("stage", "error", "code"), BROKEN)
def test_broken_connections(stage: Stage, error: Exception, code: str) -> None:
    """Whatever breaks a connection is one of ours, may pass by itself, and says what broke."""
    assert isinstance(error, FOREIGN)
    problem = from_exception(error, Scene("ftp.example.org", stage))
    assert (code, RETRY) == (problem.code, problem.handling)
    assert "ftp.example.org" in problem.message


def test_a_reply_is_shown_clean_short_and_without_the_secret() -> None:
    """Control characters, a long text and our own password do not get through."""
    error = aioftp.StatusCodeError(Code("2xx"), Code("530"), [" no\x1b[31m s3cret " + "x" * 999])
    problem: HostProblem = from_exception(error, Scene("h", Stage.LOGIN, secret="s3cret"))
    assert "\x1b" not in problem.message
    assert "s3cret" not in str(problem.as_dict())
    assert 350 > len(problem.message)


def test_keys_cannot_be_guessed_or_confused() -> None:
    """26 characters of lower-case base32 and the suffix: 130 bits, no dash or dot in front."""
    keys = {new_key() for _ in range(1000)}
    assert 1000 == len(keys)
    assert {30} == {len(key) for key in keys}
    assert set("".join(keys)) <= set("abcdefghijklmnopqrstuvwxyz234567.")
    assert new_key(".part").endswith(".part")

"""Signed requests of Meta, and the secret of one login."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from pydantic import SecretStr

from mediawatch.crypto.signing import (
    BadSignature,
    challenge_of,
    new_verifier,
    read_signed_request,
)

SECRET, OTHER = SecretStr("an-app-secret"), SecretStr("the-other-login's")
NOW = 1_800_000_000
SAYS: dict[str, Any] = {
    "algorithm": "HMAC-SHA256",
    "expires": NOW + 3600,
    "issued_at": NOW,
    "user_id": "218471",
}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(payload: Any = SAYS, secret: SecretStr = SECRET, *, raw: bytes | None = None) -> str:
    body = encoded(json.dumps(payload).encode() if raw is None else raw)
    made = hmac.new(secret.get_secret_value().encode(), body.encode(), hashlib.sha256).digest()
    return f"{encoded(made)}.{body}"


def test_a_signed_request_tells_whom_it_is_about() -> None:
    """And which of the app secrets signed it: the two logins have one each."""
    read = read_signed_request(signed(), [OTHER, SECRET], NOW)
    assert ("218471", NOW, 1) == (read.user_id, read.issued_at, read.signer)


def test_both_alphabets_and_padding_are_read() -> None:
    """Meta's own samples have them all."""
    signature, body = signed(SAYS | {"x": "??>>~~"}).split(".")
    plain = signature.replace("-", "+").replace("_", "/") + "=" * (-len(signature) % 4)
    assert "218471" == read_signed_request(f"{plain}.{body}", [SECRET], NOW).user_id


def test_an_id_may_be_a_number() -> None:
    """As some of Meta's samples have it."""
    assert "7" == read_signed_request(signed(SAYS | {"user_id": 7}), [SECRET], NOW).user_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a",
        signed().replace(".", ""),
        signed() + ".",
        signed() + " ",
        "\n" + signed(),
        signed() + "\n",
        signed().split(".")[0] + ".",
        "." + signed().split(".")[1],
        signed(secret=OTHER),
        signed(secret=SecretStr("")),
        signed()[1:],
        signed()[:-1],
        f"{signed().split('.')[0]}.{signed(SAYS | {'user_id': '1'}).split('.')[1]}",
        f"{encoded(b'')}A.{signed().split('.')[1]}",
        signed({"user_id": "1"} | {k: v for k, v in SAYS.items() if k != "algorithm"}),
        signed(SAYS | {"algorithm": "none"}),
        signed(SAYS | {"algorithm": "HMAC-SHA1"}),
        signed(SAYS | {"algorithm": "hmac-sha256"}),
        signed(SAYS | {"algorithm": ["HMAC-SHA256"]}),
        signed({k: v for k, v in SAYS.items() if k != "issued_at"}),
        signed(SAYS | {"issued_at": str(NOW)}),
        signed(SAYS | {"issued_at": True}),
        signed(SAYS | {"issued_at": NOW - 86_401}),
        signed(SAYS | {"issued_at": NOW + 301}),
        signed(SAYS | {"issued_at": -1}),
        signed(SAYS | {"issued_at": 10**400}),
        signed(SAYS | {"expires": NOW - 1}),
        signed(SAYS | {"expires": "soon"}),
        signed({k: v for k, v in SAYS.items() if k != "user_id"}),
        signed(SAYS | {"user_id": None}),
        signed(SAYS | {"user_id": True}),
        signed(SAYS | {"user_id": ""}),
        signed(SAYS | {"user_id": "../1"}),
        signed(SAYS | {"user_id": "1\n"}),
        signed(SAYS | {"user_id": "٣"}),
        signed(SAYS | {"user_id": {"id": "1"}}),
        signed([SAYS]),
        signed("a text"),
        signed(raw=b"\xff\xfe"),
        signed(raw=b"{" * 5000),
        signed(SAYS | {"padding": "x" * 9000}),
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """With one error that repeats nothing of it."""
    with pytest.raises(BadSignature) as caught:
        read_signed_request(text, [SECRET], NOW)
    assert "bad-signature" == caught.value.code
    assert caught.value.remedy
    assert SECRET.get_secret_value() not in repr(caught.value)


def test_without_a_secret_nothing_is_believed() -> None:
    """An app that is not set up believes nobody."""
    with pytest.raises(BadSignature):
        read_signed_request(signed(), [], NOW)


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == challenge_of(verifier)
    assert 43 == len(new_verifier())
    assert new_verifier() != new_verifier()

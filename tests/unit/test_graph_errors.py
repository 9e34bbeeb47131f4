"""What Meta's refusals mean."""

from __future__ import annotations

import pytest

from mediawatch.errors import Handling
from mediawatch.graph.errors import (
    TABLE,
    GraphError,
    GraphUnreachable,
    classify,
    from_answer,
)


def envelope(code: int, subcode: int | None = None, **more: object) -> dict[str, object]:
    error = {"message": "No.", "code": code, "error_subcode": subcode, **more}
    return {"error": error}


@pytest.mark.parametrize(
    ("code", "subcode", "http", "handling"),
    [
        (190, 463, 400, Handling.PARK),
        (190, None, 401, Handling.PARK),
        (200, None, 403, Handling.PARK),
        (294, None, 403, Handling.PARK),
        (10, None, 403, Handling.PARK),
        (4, None, 403, Handling.WAIT),
        (4, 2207051, 403, Handling.PARK),
        (9, 2207042, 400, Handling.WAIT),
        (80002, None, 400, Handling.WAIT),
        (2, None, 400, Handling.RETRY),
        (-1, 2207001, 500, Handling.RETRY),
        (9004, 2207052, 400, Handling.RETRY),
        (36003, 2207009, 400, Handling.HOLD),
        (100, 33, 400, Handling.RETRY),
        (100, 2207023, 400, Handling.HOLD),
        (424242, None, 400, Handling.HOLD),
        (424242, None, 500, Handling.RETRY),
    ],
)
def test_a_code_decides_not_the_http_status(
    code: int, subcode: int | None, http: int, handling: Handling
) -> None:
    """Code, then subcode, then is_transient, then the HTTP class; the unknown is held."""
    error = from_answer(http, envelope(code, subcode))

    assert isinstance(error, GraphError)
    assert handling is error.handling
    assert str(code) in error.message


def test_meta_may_say_that_it_passes() -> None:
    """An unknown code with is_transient is tried again."""
    assert Handling.RETRY is classify(424242, None, 400, is_transient=True).handling


@pytest.mark.parametrize("body", [None, "<html>", [], {}])
def test_an_answer_that_is_no_envelope(body: object) -> None:
    """HTML on a 5xx is "no answer"; on anything else it is held."""
    assert isinstance(from_answer(502, body), GraphUnreachable)
    assert Handling.HOLD is from_answer(400, body).handling


def test_every_verdict_tells_what_to_do() -> None:
    """No row of the table leaves a person without a next step."""
    assert all(verdict.remedy and verdict.code for verdict in TABLE.values())

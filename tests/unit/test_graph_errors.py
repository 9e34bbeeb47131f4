"""What Meta's refusals mean, listed a second time from Meta's pages, and read from any answer."""

from __future__ import annotations

import pytest

from mediawatch.errors import Handling
from mediawatch.graph.errors import (
    GraphError,
    GraphUnreachable,
    classify,
    from_answer,
    of_container,
)
from mediawatch.graph.verdicts import REBUILDS, TABLE, Remedy, Scope

#: The rows of Meta's tables and of what others met: code, subcode, remedy, tries.
ROWS: list[tuple[int, int | None, str, int | None]] = [
    # Generic codes (Graph API, "Handling Errors"; Instagram Platform, "Error Codes").
    (1, None, "retry", 5),
    (2, None, "retry", None),
    (3, None, "reconnect", None),
    (4, None, "wait", None),
    (4, 2207051, "stop", None),
    (9, 2207042, "wait", None),
    (10, None, "reconnect", None),
    (17, None, "wait", None),
    (20, 1772107, "hold", None),
    (24, 2207006, "rebuild", None),
    (24, 2207008, "rebuild", None),
    (25, 2207050, "stop", None),
    (32, None, "wait", None),
    (100, None, "hold", None),
    (100, 33, "retry", None),
    (102, None, "reconnect", None),
    (104, None, "reconnect", None),
    (190, None, "reconnect", None),
    (190, 458, "reconnect", None),
    (190, 459, "reconnect", None),
    (190, 460, "reconnect", None),
    (190, 463, "reconnect", None),
    (190, 464, "reconnect", None),
    (190, 467, "reconnect", None),
    (190, 492, "reconnect", None),
    *((code, None, "reconnect", None) for code in range(200, 300)),
    (341, None, "wait", None),
    (352, 2207026, "fix file", None),
    (368, None, "stop", None),
    (506, None, "hold", None),
    (613, None, "wait", None),
    (613, 1996, "wait", None),
    (803, None, "hold", None),
    (2500, None, "hold", None),
    (9004, 2207052, "fix hosting", 3),
    (9007, 2207027, "wait", None),
    (36000, None, "fix file", None),
    (36001, None, "fix file", None),
    (36002, None, "hold", None),
    (36003, None, "fix file", None),
    (36004, None, "fix file", None),
    (-1, None, "retry", 5),
    (-2, None, "retry", None),
    (80001, None, "wait", None),
    (80002, None, "wait", None),
    (80006, None, "wait", None),
    # Instagram's subcodes.
    (-2, 2207003, "fix hosting", 3),
    (-2, 2207020, "rebuild", None),
    (-1, 2207001, "retry", 5),
    (-1, 2207032, "rebuild", 3),
    (-1, 2207053, "rebuild", 2),
    (1, 2207057, "fix file", None),
    (100, 2207023, "hold", None),
    (100, 2207028, "fix file", None),
    (100, 2207035, "fix file", None),
    (100, 2207036, "fix file", None),
    (100, 2207037, "fix file", None),
    (100, 2207040, "fix file", None),
    (36000, 2207004, "fix file", None),
    (36001, 2207005, "fix file", None),
    (36003, 2207009, "fix file", None),
    (36004, 2207010, "fix file", None),
    (-1, 2207073, "hold", None),
    (100, 2207081, "fix file", None),
    # Audio, since mid-2026.
    *(
        (100, sub, "fix file", None)
        for sub in (9050, 9052, 9054, 9055, 9056, 9057, 9058, 9060, 9062, 9063, 9064)
    ),
    (200, 9053, "reconnect", None),
    (10, 9053, "reconnect", None),
]
#: Subcodes in the status of a container: what it means, and how many new ones are made.
CONTAINERS: list[tuple[int | None, str, int]] = [
    (2207076, "rebuild", 1),
    (2207077, "rebuild", 2),
    (2207082, "rebuild", 1),
    (2207085, "fix file", 0),
    (2207081, "fix file", 0),
    (2207026, "fix file", 0),
    (2207053, "rebuild", 1),
    (2207032, "rebuild", 2),
    (2207020, "rebuild", REBUILDS),
    (2207052, "fix hosting", 2),
    (2207003, "fix hosting", 2),
    (2207001, "retry", 4),
    (2207004, "fix file", 0),
    (2207009, "fix file", 0),
    (2207051, "stop", 0),
    (2207050, "stop", 0),
    (None, "retry", REBUILDS),
    (2207999, "rebuild", 1),
]


def envelope(code: object, subcode: object = None, **more: object) -> dict[str, object]:
    error = {"message": "No.", "code": code, "error_subcode": subcode, **more}
    return {"error": error}


@pytest.mark.parametrize(("code", "subcode", "remedy", "tries"), ROWS)
@pytest.mark.parametrize("http", [400, 403, 500])
def test_every_row_of_metas_tables(
    code: int, subcode: int | None, remedy: str, tries: int | None, http: int
) -> None:
    """Code and subcode decide, whatever the HTTP status is and whether Meta says that it passes."""
    for transient in (False, True):
        error = from_answer(http, envelope(code, subcode, is_transient=transient))

        assert isinstance(error, GraphError)
        assert (remedy, tries) == (error.verdict.kind, error.verdict.tries)
        assert str(code) in error.message
        assert len(error.remedy.split()) > 3


@pytest.mark.parametrize(("subcode", "remedy", "rebuilds"), CONTAINERS)
def test_every_end_of_a_container(subcode: int | None, remedy: str, rebuilds: int) -> None:
    """What the status of a dead container says decides how many new ones are worth making."""
    verdict = of_container(subcode)

    assert (remedy, rebuilds) == (verdict.kind, verdict.rebuilds)


def test_the_table_has_no_row_that_is_not_listed_here() -> None:
    """A new row is listed twice, or this list is no check on the table."""
    listed: set[tuple[int | None, int | None]] = {(row[0], row[1]) for row in ROWS}
    listed |= {(None, subcode) for subcode, _, _ in CONTAINERS}
    general = {(code, None) for code, _ in listed}

    assert set() == set(TABLE) - listed - general


@pytest.mark.parametrize(
    ("code", "subcode", "http", "remedy"),
    [
        (424242, None, 400, "hold"),
        (424242, 1234, 400, "hold"),
        (None, None, 400, "hold"),
        (424242, None, 500, "retry"),
        (424242, None, 429, "wait"),
        (424242, 2207999, 400, "rebuild"),
        (100, 2207999, 400, "rebuild"),
        (-1, 2207999, 500, "rebuild"),
        (4, 2207999, 400, "wait"),
        (190, 2207999, 400, "reconnect"),
        (36003, 2207999, 400, "fix file"),
        (100, 4321, 400, "hold"),
        (-1, 2207085, 400, "fix file"),
    ],
)
def test_what_nobody_has_told_of(
    code: int | None, subcode: int | None, http: int, remedy: str
) -> None:
    """A known subcode beside another code means the same; an unknown one of Instagram is worth
    one new container; the rest is held, unless the HTTP class says that it passes."""
    assert remedy == classify(code, subcode, http).kind


def test_an_unknown_subcode_is_tried_once_more_only() -> None:
    """Permanent after one fresh container."""
    verdict = classify(100, 2207999, 400)

    assert (2, 1, Handling.RETRY) == (verdict.tries, verdict.rebuilds, verdict.handling)


@pytest.mark.parametrize("code", [424242, 100])
def test_meta_may_say_that_it_passes(code: int) -> None:
    """What is not known by its code is tried again if is_transient says so."""
    assert Handling.RETRY is classify(code, 987654, 400, is_transient=True).handling


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        (4, Scope.APP),
        (341, Scope.APP),
        (32, Scope.PAGE),
        (80001, Scope.PAGE),
        (17, Scope.ACCOUNT),
        (613, Scope.ACCOUNT),
        (80002, Scope.ACCOUNT),
        (80006, Scope.ACCOUNT),
    ],
)
def test_whose_calls_a_limit_is_about(code: int, scope: Scope) -> None:
    """Each limit pauses its own scope, and none parks or holds a post."""
    verdict = classify(code, None, 400)

    assert (scope, Handling.WAIT, "rate-limit") == (verdict.scope, verdict.handling, verdict.code)


def test_what_is_about_the_account_stops_it() -> None:
    """Reconnect and stop are the account's; everything else is one post's."""
    stops = {verdict.kind for verdict in TABLE.values() if verdict.stops_account}

    assert {Remedy.RECONNECT, Remedy.STOP} == stops
    assert 86400 == classify(4, 2207051, 403).retry_after == classify(368, None, 400).retry_after
    assert classify(25, 2207050, 400).retry_after is None


def test_every_verdict_tells_what_to_do() -> None:
    """No row of the table leaves a person without a next step: a whole sentence."""
    assert [] == [
        verdict.remedy
        for verdict in TABLE.values()
        if not verdict.remedy[0].isupper() and not verdict.remedy.startswith("mediawatch")
    ]
    assert all(verdict.remedy.endswith((".", "`.")) for verdict in TABLE.values())


@pytest.mark.parametrize("body", [None, "<html>", [], {}])
@pytest.mark.parametrize("http", [200, 302, 407, 500, 502, 503])
def test_an_answer_that_is_no_envelope_is_no_answer(body: object, http: int) -> None:
    """A page on a 5xx, the page of a hotel's network, nothing at all: tried again."""
    assert isinstance(from_answer(http, body), GraphUnreachable)


@pytest.mark.parametrize("body", [None, "<html>", [], {}])
@pytest.mark.parametrize(("http", "handling"), [(400, Handling.HOLD), (429, Handling.WAIT)])
def test_a_refusal_without_a_reason(body: object, http: int, handling: Handling) -> None:
    """4xx without an envelope is a refusal of something unknown, and 429 says what it is."""
    assert handling is from_answer(http, body).handling


@pytest.mark.parametrize(
    ("http", "body", "words", "handling"),
    [
        (
            400,
            {
                "error_type": "OAuthException",
                "code": 400,
                "error_message": "Matching code was not found or was already used",
            },
            "Matching code was not found",
            Handling.HOLD,
        ),
        (
            400,
            {
                "debug_info": {
                    "retriable": False,
                    "type": "ProcessingFailedError",
                    "message": '{"success":false,"error":{"message":"unauthorized user request"}}',
                }
            },
            "unauthorized user request",
            Handling.HOLD,
        ),
        (
            400,
            {"debug_info": {"retriable": True, "message": "Try again"}},
            "Try again",
            Handling.RETRY,
        ),
        (
            400,
            {"error": "invalid_request", "error_description": "The code is missing"},
            "The code is missing",
            Handling.HOLD,
        ),
    ],
)
def test_the_other_shapes_of_an_error(
    http: int, body: dict[str, object], words: str, handling: Handling
) -> None:
    """api.instagram.com, rupload.facebook.com and OAuth each write errors in their own way."""
    error = from_answer(http, body)

    assert words in error.message
    assert handling is error.handling


def test_a_challenge_tells_what_the_body_does_not() -> None:
    """WWW-Authenticate with invalid_token is code 190, whatever the body is."""
    challenge = 'OAuth "Facebook Platform" "invalid_token" "Session has expired"'

    error = from_answer(401, None, challenge)

    assert ("token", Handling.PARK) == (error.code, error.handling)
    assert "Session has expired" in error.message


@pytest.mark.parametrize(
    ("code", "subcode"),
    [("190", "463"), (190.0, 463.0), (190, "463"), ("190", None)],
)
def test_numbers_in_any_clothes(code: object, subcode: object) -> None:
    """A code that comes as text is the same code."""
    assert "token" == from_answer(400, envelope(code, subcode)).code


@pytest.mark.parametrize(
    "error",
    [
        {},
        {"code": None, "message": None},
        {"code": [190], "message": {"a": 1}},
        {"code": float("inf"), "error_subcode": float("nan")},
        {"code": "one", "message": "x" * 100_000, "fbtrace_id": ["t"] * 1000},
        {"code": 10**30, "error_user_msg": 7},
    ],
)
def test_garbage_is_held_and_kept_short(error: dict[str, object]) -> None:
    """Whatever stands in an envelope: an error with a sentence of bounded length."""
    problem = from_answer(400, {"error": error})

    assert Handling.HOLD is problem.handling
    assert 0 < len(problem.message) < 700

"""Meta's limits of calls: read from any header, and obeyed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from mediawatch.errors import GraphProblem, Handling
from mediawatch.graph.errors import GraphError
from mediawatch.graph.pacing import BELIEVED, REST, SLOW_GAP, GraphPaused, Pacing
from mediawatch.graph.usage import Usage, read_usage
from mediawatch.graph.verdicts import Scope
from mediawatch.log import silent
from tests.support.publishing import NotingLog

ME, OTHER = "17841400000000001", "17841400000000002"


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacing(clock: Clock) -> Pacing:
    return Pacing(clock, silent())


def app(percent: int) -> dict[str, str]:
    return {"X-App-Usage": json.dumps({"call_count": percent, "total_time": 1})}


def business(percent: int, regain: object = 0, key: str = ME, kind: str = "instagram") -> str:
    row = {"type": kind, "call_count": 1, "total_time": percent}
    return json.dumps({key: [{**row, "estimated_time_to_regain_access": regain}]})


def refusal(number: int, subcode: int | None = None) -> GraphError:
    return GraphError("No.", number=number, subcode=subcode, http_status=400)


@pytest.mark.parametrize(
    ("headers", "usages"),
    [
        ({}, []),
        (app(28), [Usage(Scope.APP, 28)]),
        ({"X-App-Usage": '"17%"'}, [Usage(Scope.APP, 17)]),
        ({"X-App-Usage": "17%"}, [Usage(Scope.APP, 17)]),
        ({"X-Page-Usage": '{"total_cputime": 91}'}, [Usage(Scope.PAGE, 91)]),
        (
            {"X-Business-Use-Case-Usage": business(85, 3)},
            [Usage(Scope.ACCOUNT, 85, 3)],
        ),
        # Which id is the key is not documented: the account's, or its business's.
        ({"X-Business-Use-Case-Usage": business(85, key="999")}, [Usage(Scope.ACCOUNT, 85)]),
        (
            {"X-Business-Use-Case-Usage": business(85, kind="pages")},
            [Usage(Scope.PAGE, 85)],
        ),
        ({"X-Business-Use-Case-Usage": business(99, kind="ads_insights")}, []),
    ],
)
def test_each_form_of_the_headers(headers: Mapping[str, str], usages: list[Usage]) -> None:
    """The fullest of the percentages counts, of the rows that are about us."""
    assert usages == read_usage(headers, ME)


def test_the_own_row_counts_and_not_the_neighbours() -> None:
    """With the account's own id among the keys, the other accounts' rows are theirs."""
    rows = json.loads(business(20)) | json.loads(business(99, key=OTHER))

    headers = {"X-Business-Use-Case-Usage": json.dumps(rows)}

    assert [Usage(Scope.ACCOUNT, 20)] == read_usage(headers, ME)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[[1]]",
        "{",
        '{"call_count": "many"}',
        '{"call_count": -5}',
        '{"call_count": NaN}',
        '{"call_count": Infinity}',
        '{"17841400000000001": null}',
        '{"17841400000000001": [null, 7, {"type": []}]}',
        '{"17841400000000001": {"estimated_time_to_regain_access": {}}}',
        "%",
        "\x00",
        "[" * 100_000,
    ],
)
def test_garbage_is_left_out(text: str) -> None:
    """A header that cannot be understood neither fails a call nor slows it."""
    names = ("X-App-Usage", "X-Page-Usage", "X-Business-Use-Case-Usage")

    assert [] == read_usage(dict.fromkeys(names, text), ME)


def test_minutes_without_end_are_a_day(clock: Clock, pacing: Pacing) -> None:
    """Meta's windows are a day at the most: a larger number is a mistake."""
    pacing.learn(ME, {"X-Business-Use-Case-Usage": business(100, 10**12)})

    assert clock.at + 86400 == pacing.pace(ME).until


@pytest.mark.parametrize(
    ("percent", "word", "essential", "other"),
    [
        (74, "free", True, True),
        (75, "slow", True, True),
        (89, "slow", True, True),
        (90, "spare", True, False),
        (99, "spare", True, False),
        (100, "rest", False, False),
        (140, "rest", False, False),
    ],
)
def test_the_rule(pacing: Pacing, percent: int, word: str, essential: bool, other: bool) -> None:
    """Slow from 75 %, without what can be done without from 90 %, at rest from 100 %."""
    pacing.learn(ME, app(percent))

    assert word == pacing.pace(ME).word
    assert [essential, other] == [admitted(pacing, essential=True), admitted(pacing)]


def admitted(pacing: Pacing, account: str = ME, *, essential: bool = False) -> bool:
    try:
        pacing.admit(account, essential=essential)
    except GraphPaused:
        return False
    return True


def test_an_account_rests_alone_and_an_app_as_a_whole(pacing: Pacing) -> None:
    """What is told of one account is none of another's business; the app is everybody's."""
    pacing.learn(ME, {"X-Business-Use-Case-Usage": business(100)})
    assert [False, True] == [admitted(pacing, ME), admitted(pacing, OTHER)]

    pacing.learn(ME, app(100))
    assert [False, False] == [admitted(pacing, ME), admitted(pacing, OTHER)]


def test_the_minutes_that_meta_names(clock: Clock, pacing: Pacing) -> None:
    """estimated_time_to_regain_access is in minutes, and until then no call is made."""
    pacing.learn(ME, {"X-Business-Use-Case-Usage": business(100, 3)})

    clock.at += 179
    with pytest.raises(GraphPaused, match="2027-01-15T08:03:00") as caught:
        pacing.admit(ME, essential=True)
    assert (Handling.WAIT, 1.0) == (caught.value.handling, caught.value.retry_after)

    clock.at += 1
    assert admitted(pacing, essential=True)


@pytest.mark.parametrize("number", [4, 17, 32, 341, 613, 80001, 80002, 80006])
def test_a_refusal_for_too_many_calls_rests(clock: Clock, pacing: Pacing, number: int) -> None:
    """Without minutes from Meta it is a quarter of an hour."""
    pacing.learn_refusal(ME, refusal(number))

    clock.at += REST - 1
    assert not admitted(pacing, essential=True)
    clock.at += 1
    assert admitted(pacing, essential=True)


def test_minutes_in_the_headers_of_a_refusal_count(clock: Clock, pacing: Pacing) -> None:
    """80002 with its own minutes: they are believed, not our quarter of an hour."""
    pacing.learn(ME, {"X-Business-Use-Case-Usage": business(100, 2)})
    pacing.learn_refusal(ME, refusal(80002))

    assert clock.at + 120 == pacing.pace(ME).until


def test_other_refusals_do_not_rest(pacing: Pacing) -> None:
    """4/2207051 is a block of the account and 100 nobody's limit: neither pauses the app."""
    for number, subcode in ((4, 2207051), (100, None), (9, 2207042), (9007, 2207027)):
        pacing.learn_refusal(ME, refusal(number, subcode))

    assert admitted(pacing)


def test_what_was_told_grows_old(clock: Clock, pacing: Pacing) -> None:
    """Without calls nothing new is told: after five minutes one may ask anew."""
    pacing.learn(ME, app(95))

    clock.at += BELIEVED

    assert "free" == pacing.pace(ME).word
    assert admitted(pacing)


def test_a_lower_percentage_is_believed_at_once(pacing: Pacing) -> None:
    """The last answer counts."""
    pacing.learn(ME, app(95))
    pacing.learn(ME, app(10))

    assert "free" == pacing.pace(ME).word


def test_turns_are_apart_and_kept(clock: Clock, pacing: Pacing) -> None:
    """While slow posts begin one after the other, in the order in which they first asked."""
    pacing.learn(ME, app(80))
    assert [0, SLOW_GAP, 2 * SLOW_GAP] == [pacing.turn(ME, post) for post in "abc"]

    clock.at += SLOW_GAP
    assert [SLOW_GAP, 0] == [pacing.turn(ME, "c"), pacing.turn(ME, "b")]
    assert 2 * SLOW_GAP == pacing.turn(ME, "d")


def test_nobody_waits_for_a_far_turn_without_looking_again(pacing: Pacing) -> None:
    """A thousand posts do not wait for hours when the limit has room again in minutes."""
    pacing.learn(ME, app(80))

    waits = [pacing.turn(ME, str(number)) for number in range(1000)]

    assert BELIEVED == max(waits)
    pacing.learn(ME, app(10))
    assert {0.0} == {pacing.turn(ME, str(number)) for number in range(1000)}


def test_a_refused_token_is_not_used_again(pacing: Pacing) -> None:
    """After 190 every call of the account meets the same refusal, without a call."""
    pacing.accept(ME, None)
    pacing.learn_refusal(ME, refusal(190, 463))

    with pytest.raises(GraphError, match="190/463"):
        pacing.admit(ME, essential=True)
    pacing.accept(ME, None)
    with pytest.raises(GraphProblem):
        pacing.admit(ME, essential=True)
    assert admitted(pacing, OTHER)

    pacing.accept(ME, 1_700_000_000.0)
    assert admitted(pacing)


def test_a_limit_slows_whom_it_is_about_and_nobody_else(clock: Clock) -> None:
    """Of an account: that one. Of an app: all that came by its login, and none of the other."""
    by_login = {ME: "facebook", OTHER: "facebook", "17841400000000003": "instagram"}
    pacing = Pacing(clock, silent(), app_of=by_login.__getitem__)

    pacing.learn_refusal(ME, refusal(80002))
    assert ["rest", "free", "free"] == [pacing.pace(each).word for each in by_login]

    pacing.learn(OTHER, app(100))
    assert ["rest", "rest", "free"] == [pacing.pace(each).word for each in by_login]
    pacing.admit("17841400000000003", essential=False)


def test_the_limit_of_an_app_is_told_once_for_all_its_accounts(clock: Clock) -> None:
    """A thousand accounts are not a thousand warnings."""
    log = NotingLog()
    pacing = Pacing(clock, log, app_of=lambda account_id: "facebook")
    for number in range(50):
        pacing.learn(f"178414000000000{number:02}", app(80))

    assert 1 == len(log.lines)
    assert {"app": 0.8} == pacing.fullest()

"""How fast Meta may be called: what its answers tell of its limits is obeyed.

The rule, for each scope (the app, a Page, an account), by the fullest percentage last told:

    below 75   no restraint
    from 75    slow: posts are begun ``SLOW_GAP`` seconds apart
    from 90    spare: no post is begun or sent, and no call is made that can be done without
    from 100   rest: no call at all, for the minutes that Meta names, else ``REST``; the same
               after codes 4, 17, 32, 341, 613 and 8000x

What was told is believed for ``BELIEVED`` seconds: then one post asks anew. Held in memory only:
after a restart the first answer tells again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mediawatch.clock import Clock, iso
from mediawatch.errors import GraphProblem, Handling
from mediawatch.graph.errors import GraphError
from mediawatch.graph.usage import read_usage
from mediawatch.graph.verdicts import Scope
from mediawatch.log import Log

SLOW_AT, SPARE_AT, REST_AT = 75.0, 90.0, 100.0
SLOW_GAP = 30.0
BELIEVED = 300.0
REST = 900.0

_Key = tuple[Scope, str]


class GraphPaused(GraphProblem):
    """The call was not made: Meta's limits leave no room for it now."""

    code = "rate-limit"
    handling = Handling.WAIT


@dataclass(frozen=True, slots=True)
class Pace:
    """``percent`` used of the fullest limit, ``until`` when that is believed or calls rest.

    ``until`` is in seconds since the epoch; ``resting``: no call at all is made.
    """

    percent: float = 0.0
    until: float = 0.0
    resting: bool = False

    @property
    def word(self) -> str:
        """free, slow, spare or rest."""
        if self.resting:
            return "rest"
        if self.percent >= SPARE_AT:
            return "spare"
        return "slow" if self.percent >= SLOW_AT else "free"

    @property
    def sentence(self) -> str:
        """For people; empty if there is no restraint."""
        until = iso(self.until)
        return {
            "rest": f"Meta takes no more calls for now; none is made until {until}.",
            "spare": f"{self.percent:.0f} % of Meta's limit of calls are used; "
            f"posts wait until {until}.",
            "slow": f"{self.percent:.0f} % of Meta's limit of calls are used; "
            f"posts are begun {SLOW_GAP:.0f} s apart.",
            "free": "",
        }[self.word]


class Pacing:
    """Told of every answer, asked before every call. Used from one event loop only."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        #: Percent, and until when it is believed. All times are on the monotonic clock.
        self._used: dict[_Key, tuple[float, float]] = {}
        self._rests: dict[_Key, float] = {}
        #: When the next post of an account may begin, and who has which turn.
        self._next: dict[str, float] = {}
        self._turns: dict[str, dict[str, float]] = {}
        #: The refusal of an account's token; and when the account was last released.
        self._refused: dict[str, GraphProblem] = {}
        self._released: dict[str, float | None] = {}
        self._said: dict[str, str] = {}

    # Told.

    def learn(self, account_id: str, headers: Mapping[str, str]) -> None:
        """The headers of an answer to a call of this account."""
        for usage in read_usage(headers, account_id):
            key, believed = _key(usage.scope, account_id), BELIEVED
            if usage.percent >= REST_AT or usage.regain > 0:
                believed = usage.regain * 60 or REST
                self._rest(key, believed)
            self._used[key] = (usage.percent, self._clock.monotonic() + believed)
        self._say(account_id)

    def learn_refusal(self, account_id: str, error: GraphError) -> None:
        """An error that was answered: a limit that is reached, or a token that is refused."""
        verdict = error.verdict
        if verdict.scope is not None:
            key = _key(verdict.scope, account_id)
            if self._rests.get(key, 0.0) <= self._clock.monotonic():
                self._rest(key, verdict.retry_after or REST)
            self._say(account_id)
        if verdict.code == "token":
            self.refuse(account_id, error)

    def refuse(self, account_id: str, error: GraphProblem) -> None:
        """The account's token is dead: nothing more is asked with it."""
        self._refused[account_id] = error

    def accept(self, account_id: str, released_at: float | None) -> None:
        """When the journal last let the account go on: a release that is new makes good."""
        if self._released.get(account_id) != released_at:
            self._refused.pop(account_id, None)
        self._released[account_id] = released_at

    # Asked.

    def admit(self, account_id: str, *, essential: bool) -> None:
        """Before a call. Raises GraphPaused, or again the refusal of a dead token."""
        if refused := self._refused.get(account_id):
            raise refused.with_traceback(None)
        pace = self.pace(account_id)
        if pace.resting or (pace.word == "spare" and not essential):
            raise GraphPaused(
                pace.sentence,
                remedy="Nothing to do: mediawatch goes on by itself.",
                retry_after=max(1.0, pace.until - self._clock.now()),
            )

    def pace(self, account_id: str) -> Pace:
        """How the account's calls stand."""
        steady, now = self._clock.monotonic(), self._clock.now()
        percent, until = max(
            (
                self._used[key]
                for key in _keys(account_id)
                if key in self._used and self._used[key][1] > steady
            ),
            default=(0.0, steady),
        )
        rest = max(self._rests.get(key, 0.0) for key in _keys(account_id))
        if rest > steady:
            return Pace(percent, now + rest - steady, resting=True)
        return Pace(percent, now + until - steady)

    def used(self, account_id: str) -> dict[str, float]:
        """How much of each limit is used, 0 to 1 and above, of what was told and is believed."""
        steady = self._clock.monotonic()
        return {
            key[0].value: self._used[key][0] / 100
            for key in _keys(account_id)
            if key in self._used and self._used[key][1] > steady
        }

    def most_used(self) -> dict[str, float]:
        """``used`` of all accounts together: of each scope what the fullest has used."""
        steady, found = self._clock.monotonic(), dict[str, float]()
        for (scope, _), (percent, until) in self._used.items():
            if until > steady:
                found[scope.value] = max(found.get(scope.value, 0.0), percent / 100)
        return found

    def turn(self, account_id: str, post_id: str) -> float:
        """Seconds until this post may begin, while slow; 0 if it may now. Turns are kept."""
        if self.pace(account_id).word != "slow":
            self._turns.pop(account_id, None)
            self._next.pop(account_id, None)
            return 0.0
        now = self._clock.monotonic()
        turns = self._turns.setdefault(account_id, {})
        if post_id not in turns:
            turns[post_id] = max(now, self._next.get(account_id, now))
            self._next[account_id] = turns[post_id] + SLOW_GAP
        if turns[post_id] > now:
            return min(turns[post_id] - now, BELIEVED)
        del turns[post_id]
        return 0.0

    def _rest(self, key: _Key, seconds: float) -> None:
        self._rests[key] = max(self._rests.get(key, 0.0), self._clock.monotonic() + seconds)

    def _say(self, account_id: str) -> None:
        """Once for each change."""
        pace = self.pace(account_id)
        before = self._said.get(account_id, "free")
        if pace.word == before:
            return
        self._said[account_id] = pace.word
        if pace.word == "free":
            self._log.info("Meta's limits leave room again.", action="pace")
        else:
            self._log.warning(
                pace.sentence,
                action="pace",
                remedy="Nothing to do: mediawatch goes on by itself.",
            )


def _key(scope: Scope, account_id: str) -> _Key:
    """An app has one limit for all accounts; a Page belongs to one account."""
    return (scope, "" if scope is Scope.APP else account_id)


def _keys(account_id: str) -> Iterator[_Key]:
    return (_key(scope, account_id) for scope in Scope)

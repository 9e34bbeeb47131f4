"""Scripted faults: which request goes wrong, and how.

A scenario is a TOML or JSON file::

    seed = 7            # makes `probability` repeatable
    usage = 85          # percent told in the rate-limit headers (default 1)

    [headers]           # sent with every answer, in place of the usual ones of that name
    X-App-Usage = "17%"

    [person]            # whose a token is that nobody granted here; every key may be left out
    scopes = ["instagram_basic", "instagram_content_publish"]
    declined = ["pages_show_list"]
    token_lasts = 172800        # seconds; data_access_lasts likewise
    account_type = "BUSINESS"
    page_linked = true

    [[persons]]         # who may log in, and to which [[apps]]: see ``people``
    id = "9000000000000001"

    [[rules]]
    on = "media_publish"
    nth = 3             # the third request that matches; `times` is then 1
    do = "drop-after"

    [[rules]]
    on = "create"
    match = "beach"     # only if the caption or the media address contains this
    do = "error"
    code = 9004
    subcode = 2207052

    [[rules]]
    on = "any"
    probability = 0.1
    do = "delay"
    seconds = 0.5

``on`` is an endpoint: create (of any container), create-child (of a carousel's item only), upload
(of a resumable video), status (of a container), media_publish, comment (write one), comments (read
them), listing, stories, limit, permalink (the media node), user, permissions, pages, page,
debug-token, exchange (a code or a short-lived token), refresh, revoke; or any. Every matching
rule counts the request; the first rule that is due decides. ``times`` bounds how often a rule acts.

| do | what the client sees | the effect |
|---|---|---|
| error | ``code``, ``subcode``, ``http``, ``message`` | none |
| error-after | the same | happens first |
| drop-before, drop-after | the connection is cut | none, or happens first |
| html-500, html-500-after | status 500 with a page | none, or happens first |
| body, body-after | ``text`` (empty) as it is, status ``http`` (200) | none, or happens first |
| delay | the usual answer, ``seconds`` late | at once |
| delay-effect | the usual answer, ``seconds`` late | as late, even if nobody waits any more |
| status | ``status``, with ``subcode`` for ERROR | create: the container is so; status: only told |
| drop-within | the connection is cut | upload only: the first ``bytes`` of the body are kept |

An aiohttp client repeats a GET by itself when a kept-alive connection is cut: give such a rule
``times = 2`` if the caller is to notice.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .people import App, Individual
from .person import Person


class ScenarioError(ValueError):
    """The scenario cannot be used; the text says where and why."""


class Endpoint(StrEnum):
    """What a request asks for."""

    CREATE = "create"
    CREATE_CHILD = "create-child"
    UPLOAD = "upload"
    STATUS = "status"
    PUBLISH = "media_publish"
    COMMENT = "comment"
    COMMENTS = "comments"
    LISTING = "listing"
    STORIES = "stories"
    LIMIT = "limit"
    PERMALINK = "permalink"
    USER = "user"
    PERMISSIONS = "permissions"
    PAGES = "pages"
    PAGE = "page"
    DEBUG_TOKEN = "debug-token"
    EXCHANGE = "exchange"
    REFRESH = "refresh"
    REVOKE = "revoke"
    ANY = "any"


class StatusCode(StrEnum):
    """The states of a container."""

    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    ERROR = "ERROR"
    EXPIRED = "EXPIRED"


class Do(StrEnum):
    """What a rule does; the table above tells each."""

    ERROR = "error"
    ERROR_AFTER = "error-after"
    DROP_BEFORE = "drop-before"
    DROP_AFTER = "drop-after"
    HTML_500 = "html-500"
    HTML_500_AFTER = "html-500-after"
    BODY = "body"
    BODY_AFTER = "body-after"
    DELAY = "delay"
    DELAY_EFFECT = "delay-effect"
    STATUS = "status"
    DROP_WITHIN = "drop-within"


_FREE = {"on", "do", "nth", "times", "probability", "match"}
_OWN: dict[Do, tuple[set[str], set[str]]] = {  # what each needs, and what it may have besides
    Do.ERROR: ({"code"}, {"subcode", "http", "message"}),
    Do.ERROR_AFTER: ({"code"}, {"subcode", "http", "message"}),
    Do.DROP_BEFORE: (set(), set()),
    Do.DROP_AFTER: (set(), set()),
    Do.HTML_500: (set(), set()),
    Do.HTML_500_AFTER: (set(), set()),
    Do.BODY: (set(), {"text", "http"}),
    Do.BODY_AFTER: (set(), {"text", "http"}),
    Do.DELAY: ({"seconds"}, set()),
    Do.DELAY_EFFECT: ({"seconds"}, set()),
    Do.STATUS: ({"status"}, {"subcode"}),
    Do.DROP_WITHIN: ({"bytes"}, set()),
}
_STATED = {Endpoint.CREATE, Endpoint.CREATE_CHILD, Endpoint.STATUS}
#: Rules for the endpoint on the right are for the left one too.
_INCLUDED = {Endpoint.CREATE_CHILD: Endpoint.CREATE}


class Rule(BaseModel):
    """One scripted fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Endpoint
    do: Do
    nth: int | None = Field(default=None, ge=1)
    times: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, gt=0, le=1)
    match: str = ""
    seconds: float = Field(default=0.0, ge=0)
    code: int = 0
    subcode: int | None = None
    http: int | None = Field(default=None, ge=200, le=599)
    message: str | None = None
    text: str = ""
    status: StatusCode | None = None
    bytes: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needs, may = _OWN[self.do]
        if absent := needs - self.model_fields_set:
            raise ValueError(f"do = {self.do.value!r} needs {_listed(absent)}")
        if excess := self.model_fields_set - needs - may - _FREE:
            raise ValueError(f"do = {self.do.value!r} has no use for {_listed(excess)}")
        if self.do is Do.STATUS and self.on not in _STATED:
            raise ValueError("do = 'status' goes with on = 'create', 'create-child' or 'status'")
        if self.do is Do.DROP_WITHIN and self.on is not Endpoint.UPLOAD:
            raise ValueError("do = 'drop-within' goes with on = 'upload'")
        return self


class Scenario(BaseModel):
    """A whole scenario as it is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    usage: int = Field(default=1, ge=0, le=100)
    headers: dict[str, str] = Field(default_factory=dict)
    person: Person = Field(default_factory=Person)
    persons: tuple[Individual, ...] = ()
    apps: tuple[App, ...] = ()
    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Check a document read from TOML or JSON. Raises ScenarioError."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise ScenarioError("; ".join(map(_sentence, error.errors()))) from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a scenario file, ``.json`` or TOML. Raises ScenarioError."""
        try:
            text = path.read_text("utf-8")
            if path.suffix == ".json":
                return cls.model_validate_json(text)
            return cls.parse(tomllib.loads(text))
        except ValidationError as error:
            raise ScenarioError("; ".join(map(_sentence, error.errors()))) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ScenarioError(f"cannot read the scenario {path.name}: {error}") from None


class Faults:
    """A scenario at work: counts the requests and says which one goes wrong."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.seen = [0] * len(scenario.rules)
        self.fired = [0] * len(scenario.rules)
        self._dice = [random.Random(f"{scenario.seed}/{i}") for i in range(len(scenario.rules))]

    def pick(self, endpoint: Endpoint, subject: str) -> Rule | None:
        """The rule that decides this request, if any. ``subject`` is what ``match`` looks at."""
        chosen = None
        fitting = {endpoint, Endpoint.ANY, _INCLUDED.get(endpoint, endpoint)}
        for index, rule in enumerate(self.scenario.rules):
            if rule.on not in fitting or rule.match not in subject:
                continue
            self.seen[index] += 1
            if chosen is None and self._due(index, rule):
                self.fired[index] += 1
                chosen = rule
        return chosen

    def _due(self, index: int, rule: Rule) -> bool:
        times = rule.times or (1 if rule.nth else None)
        if times is not None and self.fired[index] >= times:
            return False
        if self.seen[index] < (rule.nth or 1):
            return False
        return rule.probability >= 1 or self._dice[index].random() < rule.probability

    def snapshot(self) -> list[dict[str, Any]]:
        """Each rule as written, with how often it was seen and how often it acted."""
        return [
            rule.model_dump(mode="json", exclude_unset=True)
            | {"seen": self.seen[index], "fired": self.fired[index]}
            for index, rule in enumerate(self.scenario.rules)
        ]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])

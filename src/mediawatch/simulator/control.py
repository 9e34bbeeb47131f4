"""The simulator's own addresses, for tests in other processes: read the truth, script faults."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from .callbacks import Callbacks
from .faults import Scenario, ScenarioError
from .grants import REMOVED, Grant
from .graph import Graph
from .state import State


class Control:
    """``/_simulator/state``, ``…/scenario`` and ``…/grants``."""

    def __init__(self, state: State, graph: Graph, callbacks: Callbacks) -> None:
        self._state = state
        self._graph = graph
        self._callbacks = callbacks

    async def state(self, _: web.Request) -> web.Response:
        """``GET``: containers, publications in order, counters, and the rules with theirs."""
        rules = self._graph.faults.snapshot()
        return web.json_response(self._state.snapshot() | {"rules": rules})

    async def scenario(self, request: web.Request) -> web.Response:
        """``POST`` a scenario as JSON: replaces the one at work, counters and dice anew."""
        try:
            scenario = Scenario.parse(json.loads(await request.text()))
        except (ScenarioError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self._graph.play(scenario)
        return web.json_response({"rules": len(scenario.rules)})

    async def grants(self, _: web.Request) -> web.Response:
        """``GET``: what was granted to whom, without any token."""
        return web.json_response({"grants": [_told(each) for each in self._state.grants.all()]})

    async def change_grant(self, request: web.Request) -> web.Response:
        """``POST`` ``{"who": id, "do": "remove" | "delete" | "expire", "subcode": 460}``.

        ``who`` is a person of Facebook or an account of Instagram; ``app`` may be named too.
        ``remove`` ends what they granted, its tokens being refused with ``subcode`` (458), and
        tells the app; ``delete`` asks it to delete their data; ``expire`` ends the tokens only.
        Answers what the apps answered.
        """
        try:
            wish = json.loads(await request.text())
            who, do = str(wish["who"]), str(wish["do"])
            app, subcode = str(wish.get("app", "")), int(wish.get("subcode", REMOVED))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        if do == "expire":
            return web.json_response({"expired": self._state.grants.expire(who)})
        if do not in {"remove", "delete"}:
            return web.json_response({"error": "do is remove, delete or expire"}, status=400)
        told: list[dict[str, Any]] = []
        for grant in self._state.grants.all():
            if grant.who != who or (app and grant.app_id != app):
                continue
            if do == "delete":
                told.append(await self._callbacks.delete_data(grant))
            else:
                told.append(await self._callbacks.deauthorize(grant, subcode))
        return web.json_response({"told": told})


def _told(grant: Grant) -> dict[str, Any]:
    return {
        "app": grant.app_id,
        "login": grant.login,
        "who": grant.who,
        "granted": sorted(grant.granted),
        "declined": sorted(grant.declined),
        "accounts": sorted(grant.accounts),
        "pages": sorted(grant.pages),
        "active_at": grant.active_at,
    }

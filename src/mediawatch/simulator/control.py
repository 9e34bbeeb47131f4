"""The simulator's own addresses, for tests in other processes: read the truth, script faults."""

from __future__ import annotations

import json

from aiohttp import web

from .faults import Faults, Scenario, ScenarioError
from .graph import Graph
from .state import State


class Control:
    """``/_simulator/state`` and ``/_simulator/scenario``."""

    def __init__(self, state: State, graph: Graph) -> None:
        self._state = state
        self._graph = graph

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
        self._graph.faults = Faults(scenario)
        return web.json_response({"rules": len(scenario.rules)})

"""A stranger: a local Graph API, reached by address. Imports nothing of ours.

Graph's publishing endpoints at the root (with or without a version), a page for people at ``/``,
and for tests in other processes ``GET /_simulator/state`` and ``POST /_simulator/scenario``. Both
logins with their consent pages (``people``), and ``/_simulator/apps`` to take access away.
Faults are scripted as told in ``faults``.
"""

from .faults import Scenario, ScenarioError
from .options import Republish, SimulatorOptions
from .server import Simulator, create_app, serve

__all__ = [
    "Republish",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "SimulatorOptions",
    "create_app",
    "serve",
]

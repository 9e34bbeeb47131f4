"""Whose token it is: permissions, pages, and what ``debug_token`` tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import requested
from .options import SimulatorOptions
from .person import Person
from .refusals import Refusal
from .state import State

_PAGE = "134895000000001"
_TASKS = ["ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE"]


class Identity:
    """What Graph tells of the one person who is logged in. ``person``: as the scenario has it."""

    def __init__(self, options: SimulatorOptions, state: State) -> None:
        self._options = options
        self._state = state

    def permissions(self, person: Person) -> dict[str, Any]:
        """``GET /me/permissions``."""
        told = [{"permission": name, "status": "granted"} for name in person.scopes]
        return {"data": told + [{"permission": n, "status": "declined"} for n in person.declined]}

    def pages(self, person: Person, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /me/accounts``: one page, with the first account linked to it if it is."""
        user = self._options.users[0]
        known: dict[str, Any] = {
            "id": _PAGE,
            "name": "Demo Page",
            "category": "App Page",
            "tasks": _TASKS,
            "instagram_business_account": {"id": user, "username": self._state.username(user)},
        }
        if not person.page_linked:
            known["instagram_business_account"] = None
        fields = params.get("fields", "id,name,category,tasks")
        return {"data": [requested(fields, known)]}

    def debug(self, person: Person, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /debug_token``."""
        token = params.get("input_token", "")
        if not self._options.admits(token):
            error = {"code": 190, "message": Refusal(190).message}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        now = int(self._options.clock())
        ends = 0 if person.token_lasts is None else now + int(person.token_lasts)
        return {
            "data": {
                "app_id": "100000000000001",
                "type": "USER",
                "application": "Demo App",
                "data_access_expires_at": now + int(person.data_access_lasts),
                "expires_at": ends,
                "is_valid": True,
                "scopes": list(person.scopes),
                "user_id": "9000000000000001",
            }
        }

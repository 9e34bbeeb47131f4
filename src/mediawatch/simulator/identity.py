"""Whose token it is: the person, their permissions and pages, and what ``debug_token`` tells."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from .access import Holder, data_access_ends
from .fields import requested, split_fields
from .grants import REMOVED, Grant, Token
from .options import SimulatorOptions
from .paging import paged
from .people import FacebookPage
from .person import Person
from .refusals import Refusal, invalid
from .state import State

_PAGE = "134895000000001"
_TASKS = ["ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE"]
#: Scopes that are about accounts, which ``debug_token`` names beside them.
_ABOUT_ACCOUNTS = "instagram_"


class Identity:
    """What Graph tells of whoever calls. ``person``: as the scenario has it, for a token that
    nobody granted."""

    def __init__(self, options: SimulatorOptions, state: State) -> None:
        self._options = options
        self._state = state

    def permissions(self, holder: Holder, person: Person) -> dict[str, Any]:
        """``GET /me/permissions``."""
        grant = self._user_grant(holder)
        granted = sorted(grant.granted) if grant else person.scopes
        declined = sorted(grant.declined) if grant else person.declined
        told = [{"permission": name, "status": "granted"} for name in granted]
        return {"data": told + [{"permission": n, "status": "declined"} for n in declined]}

    def revoke(self, holder: Holder, params: Mapping[str, str]) -> dict[str, Any]:
        """``DELETE /me/permissions``: all of them, or the one that is named."""
        grant = self._user_grant(holder)
        if grant is None:
            return {"success": True}
        if name := params.get("permission"):
            if name not in grant.granted:
                raise invalid(f"The permission {name} was not granted")
            grant.granted.discard(name)
            grant.declined.add(name)
        else:
            self._state.grants.end(grant, REMOVED)
        return {"success": True}

    def pages(
        self, holder: Holder, person: Person, params: Mapping[str, str], here: str
    ) -> dict[str, Any]:
        """``GET /me/accounts``: the pages that were granted. Of a token that nobody granted, one
        page with the first account linked to it, if it is."""
        fields = params.get("fields", "id,name,category,tasks")
        grant = self._user_grant(holder)
        if grant is None:
            return {"data": [requested(fields, self._free_page(person))]}
        if "pages_show_list" not in grant.granted:
            return {"data": []}
        fields = params.get("fields", "access_token,category,name,id,tasks")
        return paged(
            holder.pages(),
            params,
            lambda page: requested(fields, self._page(holder, page, fields)),
            here=here,
        )

    def node(self, holder: Holder, node: str, params: Mapping[str, str]) -> dict[str, Any] | None:
        """``GET /{page}``, and ``GET /me`` of the Facebook login: the person, or the page whose
        token it is. None if it is something else."""
        token, grant, person = holder.token, holder.grant, holder.person
        if token is None or grant is None or person is None:
            return None
        page = next((page for page in holder.pages() if page.id == node), None)
        if node == "me" and token.page:
            page = next(iter(holder.pages()), None)
        fields = params.get("fields", "id,name")
        if page is not None:
            return requested(fields, self._page(holder, page, fields))
        if node in {"me", person.id} and not token.page:
            known = {"id": person.id, "name": person.name, "email": None, "picture": None}
            return requested(fields, known)
        return None

    def _page(self, holder: Holder, page: FacebookPage, fields: str) -> dict[str, Any]:
        token, grant = holder.token, holder.grant
        linked = self._state.cast.linked(page)
        shown: dict[str, Any] | None = None
        if linked is not None and grant is not None and "instagram_basic" in grant.granted:
            shown = {"id": linked.id, "username": linked.name, "name": linked.name}
            shown |= {"profile_picture_url": None, "followers_count": 0, "media_count": 0}
        text = None
        if token is not None and "access_token" in split_fields(fields):
            text = token.text if token.page else self._state.grants.page_token(token, page).text
        return {
            "id": page.id,
            "name": page.name,
            "access_token": text,
            "category": "App Page",
            "category_list": [{"id": "2301", "name": "App Page"}],
            "tasks": list(page.tasks),
            "instagram_business_account": shown,
            "connected_instagram_account": shown,
        }

    def _free_page(self, person: Person) -> dict[str, Any]:
        user = self._options.users[0]
        known: dict[str, Any] = {
            "id": _PAGE,
            "name": "Demo Page",
            "category": "App Page",
            "tasks": _TASKS,
            "access_token": None,
            "instagram_business_account": {"id": user, "username": self._state.username(user)},
        }
        if not person.page_linked:
            known["instagram_business_account"] = None
        return known

    @staticmethod
    def _user_grant(holder: Holder) -> Grant | None:
        """What only a user of the Facebook login has; None for a token that nobody granted."""
        if holder.grant is not None and holder.grant.login != "facebook":
            raise Refusal(190)
        if holder.token is not None and holder.token.page:
            raise invalid("Tried accessing nonexisting field of a Page")
        return holder.grant

    def is_app_token(self, text: str) -> bool:
        """Whether it is ``{app id}|{app secret}``. Raises Refusal for a wrong one."""
        app_id, bar, secret = text.partition("|")
        app = self._state.cast.apps.get(app_id)
        if not bar or app is None:
            return False
        if not hmac.compare_digest(app.secret.encode(), secret.encode("utf-8", "surrogateescape")):
            raise Refusal(190, message="Invalid OAuth access token signature.")
        return True

    def debug(self, person: Person, params: Mapping[str, str]) -> dict[str, Any]:
        """``GET /debug_token``."""
        text = params.get("input_token", "")
        if token := self._state.grants.known(text):
            return {"data": self._debugged(token)}
        if not self._options.admits(text):
            return {"data": _invalid(Refusal(190))}
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

    def _debugged(self, token: Token) -> dict[str, Any]:
        grant = token.grant
        if token.login == "instagram" or grant is None:
            return _invalid(Refusal(190))  # whether Meta tells of them is not documented
        app = self._state.cast.apps.get(grant.app_id)
        told: dict[str, Any] = {
            "app_id": grant.app_id,
            "type": "PAGE" if token.page else "USER",
            "application": app.name if app else "",
            "data_access_expires_at": int(data_access_ends(grant, app)),
            "expires_at": int(token.expires_at or 0),
            "issued_at": int(token.issued_at),
            "is_valid": True,
            "scopes": sorted(grant.granted),
            "granular_scopes": [_granular(name, grant) for name in sorted(grant.granted)],
            "user_id": grant.who,
        }
        if token.page:
            told["profile_id"] = token.page
        try:
            self._state.grants.good(token.text)
        except Refusal as refusal:
            told |= _invalid(refusal)
        return told


def _granular(name: str, grant: Grant) -> dict[str, Any]:
    if name.startswith(_ABOUT_ACCOUNTS):
        return {"scope": name, "target_ids": sorted(grant.accounts)}
    if name.startswith("pages_"):
        return {"scope": name, "target_ids": sorted(grant.pages)}
    return {"scope": name}


def _invalid(refusal: Refusal) -> dict[str, Any]:
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.subcode is not None:
        error["subcode"] = refusal.subcode
    return {"error": error, "is_valid": False, "scopes": []}

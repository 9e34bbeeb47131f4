"""What a call may do: whose token it carries, for which accounts, with which permissions."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum

from .grants import Grant, Token
from .options import SimulatorOptions
from .people import App, FacebookPage, Individual, Login
from .refusals import Refusal, missing
from .state import State


class Need(StrEnum):
    """For what a permission is needed."""

    BASIC = "basic"
    PUBLISH = "publish"
    COMMENTS = "comments"


_SCOPES: dict[Login, dict[Need, str]] = {
    "facebook": {
        Need.BASIC: "instagram_basic",
        Need.PUBLISH: "instagram_content_publish",
        Need.COMMENTS: "instagram_manage_comments",
    },
    "instagram": {
        Need.BASIC: "instagram_business_basic",
        Need.PUBLISH: "instagram_business_content_publish",
        Need.COMMENTS: "instagram_business_manage_comments",
    },
}
#: Tasks on a page with which one may publish, by their old and new names.
_MAY_PUBLISH = {"CREATE_CONTENT", "MANAGE", "PROFILE_PLUS_CREATE_CONTENT"}
_MAY_PUBLISH |= {"PROFILE_PLUS_MANAGE", "PROFILE_PLUS_FULL_CONTROL"}


class Holder:
    """Whoever calls. ``token`` None: a token that was not granted here, which may do all for the
    accounts of the simulator, as the ``[person]`` of the scenario."""

    def __init__(self, options: SimulatorOptions, state: State, token: Token | None) -> None:
        self._options = options
        self._state = state
        self.token = token

    @property
    def grant(self) -> Grant | None:
        """What was granted to whoever calls."""
        return self.token.grant if self.token else None

    @property
    def person(self) -> Individual | None:
        """Who logged in at Facebook. Raises Refusal 190 if the scenario has forgotten them."""
        if self.grant is None or self.grant.login != "facebook":
            return None
        person = self._state.cast.persons.get(self.grant.who)
        if person is None:
            raise Refusal(190)
        return person

    def pages(self) -> list[FacebookPage]:
        """The pages that were granted; of a page's token that page alone."""
        grant, person = self.grant, self.person
        if grant is None or person is None:
            return []
        own = self.token.page if self.token else ""
        return [p for p in person.pages if p.id in grant.pages and (not own or p.id == own)]

    def account(self, node: str, verb: str, need: Need) -> str:
        """The account at the start of a path, ``me`` too. Raises Refusal."""
        grant = self.grant
        if node == "me":
            if grant is None:
                node = self._options.users[0]
            elif grant.login == "instagram":
                node = grant.who
        self.require(node, node, verb, need)
        return node

    def require(self, account: str, node: str, verb: str, need: Need) -> None:
        """That this account may be acted for; ``node`` is what the path named. Raises Refusal."""
        grant = self.grant
        if grant is None:
            if account not in self._state.cast.free:
                raise missing(node, verb)
            return
        known = self._state.cast.accounts.get(account)
        page = None
        if grant.login == "facebook":
            page = next((page for page in self.pages() if page.account == account), None)
            seen = page is not None and known is not None and known.kind != "PERSONAL"
        else:
            seen = known is not None and account in grant.accounts
        if not seen or known is None:
            raise missing(node, verb)
        if _SCOPES[grant.login][need] not in grant.granted:
            raise Refusal(10)
        if need is Need.PUBLISH:
            if known.kind == "PERSONAL":
                raise Refusal(10)
            if page is not None and not _MAY_PUBLISH & set(page.tasks):
                raise Refusal(200)
        if grant.login == "facebook" and self._options.clock() >= data_access_ends(
            grant, self._state.cast.apps.get(grant.app_id)
        ):
            # How Meta words this is not documented.
            raise Refusal(10, message="(#10) Data access expired: the person must log in again")

    def check_proof(self, proof: str | None) -> None:
        """``appsecret_proof``, if it was sent or the app wants it. Raises Refusal 100."""
        app = self._state.cast.apps.get(self.grant.app_id) if self.grant else None
        if app is None or self.token is None:
            return
        if proof is None:
            if app.require_proof:
                raise Refusal(100, message=_NO_PROOF)
            return
        made = hmac.new(app.secret.encode(), self.token.text.encode(), hashlib.sha256)
        if not hmac.compare_digest(made.hexdigest().encode(), proof.encode()):
            raise Refusal(100, message="Invalid appsecret_proof provided in the API argument")


_NO_PROOF = "API calls from the server require an appsecret_proof argument"


def data_access_ends(grant: Grant, app: App | None) -> float:
    """When the app may read no more of somebody who has not logged in since."""
    return grant.active_at + (app.data_access_lasts if app else 0.0)

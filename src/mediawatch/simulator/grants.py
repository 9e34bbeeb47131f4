"""What people granted to apps, and the codes and tokens that came of it.

Rules (Meta: "Business Login for Instagram", "Manually Build a Login Flow", "Long-Lived Access
Tokens", "Refresh Access Token"): a code is good once and for an hour, for the address that it was
sent to; a token is of one grant, and dies with it; a page's token that came by a long-lived one
has no end. RFC 7636 (PKCE) is kept to by whoever sent a challenge.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from .people import App, FacebookPage, Login
from .refusals import Refusal, invalid

DAY = 86_400.0
#: Why tokens are refused: Meta's subcodes.
REMOVED, PASSWORD_CHANGED, EXPIRED, INVALID = 458, 460, 463, 467


@dataclass(slots=True)
class Grant:
    """What somebody granted to an app.

    ``who`` is the id of a person of Facebook, or of an account that logged in at Instagram.
    ``active_at``: when they last logged in. ``ended``: the subcode that its tokens are refused
    with, once it is over.
    """

    app_id: str
    login: Login
    who: str
    granted: set[str]
    declined: set[str]
    accounts: set[str]
    pages: set[str]
    active_at: float
    ended: int | None = None


@dataclass(slots=True)
class Token:
    """An access token that was given out. ``expires_at`` None: it has no end.

    ``grant`` None: it came of a token that nobody granted (see ``SimulatorOptions.token``).
    ``page`` is the id of the page that it is of, empty for a user's.
    """

    text: str = field(repr=False)
    login: Login
    grant: Grant | None
    issued_at: float
    expires_at: float | None
    long_lived: bool = False
    page: str = ""


@dataclass(slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    method: str
    expires_at: float
    used: bool = False


class Grants:
    """All grants, codes and tokens of one simulator."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._grants: dict[tuple[str, str], Grant] = {}
        self._codes: dict[str, _Code] = {}
        self._tokens: dict[str, Token] = {}
        self._pages: dict[tuple[int, str, bool], Token] = {}

    def all(self) -> list[Grant]:
        """The grants that are in force, the newest login first."""
        alive = [grant for grant in self._grants.values() if grant.ended is None]
        return sorted(alive, key=lambda grant: -grant.active_at)

    def find(self, app_id: str, who: str) -> Grant | None:
        """The grant of somebody to an app, if it is in force."""
        grant = self._grants.get((app_id, who))
        return grant if grant is not None and grant.ended is None else None

    def consent(
        self,
        app: App,
        who: str,
        *,
        granted: set[str],
        declined: set[str],
        accounts: set[str],
        pages: set[str],
    ) -> Grant:
        """Somebody consents; once more, and what they said of other scopes before still holds."""
        grant = self.find(app.id, who)
        now = self._clock()
        if grant is None:
            grant = Grant(app.id, app.login, who, granted, declined, accounts, pages, now)
            self._grants[app.id, who] = grant
        else:
            grant.granted = (grant.granted - declined) | granted
            grant.declined = (grant.declined - granted) | declined
            grant.accounts, grant.pages, grant.active_at = accounts, pages, now
        return grant

    def code(self, app: App, grant: Grant, redirect_uri: str, challenge: str, method: str) -> str:
        """A code for the address that is sent back to."""
        text = "AQ" + secrets.token_hex(40)
        self._codes[text] = _Code(
            grant, redirect_uri, challenge, method, self._clock() + app.code_lasts
        )
        return text

    def redeem(self, app: App, text: str, redirect_uri: str, verifier: str) -> Token:
        """The short-lived token for a code. Raises Refusal."""
        code = self._codes.get(text)
        if code is None or code.grant.app_id != app.id:
            raise Refusal(100, message="Invalid verification code format.")
        if code.used:
            raise Refusal(100, 36009)
        if self._clock() >= code.expires_at:
            raise Refusal(100, 36007)
        if not hmac.compare_digest(code.redirect_uri.encode(), redirect_uri.encode()):
            raise Refusal(100, 36008)
        if code.challenge and not _proves(verifier, code.challenge, code.method):
            raise Refusal(100, message="Invalid code_verifier parameter")
        code.used = True
        self.check_grant(code.grant)
        return self._issue(app.login, code.grant, app.short_token_lasts)

    def lengthen(self, app: App, text: str) -> Token:
        """The long-lived token for one that is good. Raises Refusal."""
        old = self.good(text, app.login)
        if old is not None and old.page:
            raise invalid("The access token does not belong to a user")
        self._same_app(old, app)
        return self._issue(
            app.login, old.grant if old else None, app.long_token_lasts, long_lived=True
        )

    def refresh(self, text: str, lasts: Callable[[Grant | None], float]) -> Token:
        """A new token for a long-lived one of the Instagram login. Raises Refusal."""
        old = self.good(text, "instagram")
        if old is not None and not old.long_lived:
            raise invalid("The access token is not a long-lived one")
        if old is not None and self._clock() < old.issued_at + DAY:
            raise invalid("The access token must be at least 24 hours old to be refreshed")
        grant = old.grant if old else None
        if grant is not None and "instagram_business_basic" not in grant.granted:
            raise Refusal(10)
        return self._issue("instagram", grant, lasts(grant), long_lived=True)

    def page_token(self, user: Token, page: FacebookPage) -> Token:
        """The token of a page for the person whose token this is; the same each time."""
        key = (id(user.grant), page.id, user.long_lived)
        found = self._pages.get(key)
        if found is None or (found.expires_at is not None and found.expires_at <= self._clock()):
            found = self._issue("facebook", user.grant, None, long_lived=True, page=page.id)
            found.expires_at = None if user.long_lived else user.expires_at
            self._pages[key] = found
        return found

    def known(self, text: str) -> Token | None:
        """A token that was given out, dead or alive."""
        return self._tokens.get(text)

    def good(self, text: str, login: Login | None = None) -> Token | None:
        """The same, None for one that was not given out here. Raises Refusal 190 for a dead one
        and for one of the other login."""
        token = self._tokens.get(text)
        if token is None:
            return None
        if login is not None and token.login != login:
            raise Refusal(190)
        if token.expires_at is not None and self._clock() >= token.expires_at:
            raise Refusal(190, EXPIRED)
        if token.grant is not None:
            self.check_grant(token.grant)
        return token

    @staticmethod
    def check_grant(grant: Grant) -> None:
        """Raises Refusal 190 for a grant that is over."""
        if grant.ended is not None:
            raise Refusal(190, grant.ended)

    def end(self, grant: Grant, subcode: int = REMOVED) -> None:
        """The grant is over, and with it all its tokens."""
        grant.ended = subcode

    def expire(self, who: str) -> int:
        """Every token of somebody ends now; how many did."""
        now = self._clock()
        ended = [
            token
            for token in self._tokens.values()
            if token.grant is not None
            and token.grant.who == who
            and (token.expires_at is None or token.expires_at > now)
        ]
        for token in ended:
            token.expires_at = now
        return len(ended)

    def _issue(
        self,
        login: Login,
        grant: Grant | None,
        lasts: float | None,
        *,
        long_lived: bool = False,
        page: str = "",
    ) -> Token:
        now = self._clock()
        text = {"facebook": "EAA", "instagram": "IGAA"}[login] + secrets.token_hex(60)
        ends = None if lasts is None else now + lasts
        token = Token(text, login, grant, now, ends, long_lived=long_lived, page=page)
        self._tokens[text] = token
        return token

    @staticmethod
    def _same_app(token: Token | None, app: App) -> None:
        if token is not None and token.grant is not None and token.grant.app_id != app.id:
            raise invalid("The access token does not belong to application " + app.id)


def _proves(verifier: str, challenge: str, method: str) -> bool:
    made = verifier
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(made.encode(), challenge.encode())

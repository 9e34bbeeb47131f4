"""Who may log in, and to which apps: ``[[persons]]`` and ``[[apps]]`` of a scenario.

A person of Facebook has pages, and an account of Instagram may be linked to each. At Instagram one
logs in with an account itself. Every key may be left out but the ids::

    [[persons]]
    id = "9000000000000001"
    name = "Robin Demo"
    declined = ["instagram_manage_insights"]    # not ticked when the consent page opens

    [[persons.accounts]]
    id = "17841400000000001"
    username = "mediawatch"
    kind = "BUSINESS"           # or MEDIA_CREATOR, or PERSONAL

    [[persons.pages]]
    id = "134895000000001"
    name = "Demo Page"
    account = "17841400000000001"
    tasks = ["CREATE_CONTENT", "MANAGE"]

    [[apps]]
    id = "100000000000001"
    secret = "demo-facebook-secret"
    login = "facebook"          # or "instagram", whose apps have ids and secrets of their own
    redirect_uris = []          # empty: every address of this machine
    deauthorize_url = ""        # called when somebody takes the app's rights away
    data_deletion_url = ""
    require_proof = false       # every call needs appsecret_proof
    wrapped = false             # answers of the Instagram login as {"data": [...]}
    code_lasts = 3600           # seconds; likewise short_token_lasts, long_token_lasts,
                                # data_access_lasts
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Login = Literal["facebook", "instagram"]

_HOUR, _DAY = 3600.0, 86_400.0
_TASKS = ("ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE")

#: What an app may ask for, each with the words of the consent page.
SCOPES: dict[Login, dict[str, str]] = {
    "facebook": {
        "public_profile": "Your name and picture",
        "email": "Your email address",
        "instagram_basic": "Profile and posts of the Instagram accounts of your pages",
        "instagram_content_publish": "Publish to these Instagram accounts",
        "instagram_manage_comments": "Write and answer comments there",
        "instagram_manage_insights": "See the insights of these accounts",
        "instagram_manage_messages": "Read and send messages of these accounts",
        "instagram_manage_contents": "Delete posts of these accounts",
        "instagram_manage_engagement": "Like posts and comments as these accounts",
        "pages_show_list": "See the list of your pages",
        "pages_read_engagement": "Read what is on your pages",
        "pages_manage_metadata": "Change the settings of your pages",
        "business_management": "Use your business portfolio",
        "ads_management": "Manage your ads",
        "ads_read": "Read your ads",
    },
    "instagram": {
        "instagram_business_basic": "See your profile and posts",
        "instagram_business_content_publish": "Publish posts",
        "instagram_business_manage_comments": "Write and answer comments",
        "instagram_business_manage_messages": "Read and send messages",
        "instagram_business_manage_insights": "See your insights",
    },
}


class Account(BaseModel):
    """An account of Instagram."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9]{5,20}$")
    username: str = ""
    kind: Literal["BUSINESS", "MEDIA_CREATOR", "PERSONAL"] = "BUSINESS"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.username or f"account_{self.id}"

    @property
    def app_scoped_id(self) -> str:
        """Its other id, by which the Instagram login names whoever logged in."""
        return f"2450{self.id[-13:]:0>13}"


class FacebookPage(BaseModel):
    """A page; ``account`` is the id of the account that is linked to it, or empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9]{5,20}$")
    name: str = "A page"
    account: str = ""
    tasks: tuple[str, ...] = _TASKS


class Individual(BaseModel):
    """Somebody who may log in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9]{5,20}$")
    name: str = "Somebody"
    accounts: tuple[Account, ...] = ()
    pages: tuple[FacebookPage, ...] = ()
    declined: tuple[str, ...] = ()

    def page(self, page_id: str) -> FacebookPage | None:
        """Their page of that id."""
        return next((page for page in self.pages if page.id == page_id), None)


class App(BaseModel):
    """An app that people may connect. Durations are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9]{5,20}$")
    secret: str = Field(default="demo-secret", min_length=1, repr=False)
    name: str = "Demo App"
    login: Login = "facebook"
    redirect_uris: tuple[str, ...] = ()
    deauthorize_url: str = ""
    data_deletion_url: str = ""
    require_proof: bool = False
    wrapped: bool = False
    code_lasts: float = Field(default=_HOUR, ge=0)
    short_token_lasts: float = Field(default=_HOUR, ge=0)
    long_token_lasts: float = Field(default=60 * _DAY, ge=0)
    data_access_lasts: float = Field(default=90 * _DAY, ge=0)


#: The apps of a scenario that names none.
APPS = (
    App(id="100000000000001", secret="demo-facebook-secret", login="facebook"),
    App(id="200000000000002", secret="demo-instagram-secret", login="instagram"),
)


def _usual(users: Sequence[str]) -> tuple[Individual, ...]:
    """The persons of a scenario that names none: one with the accounts of the simulator, two at
    the least, each on a page; and one with a personal account."""
    accounts = [
        Account(id=user, username="mediawatch" if index == 0 else f"mediawatch_{index + 1}")
        for index, user in enumerate(users)
    ]
    if len(accounts) == 1:
        accounts.append(
            Account(id="17841400000000091", username="mediawatch_studio", kind="MEDIA_CREATOR")
        )
    pages = tuple(
        FacebookPage(
            id=str(134895000000001 + index),
            name="Demo Page" if index == 0 else f"Demo Page {index + 1}",
            account=account.id,
        )
        for index, account in enumerate(accounts)
    )
    home = Account(id="17841400000000092", username="kim_at_home", kind="PERSONAL")
    return (
        Individual(id="9000000000000001", name="Robin Demo", accounts=tuple(accounts), pages=pages),
        Individual(
            id="9000000000000002",
            name="Kim Home",
            accounts=(home,),
            pages=(FacebookPage(id="134895000000901", name="Kim's Page", account=home.id),),
        ),
    )


class Cast:
    """Everybody and every app of a scenario, by id. ``users``: the accounts of the options."""

    def __init__(
        self, users: Sequence[str], persons: Sequence[Individual], apps: Sequence[App]
    ) -> None:
        self.persons = {person.id: person for person in persons or _usual(users)}
        self.apps = {app.id: app for app in apps or APPS}
        self.accounts = {
            account.id: account for person in self.persons.values() for account in person.accounts
        }
        #: What a token that nobody granted may act for.
        self.free = frozenset(users) | {a.id for person in persons for a in person.accounts}

    def owner(self, account_id: str) -> Individual | None:
        """Whose account it is."""
        for person in self.persons.values():
            if any(account.id == account_id for account in person.accounts):
                return person
        return None

    def linked(self, page: FacebookPage) -> Account | None:
        """The account that Graph tells of a page; a personal one it does not."""
        account = self.accounts.get(page.account)
        return account if account is not None and account.kind != "PERSONAL" else None

    def username(self, account_id: str) -> str | None:
        """What an account is called, None if nobody has it."""
        account = self.accounts.get(account_id)
        return account.name if account else None

"""The accounts as the page Accounts shows them: how each stands, in words, and what one may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mediawatch.actions.account_desk import AccountDesk
from mediawatch.actions.account_list import ShownAccount
from mediawatch.actions.permission import accounts_for
from mediawatch.journal import posts, shares
from mediawatch.journal.database import Row
from mediawatch.model.accounts import AccountState
from mediawatch.model.people import Actor, Right

_STATES = {
    AccountState.CONNECTED: "Connected",
    AccountState.DISCONNECTED: "Disconnected",
    AccountState.TOKEN_EXPIRED: "Its token has run out",
    AccountState.ERROR: "It needs you",
}
#: What is done about a state that says no more by itself.
_REMEDIES = {
    AccountState.DISCONNECTED: "Its posts wait. Connect it again to have them published.",
    AccountState.TOKEN_EXPIRED: "Its posts wait. Connect it again to have them published.",
}
_KINDS = {"business": "Business", "media_creator": "Creator", "creator": "Creator"}


@dataclass(frozen=True, slots=True)
class AccountCard:
    """``waiting``: how many of its posts wait or are held. ``shared``: ``name`` and ``role`` of
    those whom it is shared with; ``may_rule``: whether who looks may connect, disconnect, share."""

    account: ShownAccount
    waiting: int
    shared: Sequence[Row]
    may_rule: bool

    @property
    def name(self) -> str:
        """What people call it."""
        return f"@{self.account.username}" if self.account.username else self.account.id

    @property
    def kind(self) -> str:
        """In a word; empty if Meta did not tell."""
        return _KINDS.get(self.account.kind.lower(), self.account.kind)

    @property
    def state(self) -> str:
        """In words."""
        return _STATES[self.account.state]

    @property
    def is_well(self) -> bool:
        """Whether posts go out."""
        return self.account.state is AccountState.CONNECTED

    @property
    def problem(self) -> str:
        """Why not, or why not for long."""
        return self.account.problem

    @property
    def remedy(self) -> str:
        """What is to be done."""
        if self.account.remedy and self.account.state is not AccountState.DISCONNECTED:
            return self.account.remedy
        return _REMEDIES.get(self.account.state, "")


async def cards(desk: AccountDesk, actor: Actor) -> list[AccountCard]:
    """Those that they may see, by name. Raises JournalError."""
    found = await desk.list(actor)
    ids = [each.id for each in found]
    ruled = await accounts_for(desk.journal, actor, Right.ADMIN)
    waiting = await posts.waiting_by_account(desk.journal)
    shared = await shares.by_account(desk.journal, ids)
    return [
        AccountCard(
            each,
            waiting.get(each.id, 0),
            shared.get(each.id, ()),
            each.id in ruled if ruled is not None else actor.may(Right.ADMIN),
        )
        for each in found
    ]


async def card(desk: AccountDesk, actor: Actor, name: str) -> AccountCard:
    """One of them. Raises NoSuchAccount and JournalError."""
    wanted = await desk.show(actor, name)
    return next(each for each in await cards(desk, actor) if each.account.id == wanted.id)

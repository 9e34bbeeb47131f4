"""What the owner is told of: written down before it is sent, and told once.

An alert stands here until it has reached every address that it was meant for, and then stays as
the mark that it was told: those of posts for a while, those of a condition while it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import bindparam, delete, exists, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_skip

from mediawatch.journal.database import Journal, Row, Statement
from mediawatch.journal.schema import alerts, milestones, posts
from mediawatch.journal.schema import alerts_due as due
from mediawatch.model.alerts import OF_POSTS, Alert, AlertKind
from mediawatch.model.lifecycle import State

_SINCE = "alerts-{}"
_ADD, _ADD_DUE = insert(alerts), insert(due)
_POST = ("id", "name", "state", "updated_at", "published_at", "detail", "remedy", "permalink")
_STATES = {AlertKind.FAILED: State.FAILED, AlertKind.HELD: State.HELD}


@dataclass(frozen=True, slots=True)
class Untold:
    """An alert that has not reached the addresses with the digests in ``missing``."""

    alert: Alert
    missing: tuple[str, ...]


# Writes.


def add(found: Iterable[Alert], addresses: Sequence[str]) -> list[Statement]:
    """New alerts, which are not known yet, for these addresses (digests)."""
    return [
        statement
        for alert in found
        for statement in (
            Statement(_ADD, rows=1, values=asdict(alert)),
            Statement(
                _ADD_DUE,
                rows=len(addresses),
                values=[{"key": alert.key, "address": address} for address in addresses],
            ),
        )
    ]


def reached(keys: Iterable[str], address: str) -> Statement:
    """These have reached the address."""
    return Statement(delete(due).where(due.c.key.in_(list(keys)), due.c.address == address))


def only_to(addresses: Iterable[str]) -> Statement:
    """An address that is in the settings no more is waited for no more."""
    return Statement(delete(due).where(due.c.address.not_in(list(addresses))))


def forget(keys: Iterable[str]) -> Statement:
    """A condition is over: the next time it is told again."""
    return Statement(delete(alerts).where(alerts.c.key.in_(list(keys))))


def forget_old(*, told_before: float, untold_before: float) -> list[Statement]:
    """Marks of old posts; and first what reached nobody for so long that it is no news, of which
    the keys are given back."""
    of_posts = alerts.c.kind.in_([kind.value for kind in OF_POSTS])
    late = select(alerts.c.key).where(alerts.c.at < untold_before)
    return [
        Statement(delete(due).where(due.c.key.in_(late)).returning(due.c.key)),
        Statement(delete(alerts).where(of_posts, alerts.c.at < told_before)),
    ]


def want(kinds: Iterable[AlertKind], now: float) -> list[Statement]:
    """From now on these kinds are told, unless they were already; others are no more."""
    wanted = [_SINCE.format(kind.value) for kind in kinds]
    unwanted = [_SINCE.format(kind.value) for kind in AlertKind]
    unwanted = [name for name in unwanted if name not in wanted]
    begin = insert_or_skip(milestones).on_conflict_do_nothing(index_elements=[milestones.c.name])
    ended = [name.removeprefix(_SINCE.format("")) for name in unwanted]
    return [
        *(Statement(begin, values={"name": name, "at": now}) for name in wanted),
        Statement(delete(milestones).where(milestones.c.name.in_(unwanted))),
        Statement(delete(alerts).where(alerts.c.kind.in_(ended))),
    ]


# Reads.


async def wanted_since(journal: Journal) -> dict[AlertKind, float]:
    """Since when each wanted kind is told."""
    names = {_SINCE.format(kind.value): kind for kind in AlertKind}
    rows = await journal.read(
        select(milestones.c.name, milestones.c.at).where(milestones.c.name.in_(list(names)))
    )
    return {names[row["name"]]: float(row["at"]) for row in rows}


async def untold(journal: Journal) -> list[Untold]:
    """What is still to be sent, the oldest first."""
    found: dict[str, Untold] = {}
    for row in await journal.read(_UNTOLD):
        known = found.get(row["key"])
        alert = known.alert if known else _alert(row)
        found[alert.key] = Untold(alert, (*(known.missing if known else ()), row["address"]))
    return list(found.values())


async def any_for_others(journal: Journal, addresses: Iterable[str]) -> bool:
    """Whether anything waits for an address that is none of these."""
    query = select(due.c.key).where(due.c.address.not_in(list(addresses))).limit(1)
    return bool(await journal.read(query))


async def lasting(journal: Journal) -> dict[str, AlertKind]:
    """The keys of all conditions that are, or were not seen to end."""
    return {row["key"]: AlertKind(row["kind"]) for row in await journal.read(_LASTING)}


async def of_posts(journal: Journal, since: Mapping[AlertKind, float]) -> list[Alert]:
    """What became of posts since then and is not written down yet, by the kinds that are wanted."""
    found: list[Alert] = []
    for kind, state in _STATES.items():
        if kind in since:
            values = {"state": state, "since": since[kind], "kind": kind.value}
            found += [_of_post(kind, row) for row in await journal.read(_STANDING, values)]
    if AlertKind.PUBLISHED in since:
        rows = await journal.read(_PUBLISHED, {"since": since[AlertKind.PUBLISHED]})
        found += [_of_post(AlertKind.PUBLISHED, row) for row in rows if row["state"] == State.DONE]
    return found


_UNTOLD = (
    select(alerts, due.c.address)
    .join(due, due.c.key == alerts.c.key)
    .order_by(alerts.c.at, alerts.c.key, due.c.address)
)
_LASTING = select(alerts.c.key, alerts.c.kind).where(
    alerts.c.kind.in_([kind.value for kind in AlertKind if kind not in OF_POSTS])
)
_COLUMNS = [posts.c[name] for name in _POST]
#: A post that is held once more since it was told of has another time.
_STANDING = select(*_COLUMNS).where(
    posts.c.state == bindparam("state"),
    posts.c.updated_at >= bindparam("since"),
    ~exists().where(
        alerts.c.post_id == posts.c.id,
        alerts.c.kind == bindparam("kind"),
        alerts.c.at == posts.c.updated_at,
    ),
)
#: Without its state, as in upkeep.without_comment.
_PUBLISHED = select(*_COLUMNS).where(
    posts.c.published_at >= bindparam("since"),
    ~exists().where(alerts.c.post_id == posts.c.id, alerts.c.kind == AlertKind.PUBLISHED.value),
)
_SUBJECTS = {
    AlertKind.PUBLISHED: "{} is published",
    AlertKind.FAILED: "{} failed",
    AlertKind.HELD: "{} needs you",
}


def _of_post(kind: AlertKind, row: Row) -> Alert:
    published = kind is AlertKind.PUBLISHED
    at = row["published_at"] if published else row["updated_at"]
    return Alert(
        key=f"{kind}:{row['id']}:{at:.6f}",
        kind=kind,
        at=float(at),
        subject=_SUBJECTS[kind].format(row["name"]),
        detail=(row["permalink"] or "") if published else (row["detail"] or ""),
        remedy="" if published else (row["remedy"] or ""),
        post_id=row["id"],
    )


def _alert(row: Row) -> Alert:
    return Alert(
        key=str(row["key"]),
        kind=AlertKind(row["kind"]),
        at=row["at"],
        subject=row["subject"],
        detail=row["detail"],
        remedy=row["remedy"],
        post_id=row["post_id"],
    )

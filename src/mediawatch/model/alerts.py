"""What the owner is told of, and how many tellings become one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Alerts of one kind that are told one by one in a message; the rest are counted.
SHOWN = 10


class AlertKind(StrEnum):
    """What an alert is about."""

    PUBLISHED = "published"
    FAILED = "failed"
    HELD = "held"
    TOKEN = "token"  # its end is near
    QUOTA = "quota"  # the posts of the day are used up
    DISK = "disk"  # nearly full
    FOLDER = "folder"  # the inbox is gone, or is not looked at
    JOURNAL = "journal"  # it cannot be written
    ACCOUNT = "account"  # stopped by Meta


#: Those that are about a post: each is an occasion, and over as it begins. The others last.
OF_POSTS = frozenset({AlertKind.PUBLISHED, AlertKind.FAILED, AlertKind.HELD})
#: What is wanted unless the settings say otherwise.
USUAL = tuple(kind for kind in AlertKind if kind is not AlertKind.PUBLISHED)
#: The heading of many of one kind, and where the rest of them can be read.
_MANY = {
    AlertKind.PUBLISHED: ("{} posts are published", "mediawatch posts list --state done"),
    AlertKind.FAILED: ("{} posts failed", "mediawatch posts list --state failed"),
    AlertKind.HELD: ("{} posts need you", "mediawatch posts list --state held"),
}
#: Kinds in the order in which they are told: what stops everything comes first.
_ORDER = (
    AlertKind.ACCOUNT,
    AlertKind.JOURNAL,
    AlertKind.FOLDER,
    AlertKind.DISK,
    AlertKind.TOKEN,
    AlertKind.QUOTA,
    AlertKind.HELD,
    AlertKind.FAILED,
    AlertKind.PUBLISHED,
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell. ``key`` names the occasion: what has the same key is told once.

    ``at``: seconds since the epoch. ``subject`` is a heading, ``detail`` a sentence, ``remedy``
    what a person does next; ``post_id`` for those that are about a post.
    """

    key: str
    kind: AlertKind
    at: float
    subject: str
    detail: str = ""
    remedy: str = ""
    post_id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out: plain text. ``good``: nothing in it is trouble."""

    title: str
    body: str
    good: bool = False


def as_message(alerts: Sequence[Alert]) -> Message:
    """One message of all of them; at least one must be given."""
    groups = [
        (kind, sorted((a for a in alerts if a.kind is kind), key=lambda alert: alert.at))
        for kind in _ORDER
    ]
    groups = [(kind, group) for kind, group in groups if group]
    title = "mediawatch: " + ", ".join(_heading(kind, group) for kind, group in groups)
    body = "\n\n".join(_told(kind, group) for kind, group in groups)
    return Message(_line(title), body, good=all(kind is AlertKind.PUBLISHED for kind, _ in groups))


def _heading(kind: AlertKind, group: Sequence[Alert]) -> str:
    if len(group) == 1 or kind not in _MANY:
        return "; ".join(alert.subject for alert in group)
    return _MANY[kind][0].format(len(group))


def _line(text: str) -> str:
    """On one line: a file's name may hold what would end it."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _told(kind: AlertKind, group: Sequence[Alert]) -> str:
    lines = []
    for number, alert in enumerate(group[:SHOWN]):
        lines.append(_line(f"{alert.subject}. {alert.detail}"))
        after = group[number + 1].remedy if number + 1 < len(group[:SHOWN]) else None
        if alert.remedy and alert.remedy != after:  # one remedy for many is told behind them
            lines.append(_line(f"→ {alert.remedy}"))
    if len(group) > SHOWN:
        where = f" `{_MANY[kind][1]}` shows all." if kind in _MANY else ""
        lines.append(f"… and {len(group) - SHOWN} more.{where}")
    return "\n".join(lines)

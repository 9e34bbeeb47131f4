"""Every inbox with all that holds for it: what the rest of the house asks, however it is written.

An inbox that is no longer in the settings may have posts under way. They are finished, and filed
where the first inbox's are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic_core import PydanticCustomError

from mediawatch.clock import MACHINE_ZONE
from mediawatch.config.publish import PublishSettings
from mediawatch.config.values import refusal
from mediawatch.config.watch import InboxSettings, WatchSettings
from mediawatch.model.kinds import PostKind
from mediawatch.model.moments import zone_named
from mediawatch.model.schedule import WeeklySlots, weekly_slot


@dataclass(frozen=True, slots=True)
class Inbox:
    """One folder, and what becomes of what is dropped there.

    ``where``: its table in the settings, for people; ``watch``: its folders, and how they are
    watched; ``publish``: what is said with its posts; ``account``: id or username of the account,
    empty for the only one there is; ``kind``: of files for which nothing else says one;
    ``slots``: when its posts go out for which nobody wishes a time.
    """

    where: str
    watch: WatchSettings
    publish: PublishSettings
    account: str = ""
    kind: PostKind | None = None
    slots: WeeklySlots | None = None

    @property
    def folder(self) -> Path:
        """Where files are dropped."""
        return self.watch.folder

    @property
    def written(self) -> dict[str, Path]:
        """The folders that its files end in, by what they are called."""
        return {
            "processed": self.watch.processed_folder,
            "failed": self.watch.failed_folder,
            "held": self.watch.held_folder,
            "duplicate": self.watch.duplicate_folder,
        }


class Inboxes:
    """All of them, in the order of the settings; one at least."""

    def __init__(self, inboxes: Sequence[Inbox]) -> None:
        self._all = tuple(inboxes)
        self._by_folder = {place(each.folder): each for each in inboxes}

    def __iter__(self) -> Iterator[Inbox]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def first(self) -> Inbox:
        """The one that is meant where nothing tells which."""
        return self._all[0]

    @property
    def folders(self) -> list[Path]:
        """Where files are dropped."""
        return [each.folder for each in self._all]

    @property
    def written(self) -> list[Path]:
        """Where their files end, each folder once."""
        found = [path for each in self._all for path in each.written.values()]
        return list(dict.fromkeys(found))

    def of(self, folder: Path | None) -> Inbox:
        """The inbox at ``folder``, as a post remembers it; None: the first. One that is not in the
        settings any more is as the first, but for its own folder."""
        if folder is None:
            return self.first
        known = self._by_folder.get(place(folder))
        if known is not None:
            return known
        watch = self.first.watch
        apart = {
            "folder": folder,
            "processed": watch.processed_folder,
            "failed": watch.failed_folder,
        }
        return replace(
            self.first,
            where=f"{folder}, which is not in the settings any more",
            watch=watch.model_copy(update=apart),
        )


def place(folder: Path) -> Path:
    """The same for all ways to write one folder; links are not followed, as its disk may be
    away."""
    return Path(os.path.abspath(folder))  # noqa: PTH100 - links stay links


def inboxes(watch: WatchSettings, publish: PublishSettings) -> Inboxes:
    """The inboxes that the settings name."""
    if not watch.inboxes:
        return Inboxes([Inbox("[watch]", watch, publish)])
    return Inboxes(
        [_inbox(each, name_of(number), watch, publish) for number, each in enumerate(watch.inboxes)]
    )


def name_of(number: int) -> str:
    """How people are told of the table of an inbox, counted from 0."""
    return f"[watch.inboxes {number + 1}]"


def _inbox(
    said: InboxSettings, where: str, watch: WatchSettings, publish: PublishSettings
) -> Inbox:
    folders = {
        "folder": said.folder,
        "processed": said.processed or watch.processed,
        "failed": said.failed or watch.failed,
        "archive_by": said.archive_by or watch.archive_by,
        "inboxes": (),
    }
    words = ("caption", "hashtags", "approval", "min_gap")
    own = {key: value for key in words if (value := getattr(said, key)) is not None}
    zone = zone_named(said.zone) if said.zone else MACHINE_ZONE
    times = tuple(weekly_slot(text) for text in said.slots)
    return Inbox(
        where,
        watch.model_copy(update=folders),
        publish.model_copy(update=own),
        account=said.account,
        kind=said.kind,
        slots=WeeklySlots(times, zone) if times else None,
    )


def require_apart(inboxes: Inboxes, others: Sequence[tuple[str, Path]]) -> None:
    """Inboxes lie apart from one another, and whatever is written lies outside all of them, or it
    would be found again. ``others``: name and place of what else is written.

    Raises the refusal that names the setting.
    """
    seen: list[tuple[str, Path]] = []
    for inbox in inboxes:
        where, real = f"{inbox.where} folder", _real(inbox.folder)
        for other, there in seen:
            if real == there:
                raise refusal(
                    f"{where} and {other} are the same folder, {inbox.folder}.",
                    "Give each inbox a folder of its own.",
                )
            for inner, outer, inside, around in (
                (where, other, real, there),
                (other, where, there, real),
            ):
                if around in inside.parents:
                    raise refusal(
                        f"{inner} = {inside} lies inside {outer} = {around}.",
                        "Choose folders beside each other: a folder in an inbox is a carousel.",
                    )
        seen.append((where, real))
    written = [
        (_told(inbox, name), path) for inbox in inboxes for name, path in inbox.written.items()
    ]
    for name, path in (*written, *others):
        for where, real in seen:
            if _is_in(_real(path), real):
                around_it = f"the inbox {real}" if len(inboxes) == 1 else f"{where} = {real}"
                raise refusal(
                    f"{name} = {_real(path)} lies inside {around_it}.",
                    "Choose a folder outside it, or files would be found again.",
                )
    _require_one_use(inboxes)


def _require_one_use(inboxes: Inboxes) -> None:
    """The folders of an inbox are all different; inboxes may share one for the same purpose."""
    uses: dict[Path, tuple[str, str]] = {}
    for inbox in inboxes:
        for name, path in inbox.written.items():
            use, told = uses.setdefault(_real(path), (name, _told(inbox, name)))
            if use != name:
                raise _same(_told(inbox, name), told, path)


def _told(inbox: Inbox, name: str) -> str:
    if name in {"processed", "failed"}:
        return f"{inbox.where} {name}"
    what = {"held": "the folder for held files", "duplicate": "the folder for duplicates"}[name]
    return what if inbox.where == "[watch]" else f"{what} of {inbox.where}"


def _same(name: str, other: str, path: Path) -> PydanticCustomError:
    return refusal(
        f"{name} and {other} are the same folder, {_real(path)}.", "Give each a folder of its own."
    )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_in(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents

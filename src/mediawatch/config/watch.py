"""The inboxes as they stand in the settings: the one of ``[watch]``, or several."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mediawatch.config.publish import Hashtags, Template
from mediawatch.config.table import Table
from mediawatch.config.values import Duration, Folder, OptionalFolder, parse_items, refusal
from mediawatch.errors import Rejected
from mediawatch.model.kinds import PostKind
from mediawatch.model.moments import zone_named
from mediawatch.model.schedule import weekly_slot

ArchiveBy = Literal["none", "month", "day"]


def _default_folder() -> Path:
    if sys.platform == "win32":
        return Path("C:/gizmobbs/download")
    return Path.home() / "mediawatch" / "download"


def _slot(value: str) -> str:
    try:
        weekly_slot(value)
    except ValueError as error:
        raise refusal(f"{error}", 'Write it like "Mon 09:00".') from None
    return value


def _zone(value: str) -> str:
    if value:
        try:
            zone_named(value)
        except Rejected as error:
            raise refusal(error.message, error.remedy) from None
    return value


def _account(value: Any) -> Any:
    return str(value).removeprefix("@") if isinstance(value, int | str) else value


class InboxSettings(Table):
    """One of several inboxes, ``[[watch.inboxes]]``. What is left out is as in ``[watch]`` and
    ``[publish]``."""

    folder: Folder
    account: Annotated[str, BeforeValidator(_account, json_schema_input_type=str | int)] = ""
    processed: OptionalFolder = None
    failed: OptionalFolder = None
    archive_by: ArchiveBy | None = None
    caption: Template | None = None
    hashtags: Hashtags | None = None
    kind: Literal[PostKind.IMAGE, PostKind.REEL, PostKind.STORY] | None = None
    approval: bool | None = None
    min_gap: Duration | None = None
    slots: Annotated[
        tuple[Annotated[str, AfterValidator(_slot)], ...],
        BeforeValidator(parse_items, json_schema_input_type=list[str] | str),
    ] = ()
    zone: Annotated[str, AfterValidator(_zone)] = ""


class WatchSettings(Table):
    """The inbox and what becomes of its files. With several inboxes ``folder`` is the first."""

    folder: Folder = Field(default_factory=_default_folder)
    processed: OptionalFolder = None
    failed: OptionalFolder = None
    settle: Duration = Field(default=2.0, gt=0)
    rescan: Duration = Field(default=30.0, gt=0)
    mode: Literal["auto", "events", "poll"] = "auto"
    workers: int = Field(default=2, ge=1, le=64)
    archive_by: ArchiveBy = "none"
    hold_above: int = Field(default=20, ge=0)
    inboxes: tuple[InboxSettings, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, data: Any) -> Any:
        """Nobody must think that a folder is watched which is not."""
        if not isinstance(data, dict) or not data.get("inboxes"):
            return data
        if data.get("folder"):
            raise refusal(
                "folder does not go with [[watch.inboxes]]: those are the inboxes then.",
                "Remove folder, or name it in a [[watch.inboxes]] of its own.",
            )
        first = data["inboxes"][0] if isinstance(data["inboxes"], list | tuple) else None
        folder = first.get("folder") if isinstance(first, dict) else getattr(first, "folder", None)
        return {**data, "folder": folder} if folder else data

    @property
    def processed_folder(self) -> Path:
        """Where originals go that were published."""
        return self.processed or self.folder.parent / "processed"

    @property
    def failed_folder(self) -> Path:
        """Where originals go that cannot be published; ``held`` and ``duplicate`` lie beside it."""
        return self.failed or self.folder.parent / "failed"

    @property
    def held_folder(self) -> Path:
        """Where originals wait for a person."""
        return self.failed_folder.parent / "held"

    @property
    def duplicate_folder(self) -> Path:
        """Where originals go whose bytes were published before."""
        return self.failed_folder.parent / "duplicate"

    @property
    def work_folder(self) -> Path:
        """Where claimed files lie: inside the inbox, so that a claim is one atomic rename."""
        return self.folder / ".mediawatch" / "work"

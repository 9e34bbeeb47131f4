"""Publishing: containers, the one call that publishes, and the reads that tell what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
)

from mediawatch.graph.answers import Answer, Id, Told, read
from mediawatch.graph.client import Caller, GraphClient
from mediawatch.graph.errors import GraphUnreachable

#: Pages of the listing that are read to look for one post.
MAX_PAGES = 20

_SUBCODE = re.compile(r"\b(2207\d{3})\b")


def _told(moment: datetime) -> datetime:
    try:
        moment.timestamp()
    except (OverflowError, OSError) as error:
        raise ValueError("is out of range") from error
    return moment


#: A time that can be compared with others.
Moment = Annotated[datetime, AfterValidator(_told)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class ContainerStatus(StrEnum):
    """Meta: IG Container, ``status_code``."""

    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    ERROR = "ERROR"
    EXPIRED = "EXPIRED"


class _Created(Answer):
    id: Id


class Created(_Created):
    """A container that was made. ``uri``: where its video is to be sent, if Meta told."""

    uri: str | None = None


class Container(Answer):
    """A container as it reads now. ``status`` is a text for people that may hold a subcode."""

    status_code: ContainerStatus
    status: str = ""

    @property
    def subcode(self) -> int | None:
        """The error subcode inside ``status``: container failures come back as HTTP 200."""
        found = _SUBCODE.search(self.status)
        return int(found[1]) if found else None


class Arrival(Container):
    """A container to which a video is sent: how much of it has arrived.

    Meta's pages do not describe ``video_status``: whatever it holds is an answer.
    """

    video_status: Any = None

    @property
    def arrived(self) -> int | None:
        """Bytes of the video that Meta has; None if it does not tell."""
        told = str(self._phase.get("bytes_transferred"))
        return int(told) if re.fullmatch(r"[0-9]{1,15}", told) else None

    @property
    def is_whole(self) -> bool:
        """Whether nothing more is to be sent."""
        if self.status_code in {ContainerStatus.FINISHED, ContainerStatus.PUBLISHED}:
            return True
        return bool(self._phase.get("status") == "complete")

    @property
    def _phase(self) -> dict[str, Any]:
        told = self.video_status if isinstance(self.video_status, dict) else {}
        phase = told.get("uploading_phase")
        return phase if isinstance(phase, dict) else {}


class PublishedMedia(Answer):
    """One published media, as the account's listing tells it."""

    id: Id
    caption: Told = ""
    media_type: Told = ""
    permalink: str | None = None
    timestamp: Moment | None = None


class Comment(Answer):
    """One comment of a media."""

    id: Id
    text: Told = ""


class _Comments(Answer):
    data: tuple[Comment, ...]


class _Cursors(Answer):
    after: str | None = None


class _Paging(Answer):
    cursors: _Cursors = _Cursors()
    next: str | None = None


class _Listing(Answer):
    data: tuple[PublishedMedia, ...]
    paging: _Paging | None = None


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest media of an account; ``complete`` if the listing reached far enough back."""

    media: tuple[PublishedMedia, ...]
    complete: bool


class _QuotaConfig(Answer):
    quota_total: Count
    quota_duration: Annotated[Count, Field(gt=0)] = 86400


class Quota(Answer):
    """Publications used and allowed in a rolling window (Meta: Content Publishing Limit)."""

    quota_usage: Count = 0
    config: _QuotaConfig


class _Quotas(Answer):
    data: tuple[Quota, ...]


class Publishing:
    """The publishing calls of one account, for which ``caller`` speaks."""

    def __init__(self, client: GraphClient, caller: Caller) -> None:
        self._client = client
        self._user = caller.account_id
        self._caller = caller

    @property
    def caller(self) -> Caller:
        """For whom the calls are made."""
        return self._caller

    async def create(self, params: Mapping[str, str]) -> str:
        """Make a container (graph/containers.py); its id. Harmless to repeat: an unpublished one
        expires in 24 h."""
        answer = await self._client.post(f"{self._user}/media", self._caller, params)
        return read(_Created, answer).id

    async def create_for_upload(self, params: Mapping[str, str]) -> Created:
        """The same for a video that is sent to it (graph/rupload.py)."""
        answer = await self._client.post(f"{self._user}/media", self._caller, params)
        return read(Created, answer)

    async def arrival(self, container_id: str) -> Arrival:
        """How much of a container's video has arrived (Meta: IG Container, ``video_status``)."""
        answer = await self._client.get(
            container_id, self._caller, {"fields": "status_code,status,video_status"}
        )
        return read(Arrival, answer)

    async def container(self, container_id: str) -> Container:
        """How a container stands."""
        answer = await self._client.get(
            container_id, self._caller, {"fields": "status_code,status"}
        )
        return read(Container, answer)

    async def publish(self, container_id: str, *, timeout: float) -> str:
        """Ask Meta to publish; the id of the media. Sent once: it cannot be taken back.

        Whatever it raises, the post may be live.
        """
        answer = await self._client.post_once(
            f"{self._user}/media_publish",
            self._caller,
            {"creation_id": container_id},
            timeout=timeout,
        )
        return read(_Created, answer).id

    async def recent(self, *, since: float, stories: bool = False) -> Recent:
        """The account's media published after ``since`` (seconds since the epoch), newest first.

        Stories have a listing of their own, which they leave after 24 hours. Older media may be
        among the others.
        """
        found: list[PublishedMedia] = []
        after: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            answer = await self._client.get(
                f"{self._user}/{'stories' if stories else 'media'}",
                self._caller,
                {"fields": "id,caption,media_type,permalink,timestamp", "limit": "50", **after},
            )
            page = read(_Listing, answer)
            found += page.data
            oldest = page.data[-1].timestamp if page.data else None
            cursor = page.paging.cursors.after if page.paging and page.paging.next else None
            if cursor is None or (oldest is not None and oldest.timestamp() < since):
                return Recent(tuple(found), complete=True)
            after = {"after": cursor}
        return Recent(tuple(found), complete=False)

    async def permalink(self, media_id: str) -> str | None:
        """The public address of a media. It cannot be built from the id, only read.

        Raises GraphPaused where a call is too many that can be done without.
        """
        answer = await self._client.get(
            media_id, self._caller, {"fields": "permalink"}, essential=False
        )
        found = answer.get("permalink")
        return found if isinstance(found, str) else None

    async def comment(self, media_id: str, text: str, *, timeout: float) -> str:
        """Comment on a media; the id of the comment. Sent once: said twice it is there twice.

        Whatever it raises, the comment may be there.
        """
        answer = await self._client.post_once(
            f"{media_id}/comments", self._caller, {"message": text}, timeout=timeout
        )
        return read(_Created, answer).id

    async def comments(self, media_id: str) -> tuple[Comment, ...]:
        """The newest comments of a media, newest first (Meta: IG Media Comments)."""
        answer = await self._client.get(
            f"{media_id}/comments", self._caller, {"fields": "id,text", "limit": "50"}
        )
        return read(_Comments, answer).data

    async def quota(self, *, since: int | None = None, essential: bool = True) -> Quota:
        """How many publications Meta allows, and how many are used: in its window, or since then
        (seconds since the epoch, at most a day back).

        Raises GraphPaused if it is not ``essential`` and a call is too many.
        """
        answer = await self._client.get(
            f"{self._user}/content_publishing_limit",
            self._caller,
            {"fields": "quota_usage,config"} | ({} if since is None else {"since": str(since)}),
            essential=essential,
        )
        quotas = read(_Quotas, answer).data
        if not quotas:
            raise GraphUnreachable("Meta did not tell the publishing quota.")
        return quotas[0]

"""Fetch our public address as Meta would, before Meta does: its own errors say much less."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_chain, wait_fixed
from yarl import URL

from mediawatch.clock import Clock, SystemClock
from mediawatch.errors import HostProblem, from_os_error
from mediawatch.hosts import reach_problems as problems
from mediawatch.hosts import robots
from mediawatch.hosts.reach_fetch import META, SOMEBODY, Answer, fetch
from mediawatch.hosts.reach_problems import FETCHER, UrlNotReached
from mediawatch.hosts.reach_whole import serves_whole
from mediawatch.log import Log, silent

#: Seconds after which robots.txt and the folder are looked at again.
DAY = 86_400.0

_HEAD = 64 << 10  # bytes that are compared
_PAGE = 256 << 10  # bytes of a folder's page that are searched
_SETTLES = {"url-not-found", "url-wrong-type", "url-wrong-length", "url-other-content"}
#: What no other name of the fetcher would change.
_FOR_ALL = {"url-untrusted", "url-no-https", "url-too-slow", "url-refused"}


@dataclass(frozen=True, slots=True)
class _Local:
    size: int
    head: bytes


class Reach:
    """Proves that the world sees at an address what lies in a local file.

    ``delays``: seconds before each try; mounts and caches are slow. ``limit``: seconds a try.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        delays: Sequence[float] = (0, 1, 3, 10),
        limit: float = 10.0,
        clock: Clock | None = None,
        log: Log | None = None,
    ) -> None:
        self._session = session
        self._delays = delays
        self._limit = limit
        self._clock = clock or SystemClock()
        self._log = log or silent()
        #: When the surroundings of a folder's files were last found good.
        self._looked: dict[str, float] = {}
        #: Meta itself refused where robots.txt forbids every fetcher: it abides by that.
        self._star_counts = False

    async def prove(self, url: str, path: Path, media_type: str) -> None:
        """Return if ``url`` serves ``path`` as ``media_type``: type, length and first 64 KiB.

        Once a day the folder's surroundings are looked at too: a robots.txt that names Meta's
        fetcher is a problem, a folder that lists its files a warning.
        Raises UrlNotReached (it may pass) or UrlRefused (a person must act), StorageProblem if
        the file cannot be read.
        """
        local = await asyncio.to_thread(_read, path)
        tries = AsyncRetrying(
            stop=stop_after_attempt(len(self._delays)),
            wait=wait_chain(*(wait_fixed(delay) for delay in self._delays[1:] or (0,))),
            retry=retry_if_exception(_may_settle),
            reraise=True,
        )
        if self._delays[0]:
            await asyncio.sleep(self._delays[0])
        try:
            await tries(self._try, url, media_type, local, META)
        except HostProblem as problem:
            if await self._only_meta_is_refused(problem, url, media_type, local):
                raise problems.bot_rule(_address(url)) from problem
            raise
        await self._look_around(url)

    async def serves_whole(self, url: str, path: Path) -> bool:
        """Whether ``url`` serves ``path`` to the last byte; see reach_whole.py."""
        return await serves_whole(self._session, url, path, limit=self._limit)

    async def explain(self, url: str, media_type: str) -> HostProblem | None:
        """What keeps Meta from fetching ``url``, as far as it can be seen from here.

        For when Meta could not fetch what was proved before. None if all looks well.
        """
        self._looked.pop(_folder(url), None)
        try:
            forbidden = await self.forbidden(url)
            if forbidden is not None:
                self._star_counts = True
                return forbidden[0]
            await self._try(url, media_type, None, META)
        except HostProblem as problem:
            if await self._only_meta_is_refused(problem, url, media_type, None):
                return problems.bot_rule(_address(url))
            return problem
        return None

    async def _try(self, url: str, media_type: str, local: _Local | None, agent: str) -> None:
        answer = await self._fetch(url, local, agent, part=True)
        if answer.status == 206 and answer.length is None:
            # A part of who knows how much proves nothing.
            answer = await self._fetch(url, local, agent, part=False)
        if problem := _problem(answer, media_type, local):
            raise problem

    async def _fetch(self, url: str, local: _Local | None, agent: str, *, part: bool) -> Answer:
        size = local.size if local else _HEAD
        return await fetch(
            self._session,
            url,
            agent=agent,
            most=_HEAD if part else min(size, _HEAD),
            count=size,
            part=part,
            limit=self._limit,
        )

    async def _only_meta_is_refused(
        self, problem: HostProblem, url: str, media_type: str, local: _Local | None
    ) -> bool:
        if problem.code in _FOR_ALL:
            return False
        try:
            await self._try(url, media_type, local, SOMEBODY)
        except HostProblem:
            return False
        try:
            await self._try(url, media_type, local, META)
        except HostProblem:
            return True
        return False  # it has come back meanwhile

    # Once a day.

    async def _look_around(self, url: str) -> None:
        folder, now = _folder(url), self._clock.monotonic()
        if now - self._looked.get(folder, -DAY) < DAY:
            return
        try:
            forbidden = await self.forbidden(url)
            listed = await self.is_listed(url)
        except UrlNotReached:
            return  # the file itself was reached; the next one looks again
        if forbidden is not None:
            problem, named = forbidden
            if named or self._star_counts:
                raise problem
            self._log.warning(
                f"{problem.message} Meta may refuse your posts.",
                action="host",
                remedy=problem.remedy,
            )
        if listed:
            self._log.warning(
                f"{folder} shows everybody a list of your uploads.",
                action="host",
                remedy="Put an empty index.html into ftp.upload_dir, or turn off the listing.",
            )
        self._looked[folder] = now

    async def forbidden(self, url: str) -> tuple[HostProblem, bool] | None:
        """What robots.txt says against Meta's fetcher, and whether it names it.

        Raises UrlNotReached.
        """
        address = _address(url)
        text = await self._page(str(address.origin() / "robots.txt"), robots.MOST)
        said = robots.ruling(text, FETCHER, address.raw_path_qs)
        if said.allowed:
            return None
        return problems.robots_forbid(address, said.line), said.named

    async def is_listed(self, url: str) -> bool:
        """Whether the folder's own page names the file that was uploaded just now.

        Raises UrlNotReached.
        """
        return _address(url).name in await self._page(_folder(url), _PAGE)

    async def _page(self, url: str, most: int) -> str:
        """The text at an address; none if the server has none to give."""
        try:
            answer = await fetch(self._session, url, agent=META, most=most, limit=self._limit)
        except problems.UrlRefused:
            return ""
        return answer.head.decode("utf-8", "replace") if answer.status == 200 else ""


def _problem(answer: Answer, media_type: str, local: _Local | None) -> HostProblem | None:
    """What speaks against an answer's being the file; its first bytes and length if known."""
    if problem := problems.from_status(answer.url, answer.status):
        return problem
    if answer.encoding:
        return problems.compressed(answer.url, answer.encoding)
    if answer.length == 0:
        return problems.wrong_length(answer.url, 0, None)
    if answer.media_type != media_type.lower():
        return problems.wrong_type(answer.url, answer.media_type, media_type)
    if local is None:
        return None
    if answer.length != local.size:
        return problems.wrong_length(answer.url, answer.length or 0, local.size)
    if answer.head[:_HEAD] != local.head:
        return problems.other_content(answer.url)
    return None


def _may_settle(error: BaseException) -> bool:
    if isinstance(error, UrlNotReached):
        return error.code != "url-too-slow"
    return getattr(error, "code", "") in _SETTLES


def _address(url: str) -> URL:
    try:
        address = URL(url)
        address.origin()
    except ValueError:
        raise problems.no_address(url) from None
    return address


def _folder(url: str) -> str:
    return url.rpartition("/")[0] + "/"


def _read(path: Path) -> _Local:
    try:
        with path.open("rb") as file:
            return _Local(path.stat().st_size, file.read(_HEAD))
    except OSError as error:
        raise from_os_error(error, f"read {path}") from error

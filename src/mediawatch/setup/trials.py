"""Each answer tried for real, by the checks of the doctor: what came of it, and what was learnt."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from mediawatch.clock import SystemClock
from mediawatch.config import FtpSettings, InstagramSettings, Settings
from mediawatch.config.values import is_loopback
from mediawatch.doctor import account, places, web_host
from mediawatch.errors import HostProblem, MediawatchError, StorageProblem, from_os_error
from mediawatch.graph.client import Caller, not_recorded
from mediawatch.graph.profile import Profile, accounts_of
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.http_session import http_session
from mediawatch.hosts.reach import Reach
from mediawatch.log import silent
from mediawatch.model.findings import Finding, failed
from mediawatch.setup import guesses
from mediawatch.watch.filters import ignored_by_name

#: Seconds that a guessed address has to answer.
_GUESS_LIMIT = 4.0
#: By finding: remedies for those who are just setting it up, where the usual one speaks of a daemon
#: at work.
_REMEDIES = {
    "login": "Type both again: your web host shows them in its control panel.",
    "token": "Copy the token again, whole. If it has run out, make a new one; it must come from "
    "the login that you named.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found. ``certificate``: the SHA-256 of one that is not trusted."""

    findings: list[Finding]
    certificate: str = ""
    home: str = "/"
    roots: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything went well."""
        return all(finding.ok for finding in self.findings)


def try_folder(folder: Path, made: list[Path]) -> Trial:
    """Make the folder if it is missing (``made`` tells which folders that took), and work in it.
    Blocks."""
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        for place in reversed(missing):
            place.mkdir()
            made.append(place)
        found = places.inbox(folder)
        if not found.ok:
            return Trial([found])
        lying = sum(ignored_by_name(entry.name) is None for entry in folder.iterdir())
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTDIR}:  # a file lies there, or on the way there
            remedy = "Name a folder, or one that can be made."
            return Trial([Finding("folder", False, f"{folder} is no folder.", remedy)])
        return Trial([failed("folder", from_os_error(error, f"write in {folder}"))])
    how = "was made" if missing else "can be written to"
    will = f"; {lying} files or folders in it wait to be published" if lying else ""
    return Trial([Finding("folder", True, f"The folder {how}{will}.")])


async def try_login(settings: FtpSettings) -> Trial:
    """Reach the host and log in; look where the login leads."""
    async with _host(settings) as host:
        try:
            home, roots = await host.look_around(*guesses.WEB_ROOTS)
        except HostProblem as problem:
            certificate: Any = problem.details.get("certificate") or {}
            name = "login" if problem.code == "ftp-login-refused" else "connect"
            trial = _of([failed(name, problem)], "")
            return replace(trial, certificate=str(certificate.get("sha256", "")))
        encrypted = host.caps.encrypted
    plain = " The way there is not encrypted: your password travels readable."
    warning = "" if encrypted or is_loopback(settings.host) else plain
    said = Finding("login", True, f"{settings.host} knows {settings.user}.{warning}")
    return Trial([said], home=home, roots=tuple(roots))


async def try_upload(settings: Settings) -> Trial:
    """Write, measure, read back, rename and delete a file in the upload folder."""
    async with _host(settings.ftp) as host:
        findings = await host.check()
    folder = settings.ftp.upload_dir
    return _of(findings, f"A file was written to {folder}, renamed and deleted again.")


async def try_public_url(settings: Settings) -> Trial:
    """Upload a picture, fetch it under its public address as Meta would, delete it."""
    try:
        async with _host(settings.ftp) as host, http_session() as session:
            look = web_host.public_address(settings, host, session, SystemClock(), silent())
            findings = [finding async for finding in look]
    except StorageProblem as problem:
        findings = [failed("public address", problem)]
    return _of(findings, "A test picture was uploaded and found at that address.")


async def find_public_url(settings: FtpSettings) -> str:
    """The first of the likely addresses under which an upload is really seen; empty if none."""
    likely = guesses.public_urls(settings.host, settings.upload_dir)

    async def serves(address: str, session: aiohttp.ClientSession, picture: Path, key: str) -> bool:
        reach = Reach(session, delays=(0.0,), limit=_GUESS_LIMIT)
        with suppress(HostProblem):
            await reach.prove(address + key, picture, "image/jpeg")
            return True
        return False

    with suppress(HostProblem, StorageProblem):
        async with (
            _host(settings) as host,
            web_host.uploaded(host) as (picture, key),
            http_session() as session,
        ):
            found = await asyncio.gather(*(serves(a, session, picture, key) for a in likely))
            return next((a for a, good in zip(likely, found, strict=True) if good), "")
    return ""


async def try_account(settings: InstagramSettings) -> Trial:
    """Whether the token is valid, for this very account, of the right kind, and may publish."""
    async with http_session() as session:
        caller = _caller(settings, settings.user_id or "")
        look = account.examine_one(settings, session, SystemClock(), silent(), caller)
        findings = [finding async for finding in look]
    told = {finding.name: finding.detail for finding in findings}
    return _of(findings, f"The token is valid. {told.get('account')} {told.get('quota')}")


async def find_accounts(settings: InstagramSettings) -> list[Profile]:
    """The accounts that the token of ``settings`` may act for, as far as that can be told."""
    async with http_session() as session:
        client = account.asker(settings, session, SystemClock(), silent())
        with suppress(MediawatchError):
            return await accounts_of(client, _caller(settings, ""))
    return []


def _of(findings: list[Finding], well: str) -> Trial:
    """One tick for an answer that is good, else what is not."""
    bad = [finding for finding in findings if not finding.ok]
    told = [replace(each, remedy=_REMEDIES.get(each.name, each.remedy)) for each in bad]
    return Trial(told or [Finding("answer", True, well)])


@asynccontextmanager
async def _host(settings: FtpSettings) -> AsyncIterator[FtpHost]:
    host = FtpHost(settings, clock=SystemClock())
    try:
        yield host
    finally:
        await host.close()


def _caller(settings: InstagramSettings, account_id: str) -> Caller:
    token = settings.access_token or SecretStr("")
    return Caller(account_id, token, not_recorded, settings.login)

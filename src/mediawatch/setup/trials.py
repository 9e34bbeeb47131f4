"""Each answer tried for real: what came of it, in sentences, and what was learnt by it."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from mediawatch.clock import SystemClock
from mediawatch.config import FtpSettings, InstagramSettings
from mediawatch.config.values import is_loopback
from mediawatch.errors import HostProblem, MediawatchError, StorageProblem, from_os_error
from mediawatch.graph.client import Caller, GraphClient, meta_apps, not_recorded
from mediawatch.graph.errors import GraphError
from mediawatch.graph.pacing import Pacing
from mediawatch.graph.profile import Profile, accounts_of, profile
from mediawatch.graph.publishing import Publishing
from mediawatch.hosts.base import new_key
from mediawatch.hosts.ftp import FtpHost
from mediawatch.hosts.http_session import http_session
from mediawatch.hosts.reach import Reach
from mediawatch.log import silent
from mediawatch.model.findings import Finding
from mediawatch.setup import guesses
from mediawatch.watch.filters import ignored_by_name

#: Seconds before each look at the public address; caches and mounts of web hosts are slow.
_PATIENT = (0.0, 1.0, 3.0)
#: Seconds that a guessed address has to answer.
_GUESS_LIMIT = 4.0
#: Remedies for those who are just setting it up, where the usual one speaks of a daemon at work.
_REMEDIES = {
    "host-login-refused": "Type both again: your web host shows them in its control panel.",
    "token": "Copy the token again, whole. If it has run out, make a new one; it must come from "
    "the login that you named.",
}
#: Meta's code and subcode for an id that is nobody's, or that the token may not see.
_UNSEEN = (100, 33)
_WHICH_ID = (
    "The id must be the Instagram account's own (17 digits, 17841…), not that of its Facebook "
    "page, and the token must have been made for it."
)


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
    """Make the folder if it is missing (``made`` tells which folders that took), and write in it.
    Blocks."""
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    probe = folder / f".mediawatch-{secrets.token_hex(4)}"
    try:
        for place in reversed(missing):
            place.mkdir()
            made.append(place)
        probe.write_bytes(b"")
        probe.replace(probe.with_suffix(".renamed"))
        probe.with_suffix(".renamed").unlink()
        lying = sum(ignored_by_name(entry.name) is None for entry in folder.iterdir())
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTDIR}:  # a file lies there, or on the way there
            remedy = "Name a folder, or one that can be made."
            return Trial([Finding("folder", False, f"{folder} is no folder.", remedy)])
        return _failed("folder", from_os_error(error, f"write in {folder}"))
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
            failed = _failed("login", problem)
            return replace(failed, certificate=str(certificate.get("sha256", "")))
        encrypted = host.caps.encrypted
    plain = " The way there is not encrypted: your password travels readable."
    warning = "" if encrypted or is_loopback(settings.host) else plain
    said = Finding("login", True, f"{settings.host} knows {settings.user}.{warning}")
    return Trial([said], home=home, roots=tuple(roots))


async def try_upload(settings: FtpSettings) -> Trial:
    """Write, measure, rename and delete a file in the upload folder."""
    async with _host(settings) as host:
        findings = await host.check()
    bad = [finding for finding in findings if not finding.ok]
    if bad:
        return Trial(bad)
    said = f"A file was written to {settings.upload_dir}, renamed and deleted again."
    return Trial([Finding("upload", True, said)])


async def try_public_url(settings: FtpSettings) -> Trial:
    """Upload a picture, fetch it under its public address as Meta would, delete it."""
    try:
        async with _uploaded(settings) as (host, picture, key), http_session() as session:
            reach = Reach(session, delays=_PATIENT)
            await reach.prove(host.url_for(key), picture, "image/jpeg")
    except (HostProblem, StorageProblem) as problem:
        return _failed("public URL", problem)
    said = "A test picture was uploaded and found at that address."
    return Trial([Finding("public URL", True, said)])


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
        async with _uploaded(settings) as (_, picture, key), http_session() as session:
            found = await asyncio.gather(*(serves(a, session, picture, key) for a in likely))
            return next((a for a, good in zip(likely, found, strict=True) if good), "")
    return ""


async def try_account(settings: InstagramSettings) -> Trial:
    """Whether the token is valid, for this very account, of the right kind, and may publish."""
    async with http_session() as session:
        client = _client(settings, session)
        caller = _caller(settings, settings.user_id or "")
        try:
            found = await profile(client, caller)
            if wrong := _wrong_account(found, caller.account_id):
                return Trial([wrong])
            quota = await Publishing(client, caller).quota()
        except MediawatchError as problem:
            unseen = (
                isinstance(problem, GraphError) and (problem.number, problem.subcode) == _UNSEEN
            )
            return _failed("account", problem, _WHICH_ID if unseen else "")
    left = max(0, quota.config.quota_total - quota.quota_usage)
    name = f"@{found.username}" if found.username else found.user_id
    said = f"The token is valid for {name}, which may publish {left} more posts today."
    return Trial([Finding("account", True, said)])


def _wrong_account(found: Profile, user_id: str) -> Finding | None:
    if found.user_id != user_id:
        return Finding(
            "account",
            False,
            f"The token is for the account {found.user_id} ({found.username}), not for {user_id}.",
            f"Write {found.user_id} as the user id, or make a token for the other account.",
        )
    if not found.is_professional:
        return Finding(
            "account",
            False,
            f"@{found.username} is a {found.kind.lower()} account: Meta lets nobody publish to it.",
            "Switch it to a professional account in Instagram (Settings, Account type), then try "
            "again.",
        )
    return None


async def find_accounts(settings: InstagramSettings) -> list[Profile]:
    """The accounts that the token of ``settings`` may act for, as far as that can be told."""
    async with http_session() as session:
        client = _client(settings, session)
        with suppress(MediawatchError):
            return await accounts_of(client, _caller(settings, ""))
    return []


def _failed(name: str, problem: MediawatchError, remedy: str = "") -> Trial:
    remedy = remedy or _REMEDIES.get(problem.code, problem.remedy)
    return Trial([Finding(name, False, problem.message, remedy)])


@asynccontextmanager
async def _host(settings: FtpSettings) -> AsyncIterator[FtpHost]:
    host = FtpHost(settings, clock=SystemClock())
    try:
        yield host
    finally:
        await host.close()


@asynccontextmanager
async def _uploaded(settings: FtpSettings) -> AsyncIterator[tuple[FtpHost, Path, str]]:
    """A picture on the host while the context lasts: the host, the picture here, its key."""
    from PIL import Image

    key = new_key()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, key)
        await asyncio.to_thread(Image.new("RGB", (320, 320), "teal").save, picture, "JPEG")
        async with _host(settings) as host:
            await host.put(picture, key)
            try:
                yield host, picture, key
            finally:
                with suppress(HostProblem):
                    await host.delete(key)


def _client(settings: InstagramSettings, session: aiohttp.ClientSession) -> GraphClient:
    return GraphClient(
        session,
        meta_apps(settings),
        settings.version,
        timeout=settings.timeout,
        pacing=Pacing(SystemClock(), silent()),
    )


def _caller(settings: InstagramSettings, account_id: str) -> Caller:
    token = settings.access_token or SecretStr("")
    return Caller(account_id, token, not_recorded, settings.login)

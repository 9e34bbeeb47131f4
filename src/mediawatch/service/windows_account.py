"""The folders as the account of the installed service sees them, told by their access lists.

Nobody can try it in that account's place without its password. So the entries of each list are
added up for the account and the groups that it is surely in (Microsoft: How AccessCheck Works). A
folder on the way that bars it is no trouble: Windows lets everybody through
(SeChangeNotifyPrivilege).
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediawatch.config import Settings
from mediawatch.model.findings import Finding, failed
from mediawatch.service.base import ServiceProblem

if sys.platform != "win32":
    raise ImportError("only Windows has access lists of this kind")

import ntsecuritycon as rights
import pywintypes
import win32net
import win32security

from mediawatch.service import windows_manager
from mediawatch.service.windows_drives import is_share, require_own_drives
from mediawatch.service.windows_host import NAME
from mediawatch.service.windows_rights import work_folders

_FINDING = "service account"
READ = rights.FILE_GENERIC_READ | rights.FILE_GENERIC_EXECUTE
CHANGE = READ | rights.FILE_GENERIC_WRITE | rights.DELETE
#: What a right for everything stands for in an entry that was not taken apart.
_GENERIC = {
    rights.GENERIC_READ: rights.FILE_GENERIC_READ,
    rights.GENERIC_WRITE: rights.FILE_GENERIC_WRITE,
    rights.GENERIC_EXECUTE: rights.FILE_GENERIC_EXECUTE,
    rights.GENERIC_ALL: rights.FILE_ALL_ACCESS,
}
#: Everyone, Local, Service, Authenticated Users, This Organization, Users, All Services.
_EVERY_SERVICE = frozenset(
    ("S-1-1-0", "S-1-2-0", "S-1-5-6", "S-1-5-11", "S-1-5-15", "S-1-5-32-545", "S-1-5-80-0")
)
#: Accounts of Windows itself, as the service manager calls them; System is an administrator too.
_SYSTEM = frozenset(("S-1-5-18", "S-1-5-32-544"))
_BUILT_IN = {
    "localsystem": _SYSTEM,
    r".\localsystem": _SYSTEM,
    r"nt authority\system": _SYSTEM,
    r"nt authority\localservice": frozenset(("S-1-5-19",)),
    r"nt authority\networkservice": frozenset(("S-1-5-20",)),
}
_VIRTUAL = "nt service\\"
#: Without an identity on other machines.
_ANONYMOUS = r"nt authority\localservice"


@dataclass(frozen=True, slots=True)
class Account:
    """``sids``: its own and those of its groups, as text; ``whole``: there are no others."""

    name: str
    sids: frozenset[str]
    whole: bool


def examine(settings: Settings) -> list[Finding]:
    """Whether the service may read and change what it needs to; nothing if none is installed.
    Blocks."""
    try:
        name = windows_manager.account()
        if name is None:
            return []
        require_own_drives(settings)
        account = find(name)
    except ServiceProblem as problem:
        return [failed(_FINDING, problem)]
    wanted = dict.fromkeys(map(Path, windows_manager.remembered()), READ)
    # Where whoever asks has a journal is not where the service has its own, unless it is set.
    own = {settings.storage.data_dir} - _named(settings)
    wanted |= dict.fromkeys((at for at in work_folders(settings) if at not in own), CHANGE)
    return examine_as(account, wanted)


def _named(settings: Settings) -> set[Path]:
    storage = settings.storage
    return {storage.data_dir} if "data_dir" in storage.model_fields_set else set()


def examine_as(account: Account, wanted: dict[Path, int]) -> list[Finding]:
    """What keeps the account from having the rights of ``wanted``, by path; that it has them all,
    if nothing does. Blocks."""
    troubles = [
        trouble for path, mask in wanted.items() if (trouble := _trouble(account, path, mask))
    ]
    if troubles:
        return troubles
    return [Finding(_FINDING, True, f"{account.name}, the service's account, may use them all.")]


def _trouble(account: Account, path: Path, mask: int) -> Finding | None:
    if is_share(path):
        return _of_a_share(account, path)
    ground = next(place for place in (path, *path.parents) if os.path.lexists(place))
    does = "change" if mask == CHANGE else "read"
    try:
        granted = granted_rights(ground, account.sids)
    except pywintypes.error as error:
        return Finding(
            _FINDING,
            True,
            f"Whether {account.name} may {does} {ground} cannot be told: {error.strerror}",
            "Ask again in a PowerShell with the rights of an administrator.",
        )
    if granted & mask == mask:
        return None
    below = "(OI)(CI)" if ground.is_dir() else ""
    right = f"{account.name}:{below}{'M' if mask == CHANGE else 'RX'}"
    remedy = f'As administrator: icacls "{ground}" /grant "{right}"'
    if not account.whole:
        what = f"{ground} lets {account.name} {does} it only by a group that is not known here."
        return Finding(_FINDING, True, what, f"If the service cannot use it: {remedy}")
    what = f"The service runs as {account.name}, who may not {does} {ground}."
    return Finding(_FINDING, False, what, remedy)


def _of_a_share(account: Account, path: Path) -> Finding | None:
    if account.name.casefold() == _ANONYMOUS:
        return Finding(
            _FINDING,
            False,
            f"{path} is on another machine, where {account.name} is nobody.",
            "Have the service run as another account: services.msc, its properties, Log On.",
        )
    virtual = account.name.casefold().startswith(_VIRTUAL) or account.name.casefold() in _BUILT_IN
    who = "this computer's account" if virtual else account.name
    return Finding(
        _FINDING,
        True,
        f"{path} is on another machine, which alone knows whether {who} may use it.",
        f"There, give {who} the right to change it, on the share and on the folder.",
    )


def granted_rights(path: Path, sids: frozenset[str]) -> int:
    """The rights on ``path`` that its access list gives to whoever is all of ``sids``. Raises
    pywintypes.error. Blocks."""
    descriptor = win32security.GetNamedSecurityInfo(
        str(path), win32security.SE_FILE_OBJECT, win32security.DACL_SECURITY_INFORMATION
    )
    entries: Any = descriptor.GetSecurityDescriptorDacl()
    return rights.FILE_ALL_ACCESS if entries is None else added_up(entries, sids)


def added_up(entries: Any, sids: frozenset[str]) -> int:
    """What a list gives to ``sids``: for each right the first entry that speaks of it counts."""
    granted = denied = 0
    for number in range(entries.GetAceCount()):
        (kind, flags), mask, *_, sid = entries.GetAce(number)
        if flags & rights.INHERIT_ONLY_ACE or win32security.ConvertSidToStringSid(sid) not in sids:
            continue
        for whole, parts in _GENERIC.items():
            mask |= parts if mask & whole else 0
        if kind == rights.ACCESS_ALLOWED_ACE_TYPE:
            granted |= mask & ~denied
        elif kind == rights.ACCESS_DENIED_ACE_TYPE:
            denied |= mask & ~granted
    return granted


def find(name: str) -> Account:
    """The account that the service manager calls so. Raises ServiceProblem if there is none."""
    known = name.casefold()
    own = _EVERY_SERVICE | {service_sid(NAME)}  # the service's identity, whatever account it has
    if known in _BUILT_IN:
        return Account(name, own | _BUILT_IN[known], whole=True)
    if known.startswith(_VIRTUAL):
        return Account(name, own | {service_sid(name[len(_VIRTUAL) :])}, whole=True)
    try:
        sid, _, _ = win32security.LookupAccountName(None, name.removeprefix(".\\"))
        groups = win32net.NetUserGetLocalGroups("", name.removeprefix(".\\"), 1)  # indirect ones
        found = [win32security.LookupAccountName(None, group)[0] for group in groups]
    except pywintypes.error as error:
        raise ServiceProblem(
            f"The service runs as {name}, but Windows does not know that account: {error.strerror}",
            remedy="Give it another one: services.msc, its properties, Log On.",
        ) from error
    theirs = {win32security.ConvertSidToStringSid(each) for each in (sid, *found)}
    return Account(name, own | theirs, whole=False)  # a domain has groups of its own


def service_sid(name: str) -> str:
    """The identity that Windows gives to the service ``name``: no account needs to be there (what
    ``sc.exe showsid`` tells)."""
    parts = struct.unpack("<5I", hashlib.sha1(name.upper().encode("utf-16-le")).digest())  # noqa: S324
    return "-".join(["S-1-5-80", *map(str, parts)])

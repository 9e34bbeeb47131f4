"""What doctor says of the account of the service: by access lists, in memory and on the disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mediawatch.service.base import ServiceProblem
from tests.windows.inside.test_service_parts import mapped, settings

if sys.platform == "win32":
    import ntsecuritycon as rights
    import pywintypes
    import win32api
    import win32security

    from mediawatch.service import windows_account, windows_manager
    from mediawatch.service.windows_account import CHANGE, READ, added_up, examine_as, find
    from mediawatch.service.windows_rights import ACCOUNT

__all__ = ["mapped"]
EVERYONE, GUESTS = "S-1-1-0", "S-1-5-32-546"


def entries(*lines: tuple[str, str, int], inherit_only: bool = False) -> Any:
    """An access list of (allow or deny, whom, which rights)."""
    found = win32security.ACL()
    flags = rights.INHERIT_ONLY_ACE | rights.OBJECT_INHERIT_ACE if inherit_only else 0
    for kind, whom, mask in lines:
        sid = win32security.ConvertStringSidToSid(whom)
        add = found.AddAccessAllowedAceEx if kind == "allow" else found.AddAccessDeniedAceEx
        add(win32security.ACL_REVISION_DS, flags, mask, sid)
    return found


def test_the_identity_of_a_service_is_what_windows_makes_it() -> None:
    """That of a service of Windows itself is known: it is the same on all machines."""
    known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    assert known == windows_account.service_sid("TrustedInstaller")


def test_access_is_added_up_as_windows_does() -> None:
    """Own entries and those of groups count together; a refusal that stands first wins over what
    follows, and not over what went before; strangers' entries and those for what will lie inside
    do not count; a right for everything is all rights."""
    own = find(ACCOUNT).sids
    service = windows_account.service_sid("mediawatch")
    assert 0 == added_up(entries(), own)
    assert 0 == added_up(entries(("allow", GUESTS, CHANGE)), own)
    assert CHANGE == added_up(entries(("allow", service, CHANGE)), own)
    both = entries(("allow", service, rights.FILE_GENERIC_WRITE), ("allow", EVERYONE, CHANGE))
    assert CHANGE == added_up(both, own)
    refused = entries(("deny", EVERYONE, rights.DELETE), ("allow", service, CHANGE))
    assert CHANGE & ~rights.DELETE == added_up(refused, own)
    late = entries(("allow", service, CHANGE), ("deny", EVERYONE, CHANGE))
    assert CHANGE == added_up(late, own)
    assert 0 == added_up(entries(("allow", service, CHANGE), inherit_only=True), own)
    everything = added_up(entries(("allow", service, rights.GENERIC_ALL)), own)
    assert CHANGE == everything & CHANGE


@pytest.mark.parametrize(
    ("name", "group"),
    [
        (r"NT SERVICE\mediawatch", "S-1-5-80-0"),
        ("LocalSystem", "S-1-5-32-544"),
        (r"NT AUTHORITY\LocalService", "S-1-5-19"),
        (r"NT AUTHORITY\NetworkService", "S-1-5-20"),
    ],
)
def test_accounts_of_windows_need_no_name_to_be_looked_up(name: str, group: str) -> None:
    """Each has its own groups, and the identity of the service."""
    account = find(name)
    assert account.whole
    assert {group, EVERYONE, windows_account.service_sid("mediawatch")} <= account.sids


def test_an_account_that_is_gone_is_told() -> None:
    """Somebody was deleted, whose service still starts as them."""
    with pytest.raises(ServiceProblem, match="does not know that account") as caught:
        find(r".\nobody-of-that-name")
    assert "Log On" in caught.value.remedy


def _shut(folder: Path, *lines: tuple[str, str, int]) -> None:
    """The list of a folder is this one, with the owner's entry; nothing is inherited."""
    sid = win32security.ConvertSidToStringSid(
        win32security.LookupAccountName(None, win32api.GetUserName())[0]
    )
    win32security.SetNamedSecurityInfo(
        str(folder),
        win32security.SE_FILE_OBJECT,
        win32security.DACL_SECURITY_INFORMATION | win32security.PROTECTED_DACL_SECURITY_INFORMATION,
        None,
        None,
        entries(("allow", sid, rights.FILE_ALL_ACCESS), *lines),
        None,
    )


def test_a_folder_that_is_shut_is_named_with_the_command_that_opens_it(tmp_path: Path) -> None:
    """On the disk: what is its owner's alone is barred to the service; what all may change is not;
    what is not made yet goes by the folder above it; a file is given no rights for what lies
    inside."""
    account = find(ACCOUNT)
    inbox = tmp_path / "in"
    inbox.mkdir()
    _shut(inbox)
    [barred] = examine_as(account, {inbox / "processed": CHANGE})
    assert not barred.ok
    assert f"may not change {inbox}." in barred.detail
    assert rf'icacls "{inbox}" /grant "NT SERVICE\mediawatch:(OI)(CI)M"' in barred.remedy
    token = inbox / "token"
    token.write_text("a-secret")
    nobody = windows_account.Account(ACCOUNT, frozenset((GUESTS,)), whole=True)
    [unread] = examine_as(nobody, {token: READ})
    assert rf'/grant "{ACCOUNT}:RX"' in unread.remedy
    _shut(inbox, ("allow", EVERYONE, CHANGE))
    [fine] = examine_as(account, {inbox: CHANGE, inbox / "processed": CHANGE})
    assert fine.ok, fine
    assert ACCOUNT in fine.detail


def test_a_person_may_have_groups_that_are_not_known(tmp_path: Path) -> None:
    """A domain's groups cannot be asked for: what they may give is advice, and no failure."""
    _shut(tmp_path)
    somebody = windows_account.Account(r"HOME\me", frozenset((GUESTS,)), whole=False)
    [told] = examine_as(somebody, {tmp_path: CHANGE})
    assert told.ok
    assert "icacls" in told.remedy


def test_a_share_knows_only_some_accounts() -> None:
    """There the service is the computer; LocalService is nobody, and that is a failure."""
    share = Path(r"\\nas\pictures\in")
    [told] = examine_as(find(ACCOUNT), {share: CHANGE})
    assert told.ok
    assert "this computer's account" in told.remedy
    [barred] = examine_as(find(r"NT AUTHORITY\LocalService"), {share: CHANGE})
    assert not barred.ok


@pytest.mark.usefixtures("mapped")
def test_a_mapped_drive_is_told_where_a_service_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The settings were changed since: the next start would refuse it. Without a service, whoever
    runs mediawatch has the drive."""
    monkeypatch.setattr(windows_manager, "account", lambda: ACCOUNT)
    [told] = windows_account.examine(settings("M:/Instagram/in"))
    assert not told.ok
    assert r"watch.folder = '\\nas\pictures\Instagram\in'" in told.remedy
    monkeypatch.setattr(windows_manager, "account", lambda: None)
    assert [] == windows_account.examine(settings("M:/Instagram/in"))


def test_what_cannot_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks may perhaps not read a list: that is no failure of the service."""

    def denied(*_: object) -> None:
        raise pywintypes.error(5, "GetNamedSecurityInfo", "Access is denied.")

    monkeypatch.setattr(win32security, "GetNamedSecurityInfo", denied)
    [told] = examine_as(find(ACCOUNT), {tmp_path: CHANGE})
    assert told.ok
    assert "administrator" in told.remedy

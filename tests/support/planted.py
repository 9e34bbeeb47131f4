"""What can be wrong with a set-up, planted one at a time, and what the doctor must say of it."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from tests.support.confined import NO_WATCHES, powerless, small_disk
from tests.support.ftp_servers import KEEPER, READER, TEXTER, make_certificates, pyftpd
from tests.support.river import River
from tests.support.web_faults import JPEG, META, PAGE, saying, to_meta

#: Breaks one thing; what the doctor is run with, if anything. What it starts ends with the stack.
Plant = Callable[[River, ExitStack], "list[str] | None"]
DAY = 86_400


@dataclass(frozen=True)
class Planted:
    """The finding of ``section`` and ``name`` must fail, say ``says`` and advise ``remedy``."""

    fault: str
    plant: Plant
    section: str
    name: str
    says: str
    remedy: str

    def __str__(self) -> str:
        return self.fault


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _set(table: str, **keys: Any) -> Plant:
    def plant(river: River, _: ExitStack) -> None:
        river.configure(**{table: keys})

    return plant


def _served(answer: Any) -> Plant:
    def plant(river: River, _: ExitStack) -> None:
        river.host.web.fault = answer

    return plant


def _person(**facts: Any) -> Plant:
    def plant(river: River, _: ExitStack) -> None:
        river.simulator.script(person=facts)

    return plant


# Folders.


def _inbox_missing(river: River, _: ExitStack) -> None:
    river.inbox.rmdir()


def _inbox_is_a_file(river: River, _: ExitStack) -> None:
    river.inbox.rmdir()
    river.inbox.write_text("")


def _inbox_read_only(river: River, _: ExitStack) -> list[str]:
    river.inbox.chmod(0o555)
    return powerless()


def _processed_below_a_file(river: River, _: ExitStack) -> None:
    (river.root / "note").write_text("")
    river.configure(watch={"processed": str(river.root / "note" / "processed")})


def _data_read_only(river: River, _: ExitStack) -> list[str]:
    river.data.mkdir(mode=0o555)
    return powerless()


def _disk_nearly_full(river: River, _: ExitStack) -> list[str]:
    return small_disk(river.data)


def _no_watches_left(_: River, __: ExitStack) -> list[str]:
    return NO_WATCHES


# The journal.


def _journal_damaged(river: River, _: ExitStack) -> None:
    river.data.mkdir()
    (river.data / "journal.db").write_bytes(b"no database at all\n" * 400)


def _journal_of_a_newer_version(river: River, _: ExitStack) -> None:
    river.data.mkdir()
    with contextlib.closing(sqlite3.connect(river.data / "journal.db")) as journal:
        journal.execute("CREATE TABLE alembic_version (version_num TEXT)")
        journal.execute("INSERT INTO alembic_version VALUES ('9999')")
        journal.commit()


# The host.


def _ftp_away(river: River, _: ExitStack) -> None:
    river.configure(ftp={"port": _closed_port()})


def _certificate_of_nobody_known(river: River, stack: ExitStack) -> None:
    folder = river.root / "secure"
    folder.mkdir()
    secured = stack.enter_context(pyftpd(folder, make_certificates(river.root / "ca")))
    river.configure(ftp={"port": secured.port, "tls": "explicit"})


def _robots(river: River, _: ExitStack) -> None:
    rules = f"User-agent: {META}\nDisallow: /upload/\n"
    (river.host.ftp.folder / "robots.txt").write_text(rules)


def _website_away(river: River, _: ExitStack) -> None:
    river.configure(ftp={"public_url": f"http://127.0.0.1:{_closed_port()}/upload"})


# Meta.


def _graph_away(river: River, _: ExitStack) -> None:
    river.configure(instagram={"graph_url": f"http://127.0.0.1:{_closed_port()}"})


def _clock_wrong(river: River, _: ExitStack) -> None:
    river.simulator.script(headers={"Date": formatdate(0, usegmt=True)})


def _token_ended(river: River, _: ExitStack) -> None:
    rule = {"on": "user", "do": "error", "code": 190, "subcode": 463, "http": 400}
    river.simulator.script(rule)


def _quota_used_up(river: River, _: ExitStack) -> None:
    config = {"quota_total": 100, "quota_duration": DAY}
    text = json.dumps({"data": [{"quota_usage": 100, "config": config}]})
    river.simulator.script({"on": "limit", "do": "body", "text": text})


def _personal_account(river: River, _: ExitStack) -> None:
    river.configure(instagram={"login": "instagram"})
    river.simulator.script(person={"account_type": "PERSONAL"})


def _account_of_another(river: River, _: ExitStack) -> None:
    river.configure(instagram={"login": "instagram", "user_id": "17841499999999999"})


PLANTED = [
    Planted("inbox missing", _inbox_missing, "Folders", "inbox", "does not exist", "mkdir"),
    Planted("inbox is a file", _inbox_is_a_file, "Folders", "inbox", "is no folder", "mkdir"),
    Planted("inbox read-only", _inbox_read_only, "Folders", "inbox", "Could not", "access"),
    Planted(
        "processed below a file",
        _processed_below_a_file,
        "Folders",
        "processed",
        "cannot be made",
        "another folder",
    ),
    Planted("data read-only", _data_read_only, "Folders", "data", "Could not", "access"),
    Planted(
        "disk nearly full", _disk_nearly_full, "Folders", "free space", "MB are free", "Make room"
    ),
    Planted(
        "no watches left",
        _no_watches_left,
        "Watching",
        "watcher",
        "limit of watched folders",
        "sysctl",
    ),
    Planted("journal damaged", _journal_damaged, "Journal", "journal file", "damaged", "move"),
    Planted(
        "journal of a newer version",
        _journal_of_a_newer_version,
        "Journal",
        "journal file",
        "newer version",
        "Install that version",
    ),
    Planted("FTP away", _ftp_away, "Web host", "connect", "cannot be reached", "ftp.host"),
    Planted(
        "FTP host unknown",
        _set("ftp", host="ftp.invalid"),
        "Web host",
        "connect",
        "ftp.invalid",
        "ftp.host",
    ),
    Planted(
        "password wrong",
        _set("ftp", password="wr0ng-Pa55"),
        "Web host",
        "login",
        "password",
        "ftp.password",
    ),
    Planted(
        "may not write",
        _set("ftp", user=READER),
        "Web host",
        "write",
        "does not let us write",
        "ftp.upload_dir",
    ),
    Planted(
        "another file comes back",
        _set("ftp", user=TEXTER),
        "Web host",
        "read back",
        "another file",
        "text mode",
    ),
    Planted(
        "may not delete",
        _set("ftp", user=KEEPER),
        "Web host",
        "delete",
        "refused",
        "right to delete",
    ),
    Planted(
        "certificate of nobody known",
        _certificate_of_nobody_known,
        "Web host",
        "TLS",
        "certificate",
        "tls_",
    ),
    Planted("no TLS there", _set("ftp", tls="explicit"), "Web host", "TLS", "TLS", "ftp.tls"),
    Planted(
        "public address misses the folder",
        _set("ftp", upload_dir="/elsewhere"),
        "Web host",
        "public address",
        "404",
        "ftp.public_url",
    ),
    Planted(
        "public name leads nowhere",
        _set("ftp", public_url="http://nowhere.invalid/upload"),
        "Web host",
        "address",
        "leads nowhere",
        "ftp.public_url",
    ),
    Planted("website away", _website_away, "Web host", "public address", "cannot be fetched", ""),
    Planted(
        "web page instead", _served(PAGE), "Web host", "public address", "web page", "public_url"
    ),
    Planted(
        "forbidden", _served(saying(403)), "Web host", "public address", "(403)", "permissions"
    ),
    Planted(
        "forbidden to Meta alone",
        _served(to_meta(saying(403))),
        "Web host",
        "public address",
        "Meta's fetcher",
        META,
    ),
    Planted(
        "wrong type",
        _served(saying(200, b"x", Content_Type="image/webp")),
        "Web host",
        "public address",
        "image/webp",
        "Content-Type",
    ),
    Planted(
        "other bytes",
        _served(saying(200, b"\xff\xd8 another picture", **JPEG)),
        "Web host",
        "public address",
        "bytes",
        "cache",
    ),
    Planted(
        "leads on",
        _served(saying(302, Location="https://cdn.example/x.jpg")),
        "Web host",
        "public address",
        "leads on",
        "cdn.example",
    ),
    Planted("robots.txt", _robots, "Web host", "robots.txt", "robots.txt", "robots.txt"),
    Planted(
        "Meta away", _graph_away, "Instagram", "Meta", "No answer", "Check the internet connection"
    ),
    Planted(
        "token of nobody",
        _set("instagram", access_token="EAAB-not-a-token"),
        "Instagram",
        "token",
        "190",
        "token",
    ),
    Planted("token ended", _token_ended, "Instagram", "token", "190", "token"),
    Planted(
        "token ends soon",
        _person(token_lasts=3 * DAY),
        "Instagram",
        "token's end",
        "3 days",
        "new token",
    ),
    Planted(
        "permission missing",
        _person(scopes=["instagram_basic", "pages_read_engagement"]),
        "Instagram",
        "permissions",
        "lacks instagram_content_publish",
        "Grant instagram_content_publish",
    ),
    Planted(
        "page not linked", _person(page_linked=False), "Instagram", "page", "linked", "settings"
    ),
    Planted(
        "account of another",
        _account_of_another,
        "Instagram",
        "account",
        "not to 17841499999999999",
        "instagram.user_id",
    ),
    Planted(
        "personal account", _personal_account, "Instagram", "account", "personal", "professional"
    ),
    Planted("quota used up", _quota_used_up, "Instagram", "quota", "100 of 100", "Wait"),
    Planted("clock wrong", _clock_wrong, "Instagram", "clock", "ahead of", "NTP"),
]

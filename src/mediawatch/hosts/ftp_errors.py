"""What an FTP server's answer means: one table, read from the top, the first row that fits wins.

Reply codes are those of RFC 959, 2228 and 4217, and what vsftpd, ProFTPD, Pure-FTPd and
FileZilla make of them: a full disk is 451, 452, 552 or a text; 530 is a wrong password or one
connection too many.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum

import aioftp

from mediawatch.errors import HostProblem
from mediawatch.hosts.base import (
    CredentialsRefused,
    HostFull,
    HostRefused,
    HostUnavailable,
    TlsUntrusted,
    TooManyConnections,
)

#: What aioftp, asyncio, ssl and the sockets raise when the other side fails, or talks rubbish.
FOREIGN = (OSError, EOFError, ValueError, LookupError, OverflowError, aioftp.AIOFTPException)

_SHOWN = 200  # characters of a reply that people get to see


class Stage(StrEnum):
    """What we were doing when it happened."""

    CONNECT = "connect"
    TLS = "switch to TLS"
    LOGIN = "log in"
    STORE = "store a file"
    SIZE = "ask for a file's size"
    FETCH = "fetch a file"
    RENAME = "rename a file"
    DELETE = "delete a file"
    FOLDER = "make a folder"


class TlsSessionRefused(HostRefused):
    """The data connection was refused for its TLS session. A new connection may cure it once."""

    code = "ftp-tls-session"


class ResumeRefused(HostUnavailable):
    """The host does not go on with a file that was broken off; it may be sent anew."""


class FetchRefused(HostRefused):
    """The host does not hand out this file by FTP."""


class RenameRefused(HostRefused):
    """The host does not rename this file. ``for_good``: nor any other, it knows no renaming."""

    def __init__(self, message: str, *, for_good: bool) -> None:
        super().__init__(message)
        self.for_good = for_good


class DataUnreachable(OSError):
    """The port for a data connection that the server named cannot be reached."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and how it happened. ``others`` is the number of our sessions that are logged in;
    ``again``: the last data connection was refused too; ``secret`` is never shown, even if the
    server sends it back to us."""

    host: str
    stage: Stage
    others: int = 0
    encrypted: bool = False
    again: bool = False
    secret: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    codes: str
    kind: type[HostProblem]
    code: str
    sentence: str
    remedy: str
    stages: frozenset[Stage] = frozenset(Stage)
    words: str = ""
    while_others: bool = False
    encrypted: bool = False
    again: bool = False

    def fits(self, reply: str, text: str, scene: Scene) -> bool:
        return (
            scene.stage in self.stages
            and re.fullmatch(self.codes, reply) is not None
            and re.search(self.words, text, re.IGNORECASE) is not None
            and (scene.others > 0 or not self.while_others)
            and (scene.encrypted or not self.encrypted)
            and (scene.again or not self.again)
        )


_OPENING = frozenset({Stage.CONNECT, Stage.TLS, Stage.LOGIN})
_NO_SPACE = r"no space|not enough space|insufficient .*(space|storage)|disk (is )?full|quota"
_BREAKDOWN = r"^\W*OOPS"  # vsftpd's word for it
_AGAIN = "mediawatch tries again by itself."
_FEWER = (
    "Close other FTP programs, or lower ftp.connections; mediawatch goes on with fewer connections."
)
_NO_TLS = (
    "Ask the host for FTP over TLS; only if it has none and you accept that the password travels "
    'readable, set ftp.tls = "off".'
)
_SPACE = "Free some space there or enlarge the quota; mediawatch goes on by itself."
_REUSE = (
    "The host insists on TLS session reuse (425, 522). If this stays, ask the host to turn off "
    "the demand, or report the host's FTP software to mediawatch."
)

_FIREWALL = (
    "A firewall may be in the way: the passive ports of the host must be open for us. "
    f'Ask the host which they are; ftp.passive = "pasv" may help. {_AGAIN}'
)

#: Reply codes (a pattern), kind, our code, sentence after "{host}", remedy; then the limits of
#: the row: stages, words in the reply, only while other sessions of ours are logged in, only
#: under TLS, only the second time running.
_TABLE = (
    _Row(
        "421",
        TooManyConnections,
        "ftp-too-many-connections",
        "takes no more connections now",
        _FEWER,
        _OPENING,
    ),
    _Row("421", HostUnavailable, "ftp-broken-off", "ended the connection", _AGAIN),
    _Row(
        r"5\d\d",
        HostUnavailable,
        "ftp-busy",
        "had a breakdown of its own",
        _AGAIN,
        words=_BREAKDOWN,
    ),
    _Row(
        r"5\d\d",
        HostRefused,
        "ftp-tls-required",
        "lets nobody log in without TLS",
        'Set ftp.tls = "explicit" (or "implicit", with port 990).',
        frozenset({Stage.LOGIN}),
        words=r"\b(ssl|tls|encrypt\w*|secure connection)\b",
    ),
    _Row(
        "530",
        TooManyConnections,
        "ftp-too-many-connections",
        "takes no more connections now",
        _FEWER,
        frozenset({Stage.LOGIN}),
        while_others=True,
    ),
    _Row(
        "530",
        TooManyConnections,
        "ftp-too-many-connections",
        "takes no more connections now",
        _FEWER,
        frozenset({Stage.CONNECT, Stage.LOGIN}),
        words=r"^(?!.*fail).*(too many|maximum|\blimit).*(connect|user|client|session|login)",
    ),
    _Row(
        "332|430|53[0125]",
        CredentialsRefused,
        "ftp-login-refused",
        "refused the user name or the password",
        "Correct ftp.user and ftp.password, then restart mediawatch: it does not try again with "
        "the same ones, because hosts lock out an address after a few failures.",
        frozenset({Stage.LOGIN}),
    ),
    _Row(
        r"431|5\d\d",
        HostRefused,
        "ftp-no-tls",
        "does not speak TLS",
        _NO_TLS,
        frozenset({Stage.TLS}),
    ),
    _Row("522", TlsSessionRefused, "ftp-tls-session", "refused the TLS data connection", _REUSE),
    _Row(
        "452|552",
        HostFull,
        "ftp-disk-full",
        "has no space left (disk full or quota used up)",
        _SPACE,
    ),
    _Row(
        r"[45]\d\d",
        HostFull,
        "ftp-disk-full",
        "has no space left (disk full or quota used up)",
        _SPACE,
        frozenset({Stage.STORE, Stage.FOLDER}),
        words=_NO_SPACE,
    ),
    _Row(
        "451",
        HostFull,
        "ftp-disk-full",
        "could not write the file: most likely its disk is full",
        _SPACE,
        frozenset({Stage.STORE}),
        words="writ(e|ing) to (local|file)|space",
    ),
    _Row(
        "425",
        HostUnavailable,
        "ftp-data-refused",
        "did not take the data connection",
        _REUSE,
        encrypted=True,
        again=True,
    ),
    _Row(
        "425",
        HostUnavailable,
        "ftp-data-refused",
        "did not take the data connection",
        _FIREWALL,
    ),
    _Row(r"4\d\d", HostUnavailable, "ftp-busy", "cannot do it now", _AGAIN),
    _Row(
        r"5\d\d",
        HostUnavailable,
        "ftp-busy",
        "is not ready for us",
        _AGAIN,
        frozenset({Stage.CONNECT, Stage.LOGIN}),
    ),
    _Row("530", HostUnavailable, "ftp-broken-off", "forgot that we had logged in", _AGAIN),
    _Row(
        "550|553",
        HostRefused,
        "ftp-write-refused",
        "does not let us write",
        "Check ftp.upload_dir: the folder as FTP sees it; the FTP user must be allowed to write.",
        frozenset({Stage.STORE, Stage.FOLDER}),
    ),
    _Row(
        r"5\d\d",
        HostRefused,
        "ftp-refused",
        "refused",
        "Ask the host about this answer, or report it to mediawatch.",
    ),
    _Row(r".*", HostUnavailable, "ftp-garbled", "gave an answer out of turn", _AGAIN),
)


def reply_code(error: aioftp.StatusCodeError) -> str:
    """The three digits (or the rubbish in their place) that the server answered with."""
    return str(error.received_codes[-1])


def broke_down(error: aioftp.StatusCodeError) -> bool:
    """Whether the answer tells of a mishap of the server's, and nothing of what it can do."""
    return re.search(_BREAKDOWN, " ".join(error.info)) is not None


def from_reply(reply: str, text: str, scene: Scene) -> HostProblem:
    """The problem that a server's answer stands for. ``text`` is the answer without its code."""
    if scene.secret:
        text = text.replace(scene.secret, "********")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_SHOWN]
    row = next(row for row in _TABLE if row.fits(reply, text, scene))
    answer = f"{reply} {text}".strip() if reply.isdigit() else "an answer that is not FTP"
    sentence = f"The FTP host {scene.host} {row.sentence} (trying to {scene.stage}: {answer})."
    return row.kind(sentence, remedy=row.remedy, code=row.code)


def from_exception(error: Exception, scene: Scene) -> HostProblem:
    """The problem that one of the FOREIGN exceptions stands for.

    Raise it ``from None``: the foreign error may hold what the server sent back of our login.
    """
    if isinstance(error, aioftp.StatusCodeError):
        return from_reply(reply_code(error), " ".join(error.info), scene)
    host, again = f"The FTP host {scene.host}", _AGAIN
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsUntrusted(
            f"{host} shows a certificate that cannot be trusted: {error.verify_message}.",
            code="ftp-tls-untrusted",
        )
    if isinstance(error, ssl.SSLError):
        message, code = f"The TLS talk with {scene.host} failed", "ftp-tls-failed"
    elif isinstance(error, DataUnreachable):
        message, code = f"{host} answers, but its port for data is out of reach", "ftp-data-refused"
        again = _FIREWALL
    elif isinstance(error, socket.gaierror):
        message, code = f"The name of the FTP host {scene.host} is not found", "ftp-unreachable"
        again = f"Check ftp.host and this machine's network. {again}"
    elif isinstance(error, OSError | EOFError) and scene.stage is Stage.CONNECT:
        message, code = f"{host} cannot be reached", "ftp-unreachable"
        again = f"Check ftp.host, ftp.port and this machine's network. {again}"
    elif isinstance(error, OSError | EOFError):
        message, code = f"{host} broke off (trying to {scene.stage})", "ftp-broken-off"
    else:
        message, code = f"{host} gave an answer that is not FTP", "ftp-garbled"
    return HostUnavailable(f"{message}: {_reason(error)}.", remedy=again, code=code)


def not_whole(host: str, there: int | None, here: int) -> HostUnavailable:
    """The problem of a file that did not arrive whole, whatever the server said."""
    found = "is not there" if there is None else f"has {there} bytes"
    return HostUnavailable(
        f"The file on the FTP host {host} {found} after the upload, but {here} bytes were sent.",
        remedy="mediawatch sends it again. If this stays, look at disk space and quota there.",
        code="ftp-not-whole",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return (getattr(error, "reason", None) or "protocol error").replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "connection closed" if isinstance(error, ConnectionError) else type(error).__name__

"""What can be wrong with a public address, each with a sentence and a remedy."""

from __future__ import annotations

import ssl

import aiohttp
from yarl import URL

from mediawatch.errors import HostProblem
from mediawatch.hosts.base import HostRefused, HostUnavailable

#: The name that Meta's fetcher goes by, in the settings of firewalls and in robots.txt.
FETCHER = "facebookexternalhit"

FOLDERS = (
    "ftp.public_url must be the web address of the very folder that ftp.upload_dir names: put a "
    "file there by FTP and open it in a browser to find the address."
)
_BARRED = (
    "The web server must let everybody fetch files of ftp.upload_dir, Meta's fetcher "
    f"({FETCHER}) too: look at the folder's permissions, its password and bot rules."
)
_AGAIN = "Look at the web server; mediawatch tries again."
_PLAIN_HTTP = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"}
_X509 = {  # codes of OpenSSL's X509_verify_cert
    9: ("is not valid yet", "Check the clock of this machine and the certificate's dates."),
    10: ("has expired", "Renew the certificate of the web server."),
    18: ("is self-signed", "Get one of a public authority: Meta trusts no other."),
    19: ("is self-signed", "Get one of a public authority: Meta trusts no other."),
    62: (
        "is for another name",
        "Use the name that it bears in ftp.public_url, or get one for this name.",
    ),
    64: (
        "is for another name",
        "Use the name that it bears in ftp.public_url, or get one for this name.",
    ),
}


class UrlNotReached(HostUnavailable):
    """The public address gives no usable answer now."""

    code = "url-unreachable"


class UrlRefused(HostRefused):
    """The public address gives something else than the file, and not by chance."""

    code = "url-refused"


def from_transport(url: URL, error: Exception, *, answered: bool, received: int) -> HostProblem:
    """The problem that an exception of aiohttp, of a socket or of a time limit stands for.

    ``answered``: the headers had come; ``received``: so many bytes of the body too.
    """
    match error:
        case TimeoutError():
            return _slow(url, answered, received)
        case aiohttp.ClientConnectorCertificateError():
            return _untrusted(url, error.certificate_error)
        case aiohttp.ClientSSLError():
            return _no_tls(url, error)
        case aiohttp.ClientConnectorDNSError():
            return UrlNotReached(
                f"The name {url.host} is not found, so {url} cannot be fetched.",
                remedy="Check the name in ftp.public_url, and this machine's network.",
            )
        case aiohttp.ClientConnectorError():
            reason = error.os_error.strerror or "no connection"
            message = f"{url} cannot be fetched: {reason}."
        case aiohttp.InvalidURL() | ValueError():
            return no_address(str(url))
        case aiohttp.ClientResponseError():
            message = f"{url} cannot be fetched: the answer is not HTTP."
        case _ if answered:
            message = f"{url} cannot be fetched: the web server broke off after {received} bytes."
        case _:
            message = f"{url} cannot be fetched: the web server broke off without an answer."
    return UrlNotReached(
        message, remedy="Check ftp.public_url and the web server; mediawatch tries again."
    )


def _slow(url: URL, answered: bool, received: int) -> HostProblem:
    how_far = f"{received} bytes of the file came" if answered else "no answer came"
    return UrlNotReached(
        f"The web server is too slow: of {url} {how_far} in time.",
        remedy="Ask the host why: Meta waits no longer than mediawatch, which tries again.",
        code="url-too-slow",
    )


def _untrusted(url: URL, error: Exception) -> HostProblem:
    number = getattr(error, "verify_code", 0)
    what, remedy = _X509.get(
        number,
        ("cannot be traced to an authority", "Install the whole chain of certificates there."),
    )
    return UrlRefused(
        f"The web server of {url} shows a certificate that {what}.",
        remedy=f"{remedy} (Or write http in ftp.public_url, if the host serves it.)",
        code="url-untrusted",
    )


def _no_tls(url: URL, error: aiohttp.ClientSSLError) -> HostProblem:
    cause = getattr(error, "os_error", None)
    reason = (cause.reason if isinstance(cause, ssl.SSLError) else None) or "no reason given"
    if reason in _PLAIN_HTTP:
        return UrlRefused(
            f"The web server of {url} does not speak https on port {url.port}.",
            remedy="Write http:// in ftp.public_url, or the port that speaks https.",
            code="url-no-https",
        )
    return UrlNotReached(
        f"The TLS talk with the web server of {url} failed: {reason.replace('_', ' ').lower()}.",
        remedy=_AGAIN,
    )


def no_address(text: str) -> HostProblem:
    """What was to be fetched is no web address at all."""
    return UrlRefused(
        f"{text} is no address that can be fetched.", remedy=f"Correct ftp.public_url. {FOLDERS}"
    )


def in_circles(url: URL) -> HostProblem:
    """More redirects than a fetcher follows."""
    return UrlRefused(f"{url} leads in circles.", remedy=FOLDERS, code="url-redirects")


def elsewhere(url: URL, target: str, host: str | None) -> HostProblem:
    """A redirect to another host, or to something that is no web address."""
    where = f"Set ftp.public_url to the address on {host}, where the files are." if host else ""
    return UrlRefused(
        f"{url} leads on to another address: {target[:200]}.",
        remedy=where or FOLDERS,
        code="url-redirects",
    )


def from_status(url: URL, status: int) -> HostProblem | None:
    """The problem that an HTTP status stands for; None for those that bring a body."""
    if status in {200, 206}:
        return None
    if status in {404, 410}:
        return UrlRefused(
            f"{url} is not there ({status}), though the file was uploaded.",
            remedy=FOLDERS,
            code="url-not-found",
        )
    if status in {401, 403, 407}:
        return UrlRefused(
            f"The web server does not let us fetch {url} ({status}).",
            remedy=_BARRED,
            code="url-forbidden",
        )
    if status == 416:
        return wrong_length(url, 0, None)
    if status == 429:
        return UrlNotReached(
            f"The web server of {url} wants fewer requests (429).",
            remedy=f"Let it take more of {FETCHER}; mediawatch tries again.",
        )
    return UrlNotReached(f"The web server answered {status} for {url}.", remedy=_AGAIN)


def wrong_type(url: URL, found: str, wanted: str) -> HostProblem:
    """Another Content-Type. A page instead of a file is what a "soft 404" looks like."""
    if found == "text/html":
        message, remedy = f"{url} shows a web page instead of the file.", FOLDERS
    else:
        message = f"{url} is served as {found or 'nothing'}, not as {wanted}."
        remedy = "Let the web server send the right Content-Type for this kind of file."
    return UrlRefused(message, remedy=remedy, code="url-wrong-type")


def compressed(url: URL, encoding: str) -> HostProblem:
    """The server compresses although it was asked for the bytes as they are."""
    return UrlRefused(
        f"{url} comes compressed ({encoding[:40]}), though the bytes as they are were asked for.",
        remedy="Turn off the compression of pictures and videos on the web server.",
        code="url-compressed",
    )


def wrong_length(url: URL, found: int, wanted: int | None) -> HostProblem:
    """Fewer or more bytes than the file has; ``wanted`` is None if only a part was asked for."""
    if found == 0:
        message = f"{url} is empty on the web server."
    else:
        message = f"{url} has {found} bytes, the file has {wanted}."
    return UrlNotReached(
        message,
        remedy=f"A cache or a filter may be in the way; mediawatch tries again. {FOLDERS}",
        code="url-wrong-length",
    )


def other_content(url: URL) -> HostProblem:
    """As many bytes, but others."""
    return UrlRefused(
        f"{url} serves something else than the file that was uploaded.",
        remedy=f"Turn off whatever changes pictures on the way (optimisers, proxies). {FOLDERS}",
        code="url-other-content",
    )


def bot_rule(url: URL) -> HostProblem:
    """Others get the file; who calls himself as Meta's fetcher does not."""
    return UrlRefused(
        f"The web server gives {url} to others, but not to Meta's fetcher ({FETCHER}).",
        remedy=f"A bot rule is in the way: allow the user agent {FETCHER} in the firewall, the "
        "security plug-in or the CDN of the web host.",
        code="url-bot-rule",
    )


def robots_forbid(url: URL, line: str) -> HostProblem:
    """``line`` of robots.txt keeps Meta's fetcher out."""
    return UrlRefused(
        f"{url.origin()}/robots.txt forbids Meta's fetcher to fetch {url} ({line[:100]}).",
        remedy=f'Add two lines to robots.txt: "User-agent: {FETCHER}" and "Allow: /".',
        code="url-robots",
    )

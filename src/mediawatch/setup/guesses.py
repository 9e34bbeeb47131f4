"""What an answer most likely is, told by the answers before it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

#: Folders that web hosts show to the world, below where an FTP login leads; the usual ones first.
WEB_ROOTS = ("public_html", "www", "htdocs", "httpdocs", "html", "web", "public", "wwwroot")
#: Our own folder below one of them: uploads are kept apart from the site.
OWN = "mediawatch"

_ADDRESS = re.compile(r"^(?:ftps?://)?(?:[^@/]*@)?(\[[^\]]+\]|[^/:]+)(?::(\d{1,5}))?(?:/.*)?$")


def host_and_port(answer: str) -> tuple[str, int | None]:
    """The bare host, and a port if one was named: ``ftp://ftp.example.org:2121/`` is one way in
    which hosts tell it to their customers."""
    found = _ADDRESS.match(answer.strip())
    if found is None:
        return answer.strip(), None
    return found[1].strip("[]"), int(found[2]) if found[2] else None


def upload_dir(roots: Sequence[str], home: str) -> str:
    """``roots``: the folders of WEB_ROOTS that were seen in ``home``, where the login leads."""
    below = PurePosixPath(home, roots[0]) if roots else PurePosixPath(home)
    return str(below / OWN)


def public_urls(host: str, upload: str) -> list[str]:
    """Addresses under which ``upload`` may be seen, the likeliest first."""
    parts = [part for part in PurePosixPath(upload).parts if part != "/"]
    rest = [parts]
    for number, part in enumerate(parts):
        if part in WEB_ROOTS:
            rest.insert(0, parts[number + 1 :])
    name = re.sub(r"^(ftps?|sftp)\.", "", host)
    names = [name] if _is_address(name) else [name, f"www.{name}", host]
    found = [
        f"{scheme}://{each}/" + "".join(f"{part}/" for part in path)
        for scheme in ("https", "http")
        for path in rest
        for each in names
    ]
    return list(dict.fromkeys(found))


def _is_address(name: str) -> bool:
    return bool(re.fullmatch(r"[0-9.]+", name)) or ":" in name or "." not in name


def login(token: str) -> str:
    """Which login a token comes from: Meta begins those of Instagram's own login with IG."""
    return "instagram" if token.startswith("IG") else "facebook"

"""What a form sends."""

from __future__ import annotations

from aiohttp import web

from mediawatch.crypto.passwords import WeakPassword
from mediawatch.web.api.input import BadInput


async def fields(request: web.Request, *names: str) -> list[str]:
    """The texts of these fields, empty where one is left out. Raises BadInput for anything else."""
    return [(await values(request, name) or [""])[0] for name in names]


async def values(request: web.Request, name: str) -> list[str]:
    """All texts of one field. Raises BadInput for anything else."""
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise BadInput("This is no form.", remedy="Use the page itself.")
    found = (await request.post()).getall(name, [])
    if not all(isinstance(value, str) for value in found):
        raise BadInput("A file is no text.", remedy="Use the page itself.")
    return [str(value) for value in found]


def same(password: str, again: str) -> None:
    """Raises WeakPassword if a password was typed in two ways."""
    if password != again:
        raise WeakPassword("The two passwords differ.", remedy="Type both once more.")


def inside(path: str) -> str:
    """A path of ours to go on to, or the start: whatever leads elsewhere is not followed."""
    usable = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/api/"))
    plain = usable and path.isascii() and path.isprintable() and "\\" not in path
    return path if plain else "/settings/security"


def see(path: str) -> web.Response:
    """Go on to another page, as a form does that was taken."""
    return web.Response(status=303, headers={"Location": path})

"""Logging in at the simulator's consent page as a person with a browser would, without one."""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import aiohttp

FACEBOOK_APP = ("100000000000001", "demo-facebook-secret")
INSTAGRAM_APP = ("200000000000002", "demo-instagram-secret")
ROBIN, KIM = "9000000000000001", "9000000000000002"
#: Robin's accounts and pages, and the personal account of Kim.
FIRST, STUDIO, HOME = "17841400000000001", "17841400000000091", "17841400000000092"
FIRST_PAGE, STUDIO_PAGE = "134895000000001", "134895000000002"
CALLBACK = "http://127.0.0.1:8001/api/auth/instagram/callback"


class _Form(HTMLParser):
    """The fields of the page's form, and what is ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.boxes: dict[str, list[str]] = {}
        self.ticked: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag != "input":
            return
        if told.get("type") == "hidden":
            self.hidden[told["name"]] = told["value"]
        elif told.get("type") == "checkbox":
            self.boxes.setdefault(told["name"], []).append(told["value"])
            if "checked" in told:
                self.ticked.setdefault(told["name"], []).append(told["value"])


async def consent(
    session: aiohttp.ClientSession,
    address: str,
    *,
    who: str = "",
    without: Collection[str] = (),
    answer: str = "continue",
) -> dict[str, str]:
    """Open the page as ``who``, untick ``without`` (scopes or pages), and answer.

    Gives the parameters of the address that is led back to; its fragment as ``#``.
    """
    page = f"{address}&as={who}" if who else address
    async with session.get(page) as response:
        assert 200 == response.status, await response.text()
        form = _Form()
        form.feed(await response.text())
    fields = [*form.hidden.items(), ("answer", answer)]
    for name, values in form.ticked.items():
        fields += [(name, value) for value in values if value not in without]
    async with session.post(page, data=fields, allow_redirects=False) as response:
        assert 302 == response.status, await response.text()
        back = urlsplit(response.headers["Location"])
    told = {name: values[0] for name, values in parse_qs(back.query).items()}
    return told | {"#": back.fragment, "to": f"{back.scheme}://{back.netloc}{back.path}"}

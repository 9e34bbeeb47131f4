"""A real browser, a daemon as a process of its own, and a simulator for Meta: two sites, since a
browser takes `localhost` and `127.0.0.1` for strangers."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.support.login import FACEBOOK_APP, INSTAGRAM_APP
from tests.support.river import River, open_river

CHROMIUM = shutil.which("chromium")
#: Folder for pictures of every page that is looked at, if wanted.
SCREENSHOTS = os.environ.get("MEDIAWATCH_SCREENSHOTS", "")
WIDE, PHONE = {"width": 1100, "height": 800}, {"width": 390, "height": 844}
#: Tells the console what a policy forbids, whatever it is.
_WATCH = """document.addEventListener("securitypolicyviolation", event =>
    console.error("CSP: " + event.violatedDirective + " " + event.blockedURI));"""


@dataclass
class Visit:
    """A browser at the daemon's pages. ``said``: errors of its console; ``foreign``: addresses
    outside this machine that it asked for; ``states``: of the logins at Meta."""

    page: Page
    home: str
    said: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    states: set[str] = field(default_factory=set)

    async def open(self, path: str) -> None:
        """A page of the daemon."""
        await self.page.goto(self.home + path)

    async def text(self) -> str:
        """What can be read."""
        return await self.page.locator("body").inner_text()

    async def click(self, name: str) -> None:
        """A button or a link, by its words."""
        named = self.page.get_by_role("button", name=name, exact=True)
        await named.or_(self.page.get_by_role("link", name=name, exact=True)).click()

    async def shoot(self, name: str) -> None:
        """The page in light, in dark, and on a phone, where nothing may stick out."""
        for look, scheme, size in [
            ("light", "light", WIDE),
            ("dark", "dark", WIDE),
            ("phone", "light", PHONE),
        ]:
            await self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await self.page.set_viewport_size(size)  # type: ignore[arg-type]
            if SCREENSHOTS:
                path = Path(SCREENSHOTS) / f"{name}-{look}.png"
                await self.page.screenshot(path=path, full_page=True)
        width = await self.page.locator("html").evaluate("it => it.scrollWidth")
        assert width <= PHONE["width"], f"{name} is {width} pixels wide on a phone"
        await self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    def note(self, url: str) -> None:
        """It asks for something."""
        self.states.update(parse_qs(urlsplit(url).query).get("state", []))
        if urlsplit(url).scheme != "data" and urlsplit(url).hostname not in {
            "localhost",
            "127.0.0.1",
        }:
            self.foreign.append(url)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The one that Debian has."""
    if CHROMIUM is None and not os.environ.get("MEDIAWATCH_REQUIRE_ALL"):
        pytest.skip("chromium is not there: `apt-get install chromium`")
    assert CHROMIUM is not None, "MEDIAWATCH_REQUIRE_ALL wants chromium"
    async with async_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        await browser.close()


@asynccontextmanager
async def visit(browser: Browser, river: River, **options: Any) -> AsyncIterator[Visit]:
    """It is well behaved to its end: no error in the console, nothing that a policy forbids, and
    no request that leaves this machine."""
    context = await browser.new_context(viewport=WIDE, **options)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    page = await context.new_page()
    found = Visit(page, river.api.replace("127.0.0.1", "localhost"))
    if options.get("java_script_enabled", True):
        await page.add_init_script(_WATCH)
    page.on("console", lambda line: found.said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("request", lambda request: found.note(request.url))
    yield found
    await context.close()
    assert ([], []) == (found.said, found.foreign)


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[River]:
    """Without any account; the settings have both apps."""
    async with open_river(tmp_path, token=None, granted_only=True) as opened:
        instagram = opened.tables["instagram"]
        del instagram["user_id"], instagram["access_token"]
        for name, (app_id, secret) in {
            "facebook": FACEBOOK_APP,
            "instagram": INSTAGRAM_APP,
        }.items():
            instagram |= {f"{name}_app_id": app_id, f"{name}_app_secret": secret}
        opened.write_settings()
        yield opened

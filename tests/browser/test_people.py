"""The first user, the way in and the way out, in a browser."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from mediawatch.crypto import setup_link
from tests.browser.conftest import visit
from tests.support.people import PASSWORD
from tests.support.river import River


async def test_the_first_user_logs_in_and_out(chromium: Browser, river: River) -> None:
    """By the one-time link to an owner who is in; after the way out every page asks for the
    password; whoever comes in connects an account that is theirs, and shares it."""
    async with river.daemon(), visit(chromium, river) as there:
        await there.open(f"/setup?link={setup_link.word_in(river.data)}")
        await there.shoot("setup")
        for label, text in (("Name", "ana"), ("Password", PASSWORD), ("Again", PASSWORD)):
            await there.page.get_by_label(label, exact=False).first.fill(text)
        await there.page.locator("main button").click()
        await expect(there.page.locator("header")).to_contain_text("ana")
        await there.shoot("security")
        await there.click("Log out")

        await there.open("/accounts")
        await expect(there.page.locator("h1")).to_have_text("Log in")
        await there.shoot("login")
        await there.page.get_by_label("Name").fill("ana")
        await there.page.get_by_label("Password").fill(PASSWORD)
        await there.click("Log in")
        await expect(there.page.locator("h1")).to_have_text("Accounts")

        await there.open("/settings/people")
        for label, text in (("Name", "ben"), ("Password", PASSWORD)):
            await there.page.get_by_label(label, exact=True).fill(text)
        await there.click("Add")
        await there.shoot("people")
        await there.open("/accounts")
        await there.click("Connect with Facebook")
        await there.click("Continue")
        await there.page.get_by_role("checkbox", name="mediawatch_studio").check()
        await there.click("Connect")
        await there.page.get_by_text("Share @mediawatch_studio").click()
        await there.page.get_by_label("With").fill("ben")
        await there.click("Share")
        await expect(there.page.locator("section.account")).to_contain_text("ben (editor)")
        await there.shoot("accounts-shared")

"""From a click to "connected", in a browser, and a picture that is published with it."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Browser, expect

from mediawatch.simulator.callbacks import signed_request
from tests.acceptance.test_accounts import files_with
from tests.browser.conftest import Visit, visit
from tests.support.login import FACEBOOK_APP, ROBIN
from tests.support.river import River


async def at_meta(there: Visit, login: str, who: str = "") -> None:
    """On the consent page, perhaps as somebody else than whoever is logged in."""
    await there.open("/")
    await there.click(f"Connect with {login}")
    await expect(there.page.locator("h1")).to_contain_text("would like access")
    if who:
        await there.page.get_by_text("Not you?").click()
        await there.page.get_by_role("link", name=who).click()


@pytest.mark.parametrize(
    ("login", "scripts"), [("Facebook", True), ("Instagram", True), ("Instagram", False)]
)
async def test_from_the_click_to_a_published_picture(
    chromium: Browser, river: River, login: str, scripts: bool
) -> None:
    """Both logins, with and without JavaScript: consent, choice, connected; what is dropped then
    is published. No token, code or state lies open in any file, logs and journal among them."""
    async with (
        river.daemon(),
        visit(chromium, river, java_script_enabled=scripts) as there,
    ):
        await there.open("/accounts")
        await there.shoot("accounts-none")
        await at_meta(there, login)
        await there.click("Continue")
        await expect(there.page.locator("h1")).to_have_text("Which account?")
        assert "code=" not in there.page.url
        assert "state=" not in there.page.url
        await there.shoot(f"offer-{login.lower()}")
        await there.page.get_by_role("checkbox", name="@mediawatch", exact=False).first.check()
        await there.click("Connect")
        account = there.page.locator("section.account").filter(has_text="@mediawatch")
        await expect(account.locator(".state")).to_have_text("Connected")
        await there.shoot(f"accounts-{login.lower()}")
        await river.arrived(river.drop_pictures(1))
    grants = river.simulator.state.grants
    secrets = [*grants._tokens, *grants._codes, *there.states]
    assert len(secrets) >= 4  # two tokens at the least, a code, a state
    assert [] == [place for secret in secrets for place in files_with(river.root, secret)]


async def test_who_cancels_is_told_so(chromium: Browser, river: River) -> None:
    """Back at home nothing is connected, and the page says what happened and leads on."""
    async with river.daemon(), visit(chromium, river) as there:
        await at_meta(there, "Facebook")
        await there.click("Cancel")
        await expect(there.page.get_by_role("alert")).to_contain_text("You cancelled")
        await there.shoot("cancelled")
        there.said.clear()  # Chromium tells the status of the page
        await there.click("To the start")
        await expect(there.page.locator("main")).to_contain_text("No account yet")


async def test_a_personal_account_is_refused_with_the_way_out(
    chromium: Browser, river: River
) -> None:
    """At Instagram the account itself, at Facebook the page that it hangs on."""
    async with river.daemon(), visit(chromium, river) as there:
        await at_meta(there, "Instagram", "kim_at_home")
        await there.click("Continue")
        await expect(there.page.locator("main")).to_contain_text("Switch to professional account")
        assert 0 == await there.page.get_by_role("button", name="Connect", exact=True).count()
        await there.shoot("personal-instagram")
        await at_meta(there, "Facebook", "Kim Home")
        await there.click("Continue")
        await expect(there.page.locator("main")).to_contain_text("Kim's Page")
        await there.shoot("personal-facebook")


async def test_what_was_declined_is_asked_for_again(chromium: Browser, river: River) -> None:
    """A permission that is needed and was unticked: nothing can be connected, and one click leads
    back to where it is granted."""
    async with river.daemon(), visit(chromium, river) as there:
        await at_meta(there, "Facebook")
        await there.page.get_by_role(
            "checkbox", name="Publish to these Instagram accounts"
        ).uncheck()
        await there.click("Continue")
        await expect(there.page.locator("main")).to_contain_text("was not granted")
        await there.shoot("declined")
        await there.click("Grant what is missing")
        await there.click("Continue")
        await there.page.get_by_role("checkbox", name="mediawatch_studio").check()
        await there.click("Connect")
        await expect(there.page.locator("section.account")).to_contain_text("@mediawatch_studio")


async def test_without_an_app_it_shows_what_to_set_up(chromium: Browser, river: River) -> None:
    """The settings that are missing, and the addresses for the app's dashboard, to copy."""
    for key in ("facebook_app_id", "facebook_app_secret"):
        del river.tables["instagram"][key]
    river.write_settings()
    async with river.daemon(), visit(chromium, river) as there:
        await there.open("/accounts")
        await there.click("Connect with Facebook")
        shown = there.page.locator("main")
        await expect(shown).to_contain_text(f"{there.home}/api/auth/instagram/callback")
        await expect(shown).to_contain_text("facebook_app_secret")
        await there.shoot("no-app")
        there.said.clear()  # Chromium tells the status of the page


async def test_who_removes_the_app_is_disconnected_and_forgotten(
    chromium: Browser, river: River
) -> None:
    """Meta calls, and the page of the deletion is open to the person without any login."""
    async with river.daemon(), visit(chromium, river) as there:
        await at_meta(there, "Facebook")
        await there.click("Continue")
        await there.page.get_by_role("checkbox", name="mediawatch_studio").check()
        await there.click("Connect")
        said = {
            "algorithm": "HMAC-SHA256",
            "user_id": ROBIN,
            "issued_at": int(time.time()) + 1,  # not in the second in which it was connected
        }
        form = {"signed_request": signed_request(FACEBOOK_APP[1], said)}
        answer = await there.page.request.post(
            f"{there.home}/api/webhooks/instagram/data-deletion", form=form
        )
        assert 200 == answer.status
        await there.page.goto((await answer.json())["url"])
        await expect(there.page.locator("main")).to_contain_text("the access to one account")
        await there.shoot("deletion")
        await there.open("/accounts")
        await expect(there.page.locator(".state")).to_have_text("Disconnected")
        assert "studio" not in await there.text()


async def test_disconnected_and_connected_again(chromium: Browser, river: River) -> None:
    """It asks first; then files wait, with a remedy, until a click connects it again."""
    async with river.daemon(), visit(chromium, river) as there:
        await at_meta(there, "Instagram")
        await there.click("Continue")
        await there.click("Connect")
        state = there.page.locator("section.account .state")
        await there.click("Disconnect")
        await expect(there.page.locator("h1")).to_have_text("Disconnect @mediawatch?")
        await there.shoot("disconnect")
        await there.click("Keep it")
        await expect(state).to_have_text("Connected")
        await there.click("Disconnect")
        await there.click("Disconnect")
        await expect(state).to_have_text("Disconnected")
        await there.shoot("accounts-disconnected")
        originals = river.drop_pictures(1)
        await there.click("Reconnect")
        await there.click("Continue")
        await there.click("Connect")
        await expect(state).to_have_text("Connected")
        await river.arrived(originals)

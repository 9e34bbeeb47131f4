"""What is shown of the settings: all that is in force, where it comes from, and no secret."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mediawatch.cli.main import app
from mediawatch.config import example, load_with_origins
from mediawatch.config.in_force import in_force
from mediawatch.config.schema import schema
from tests.docs import inventory

PASSWORD, TOKEN = "a-password-of-ours", "a-long-access-token"
TEXT = f"""
[watch]
settle = "3s"
[media.limits]
max_fps = 50
[ftp]
host = "ftp.example.org"
user = "me"
public_url = "https://www.example.org/upload/"
[instagram]
user_id = 17841400000000001
access_token = "{TOKEN}"
[alerts]
urls = ["json://me:{PASSWORD}@localhost:1/"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text(PASSWORD)
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    return file


def shown(file: Path, **environ: str) -> dict[tuple[str, str], tuple[Any, str]]:
    named = {"MEDIAWATCH_FTP__PASSWORD_FILE": str(file.parent / "password")}
    loaded = load_with_origins(file, named | environ)
    return {(each.table, each.key): (each.value, each.origin) for each in in_force(loaded)}


def test_every_value_is_shown_with_its_origin(settings: Path) -> None:
    """File, variable, guides' name, .env, or default; the nearest one wins, and is named."""
    (settings.parent / ".env").write_text("FTP_PORT=2121\nMEDIAWATCH_LOG__LEVEL=debug\n")

    found = shown(settings, FTP_USER="you", MEDIAWATCH_LOG__LEVEL="error")

    dotenv = settings.parent / ".env"
    assert (3.0, str(settings)) == found["watch", "settle"]
    assert (30.0, "default") == found["watch", "rescan"]
    assert (50.0, str(settings)) == found["media.limits", "max_fps"]
    assert (2121, f"FTP_PORT in {dotenv}") == found["ftp", "port"]
    assert ("you", "FTP_USER in the environment") == found["ftp", "user"]
    assert ("error", "MEDIAWATCH_LOG__LEVEL in the environment") == found["log", "level"]
    assert "processed" == Path(found["watch", "processed"][0]).name


def test_every_key_is_shown(settings: Path) -> None:
    """None is left out, those of tables in tables neither."""
    keys = {
        (table, key)
        for table, keys in inventory.settings().items()
        for key in keys
        if not key.endswith("_file") or key == "tls_ca_file"
    } - {("media", "limits")}
    one = {(table, key) for table, key in keys if table != "watch.inboxes"}

    assert one == shown(settings).keys()

    inbox = f'[[watch.inboxes]]\nfolder = "{settings.parent / "in"}"\nkind = "story"\n'
    settings.write_text(settings.read_text() + inbox)
    several = shown(settings)

    names = {(table.partition(" ")[0], key) for table, key in several}
    assert keys - {("watch", "folder"), ("watch", "inboxes")} == names
    assert ("story", str(settings)) == several["watch.inboxes 1", "kind"]
    assert ("{title}", "default") == several["watch.inboxes 1", "caption"]
    assert "processed" == Path(several["watch.inboxes 1", "processed"][0]).name
    assert (None, "default") == several["watch", "processed"]


def test_no_secret_is_shown(settings: Path) -> None:
    """Only where it lies."""
    found = shown(settings)

    assert TOKEN not in str(found)
    assert PASSWORD not in str(found)
    assert "(hidden)" == found["instagram", "access_token"][0]
    assert ["(hidden)"] == found["alerts", "urls"][0]
    value, origin = found["ftp", "password"]
    assert "(hidden)" == value
    assert origin.startswith(str(settings.parent / "password"))


def test_the_command_speaks_to_people_and_to_machines(settings: Path) -> None:
    """Lines that read as the settings file does, or JSON."""
    environ = {"MEDIAWATCH_FTP__PASSWORD_FILE": str(settings.parent / "password")}
    words = ["config", "show", "--config", str(settings)]
    told = CliRunner().invoke(app, words, env=environ)
    as_json = CliRunner().invoke(app, [*words, "--json"], env=environ)

    assert (0, 0) == (told.exit_code, as_json.exit_code)
    assert "ftp.example.org" == tomllib.loads(told.output)["ftp"]["host"]
    found = json.loads(as_json.output)
    assert "ftp.example.org" == found["settings"]["ftp"]["host"]["value"]
    assert not [s for s in (TOKEN, PASSWORD) if s in told.output + as_json.output]


def test_settings_that_cannot_be_used_are_told(settings: Path) -> None:
    """As every command tells them."""
    told = CliRunner().invoke(app, ["config", "show", "--config", str(settings)])

    assert 78 == told.exit_code


def test_the_schema_knows_every_key() -> None:
    """Each with its explanation; a key that is none of ours is refused."""
    made = schema()
    tables = {
        name: made["$defs"][told["$ref"].rpartition("/")[2]]
        for name, told in made["properties"].items()
    }
    tables["media.limits"] = made["$defs"]["LimitSettings"]
    tables["watch.inboxes"] = made["$defs"]["InboxSettings"]

    known = {table: set(found["properties"]) for table, found in tables.items()}
    assert {table: set(keys) for table, keys in inventory.settings().items()} == known
    assert all(found["additionalProperties"] is False for found in tables.values())
    bare = [
        (table, key)
        for table, found in tables.items()
        for key, told in found["properties"].items()
        if "description" not in told and key not in {"limits", "inboxes"}
    ]
    assert [] == bare


def test_the_schema_takes_what_the_settings_take() -> None:
    """A duration as a number or a text, an id as digits or a number, a list as a text too."""
    found = schema()["$defs"]

    def kinds(table: str, key: str) -> set[str]:
        told = found[table]["properties"][key]
        return {one["type"] for one in told.get("anyOf", [told])}

    assert {"number", "string"} == kinds("WatchSettings", "settle")
    assert {"number", "string"} == kinds("FtpSettings", "retention")
    assert {"string", "integer"} == kinds("InstagramSettings", "user_id")
    assert {"array", "string"} == kinds("PublishSettings", "hashtags")
    assert {"string"} == kinds("WatchSettings", "folder")


def test_what_the_example_shows_fits_its_explanations() -> None:
    """Each key of the example has one, but for files of secrets, which share that of the secret."""
    assert {table for table, _ in example.explanations()} == set(inventory.settings())

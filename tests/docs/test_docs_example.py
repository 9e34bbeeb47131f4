"""``config.example.toml``: every key once, with its default, explained; and it works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from mediawatch.config import GUIDE_NAMES, Settings, example, load
from mediawatch.errors import ConfigError
from tests.docs import inventory
from tests.docs.inventory import ROOT

EXAMPLE = ROOT / "config.example.toml"
YOURS = {
    ("ftp", "host"): "ftp.example.org",
    ("ftp", "user"): "me",
    ("ftp", "password"): "a-password",
    ("ftp", "public_url"): "https://www.example.org/upload/",
    ("instagram", "user_id"): "17841400000000001",
    ("instagram", "access_token"): "a-long-access-token",
}
_OFF = re.compile(r"^# (?=[a-z_0-9]+ = |\[\[)", re.MULTILINE)


def _filled_in(text: str) -> str:
    """The example with a value of one's own for each that is marked "yours"."""
    document = tomllib.loads(text)
    for (table, key), value in YOURS.items():
        text = text.replace(f'{key} = "{document[table][key]}"', f'{key} = "{value}"')
    return text


def _loaded(text: str, tmp_path: Path) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {}, tmp_path / ".env")


def test_the_copy_at_the_root_is_the_one_that_is_installed() -> None:
    """There is one text; after a change of it: cp src/mediawatch/config/example.toml
    config.example.toml"""
    assert example.text() == EXAMPLE.read_text("utf-8")


def test_what_init_writes_says_of_every_key_what_it_is() -> None:
    """What is answered is on, below its explanation; all else is off, and shows the default."""
    written = example.filled_in({"ftp": {"host": 'a "name"', "password_file": "/p"}}, "Hello.")

    assert {"host": 'a "name"', "password_file": "/p"} == tomllib.loads(written)["ftp"]
    keys = set(re.findall(r"^(?:# )?([a-z_0-9]+) = ", written, re.MULTILINE))
    every = {key for keys in inventory.settings().values() for key in keys} - {"limits", "inboxes"}
    assert every - {"password"} == keys
    assert "Yours" not in written


def test_it_works_once_the_secrets_are_filled_in(tmp_path: Path) -> None:
    """Copy, fill in what is yours, start."""
    settings = _loaded(_filled_in(EXAMPLE.read_text("utf-8")), tmp_path)

    assert "ftp.example.org" == settings.ftp.host
    assert "a-long-access-token" == settings.instagram.access_token.get_secret_value()


def test_it_works_with_every_line_switched_on(tmp_path: Path) -> None:
    """What stands behind a "#" can be used as it is written."""
    text = _filled_in(_OFF.sub("", EXAMPLE.read_text("utf-8")))
    text = re.sub(r"^folder = .+\n", "", text, count=1, flags=re.MULTILINE)  # one, or several

    assert _loaded(text, tmp_path).instagram.app_secret is not None


def test_it_names_every_key_and_no_other() -> None:
    """A key that is missing, or one too many, fails."""
    document = tomllib.loads(_OFF.sub("", EXAMPLE.read_text("utf-8")))

    shown = {table: set(keys) for table, keys in document.items()}
    shown["media.limits"] = set(document["media"]["limits"])
    shown["watch.inboxes"] = set(document["watch"]["inboxes"][0])
    assert {table: set(keys) for table, keys in inventory.settings().items()} == shown


def test_what_it_shows_is_the_default(tmp_path: Path) -> None:
    """A line that is on changes nothing, unless it is marked "yours"."""
    only_yours: dict[str, Any] = {"ftp": {}, "instagram": {}}
    for (table, key), value in YOURS.items():
        only_yours[table][key] = value

    assert Settings(**only_yours) == _loaded(_filled_in(EXAMPLE.read_text("utf-8")), tmp_path)


def test_every_key_is_explained() -> None:
    """Above each key stands a comment (a file for a secret shares the one of its secret)."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    bare = []
    for before, line in zip(["", *lines], lines, strict=False):
        key = re.match(r"(?:# )?([a-z_0-9]+) = ", line)
        if key and not key[1].endswith("_file") and not re.match(r"# (?![a-z_0-9]+ = )", before):
            bare.append(key[1])

    assert [] == bare


def test_as_it_is_it_tells_what_to_fill_in(tmp_path: Path) -> None:
    """Whoever forgets to fill it in is told each key, and no other."""
    with pytest.raises(ConfigError) as caught:
        _loaded(EXAMPLE.read_text("utf-8"), tmp_path)

    assert set(YOURS) == {(problem.table, problem.key) for problem in caught.value.problems}


def test_the_example_of_the_environment_works(tmp_path: Path) -> None:
    """.env.example holds the names of the guides, and is enough without a file of settings."""
    names = dotenv_values(ROOT / ".env.example")
    given = {
        name: value or ("0f" * 32 if name.endswith("_KEY") else "17841400000000001")
        for name, value in names.items()
    }
    settings = load(None, given, tmp_path / ".env")

    assert set(GUIDE_NAMES) <= set(given)
    assert "ftp.example.org" == settings.ftp.host

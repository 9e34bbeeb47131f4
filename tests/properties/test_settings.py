"""Settings as people may write them: a settings file, the environment, a .env file, anything."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from mediawatch.config import GUIDE_NAMES, Settings, load
from mediawatch.errors import ConfigError
from mediawatch.model import captions
from tests.support.fuzzing import ANY_TEXT, NUMBERS, awry, examples, mangled

SECRET = "s3cret-Pa55-of-ours"
ROOT = Path(__file__).parents[2]
GOOD: dict[str, Any] = {
    "watch": {"folder": "/nowhere/mediawatch/in", "settle": 2, "mode": "auto"},
    "media": {"fit": "blur", "pad_color": "#ffffff", "max_width": 1440, "timeout": "30s"},
    "ftp": {
        "host": "ftp.example.org",
        "port": 21,
        "user": "me",
        "password": SECRET,
        "upload_dir": "/www",
        "public_url": "https://example.org/",
        "tls": "auto",
        "tls_pin_sha256": "",
        "retention": "24h",
    },
    "instagram": {"user_id": "17841400000000001", "access_token": SECRET, "app_secret": SECRET},
    "publish": {"caption": "{title} {date}", "hashtags": ["a"], "retry_delays": ["1m", 5]},
    "web": {"enabled": True, "host": "127.0.0.1", "port": 8001},
    "storage": {"data_dir": "/nowhere/mediawatch/data"},
    "log": {"level": "info", "format": "auto"},
}
ODD = st.one_of(
    ANY_TEXT,
    NUMBERS.map(str),
    st.sampled_from(
        [
            *("", " ", "\0", "~nobody-of-that-name/x", "{", "{}", "{0.__class__}", "{title!r}"),
            *("-1", "1e400", "nan", "inf", "9" * 5000, "1h30m", "true", "[::1", "https://[bad/"),
            *("http://x y/", "\ud800", "2001:db8::1", "localhost:21", "https://", "[1,2]"),
        ]
    ),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


def _toml(document: Any) -> str:
    """A document as TOML, as far as TOML can say it: JSON's values are nearly the same."""
    if not isinstance(document, dict):
        return f"x = {json.dumps(document)}\n"
    lines = [
        f"{json.dumps(key)} = {json.dumps(value)}"
        for key, value in document.items()
        if not isinstance(value, dict)
    ]
    for table, values in document.items():
        if isinstance(values, dict):
            lines.append(f"[{json.dumps(table)}]")
            lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _read(place: Path, data: bytes, environ: dict[str, str], dotenv: bytes = b"") -> None:
    """Settings come out, or a ConfigError whose problems each say where, what and what to do."""
    file, other = place / "config.toml", place / ".env"
    file.write_bytes(data)
    other.write_bytes(dotenv)
    try:
        settings = load(file, environ)
    except ConfigError as refused:
        problems = refused.problems
        told = f"{refused} {json.dumps(refused.as_dict())} {problems}"
    else:
        problems = []
        told = repr(settings)
        _usable(settings)
    assert SECRET not in told
    assert all(problem.message.strip() and problem.remedy.strip() for problem in problems)
    assert all(problem.table or problem.key for problem in problems)


def _usable(settings: Settings) -> None:
    """What passes the check can be used: no setting is found wrong only by the first post."""
    for address in (settings.ftp.public_url, settings.instagram.base_url("facebook")):
        assert URL(address).origin().host
        assert not URL(address).query_string
    assert f"{settings.instagram.version}/{settings.instagram.user_id}".isascii()
    captions.render(settings.publish.caption, "a.jpg", datetime.now(UTC), settings.publish.hashtags)
    assert all(seconds >= 0 for seconds in settings.publish.retry_delays)


@examples(1)
@given(data=st.data())
def test_a_settings_file_that_is_right_but_for_one_place(place: Path, data: st.DataObject) -> None:
    """One value of another type, out of its range, or a table that is none."""
    _read(place, _toml(awry(GOOD, data.draw)).encode("utf-8", "surrogatepass"), {})


@examples(1)
@given(data=st.data())
def test_a_settings_file_that_was_torn(place: Path, data: st.DataObject) -> None:
    """The example that we hand out, with bytes lost, doubled or overwritten."""
    whole = data.draw(st.sampled_from([_toml(GOOD).encode(), _example()]))
    _read(place, mangled(whole, data.draw), {})


def _example() -> bytes:
    return (ROOT / "config.example.toml").read_bytes()


@examples(1.5)
@example(table="ftp", key="public_url", value="https://[bad/")
@example(table="ftp", key="public_url", value="https://example.org:99999/")
@example(table="instagram", key="graph_url", value="https://[bad")
@example(table="publish", key="caption", value="{0.__class__}")
@example(table="ftp", key="password_file", value="\0")
@given(
    table=st.sampled_from([*sorted(GOOD), "x"]),
    key=st.sampled_from(
        [*sorted({key for keys in GOOD.values() for key in keys}), "x", "processed"]
    ),
    value=ODD,
)
def test_any_value_of_any_setting(place: Path, table: str, key: str, value: str) -> None:
    """From the environment every value is text, and any text may stand there."""
    environ = {f"MEDIAWATCH_{table.upper()}__{key.upper()}": value}
    _read(place, _toml(GOOD).encode(), environ)


@given(name=st.sampled_from(sorted(GUIDE_NAMES)), value=ODD)
def test_any_value_of_a_guides_name(place: Path, name: str, value: str) -> None:
    """The names of the guides lead to the same settings, and to the same care."""
    _read(place, b"", {name: value, "ACCESS_TOKEN": SECRET, "FTP_PASS": SECRET})


LINES = st.lists(
    st.one_of(
        ANY_TEXT,
        st.builds(lambda name, value: f"{name}={value}", st.sampled_from(sorted(GUIDE_NAMES)), ODD),
        st.sampled_from(["export FTP_HOST='a", 'FTP_USER="', "${X:-${X}}", "A=${A}", "=", "#"]),
    ),
    max_size=6,
)


@given(lines=LINES, data=st.data())
def test_any_dotenv_file(place: Path, lines: list[str], data: st.DataObject) -> None:
    """Lines of a .env file, quotes left open, references in circles, bytes that are no text."""
    text = "\n".join([f"FTP_PASS={SECRET}", *lines]).encode("utf-8", "surrogatepass")
    _read(place, _toml(GOOD).encode(), {}, mangled(text, data.draw) if lines else text)


@examples(0.3)
@given(content=st.binary(max_size=200), which=st.sampled_from(["password", "access_token"]))
def test_any_secret_file(place: Path, content: bytes, which: str) -> None:
    """A file that should hold a secret holds something else."""
    secret = place / "secret"
    secret.write_bytes(content)
    document = {table: dict(keys) for table, keys in GOOD.items()}
    table = "ftp" if which == "password" else "instagram"
    del document[table][which]
    document[table][f"{which}_file"] = os.fspath(secret)
    _read(place, _toml(document).encode(), {})

"""Settings: every source, every problem at once, and no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediawatch.config import Settings, credentials, default_config_file, load
from mediawatch.errors import ConfigError
from mediawatch.model import captions

GOOD = {
    "FTP_HOST": "ftp.example.org",
    "FTP_USER": "user",
    "FTP_PASS": "hush-hush-password",
    "MEDIAWATCH_FTP__PUBLIC_URL": "https://example.org/upload/",
    "ACCESS_TOKEN": "hush-hush-token",
    "IG_USER_ID": "17841400000000001",
}


def problems(environ: dict[str, str], file: Path | None = None) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environ, Path("/nowhere/.env"))
    return {
        f"{p.table}.{p.key}": f"{p.value}|{p.message}|{p.remedy}" for p in caught.value.problems
    }


def good(tmp_path: Path, toml: str = "", **environ: str) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(toml, encoding="utf-8")
    return load(file, {**GOOD, **environ}, tmp_path / ".env")


def test_the_names_of_the_guides_suffice(tmp_path: Path) -> None:
    """The environment of the first guide, and where the host shows on the web, is enough."""
    settings = load(None, {**GOOD, "AUTO_DOWNLOAD_DIR": str(tmp_path)}, tmp_path / ".env")

    assert tmp_path == settings.watch.folder
    assert ("ftp.example.org", 21) == (settings.ftp.host, settings.ftp.port)
    assert "hush-hush-password" == settings.ftp.password.get_secret_value()


def test_every_problem_at_once() -> None:
    """All that is missing or wrong is told together, each with its remedy."""
    found = problems(
        {
            "MEDIAWATCH_WATCH__SETTLE": "soon",
            "MEDIAWATCH_WATCH__COLOUR": "red",
            "MEDIAWATCH_NOTHING__AT_ALL": "1",
            "MEDIAWATCH_MEDIA__FIT": "stretch",
        }
    )

    assert {
        "ftp.host",
        "ftp.user",
        "ftp.password",
        "ftp.public_url",
        "watch.settle",
        "watch.colour",
        "nothing.",
        "media.fit",
    } == set(found)
    assert all(told.split("|")[2] for told in found.values())


def test_a_secret_is_never_shown() -> None:
    """Neither in a problem, nor in a repr, nor in an error's text."""
    environ = {**GOOD, "ACCESS_TOKEN": "short", "FTP_PORT": "none"}

    with pytest.raises(ConfigError) as caught:
        load(None, environ, Path("/nowhere/.env"))

    assert "short" not in str(caught.value)
    settings = load(None, GOOD, Path("/nowhere/.env"))
    assert "hush-hush" not in repr(settings)
    assert ("hush-hush-password", "hush-hush-token") == settings.secret_values()


def test_a_misspelt_secret_is_not_shown() -> None:
    """A name that is not known may be a secret's, misspelt: its value is not repeated."""
    found = problems({**GOOD, "MEDIAWATCH_FTP__PASWORD": "hunter2"})

    assert "hunter2" not in str(found)
    assert "is not a setting" in found["ftp.pasword"]


def test_the_nearer_source_wins(tmp_path: Path) -> None:
    """Our own names in the environment, the guides' names, .env, the file, in this order."""
    (tmp_path / ".env").write_text('FTP_HOST=from-dotenv\nFTP_USER="from-dotenv"\n')
    toml = '[ftp]\nhost = "from-file"\nuser = "from-file"\nupload_dir = "/from-file"\n'

    settings = good(tmp_path, toml, MEDIAWATCH_FTP__HOST="from-us")

    assert "from-us" == settings.ftp.host
    assert "user" == settings.ftp.user
    assert "/from-file" == settings.ftp.upload_dir
    (tmp_path / "config.toml").write_text(toml)
    bare = {key: value for key, value in GOOD.items() if key != "FTP_USER"}
    assert "from-dotenv" == load(tmp_path / "config.toml", bare, tmp_path / ".env").ftp.user


def test_secrets_from_files(tmp_path: Path) -> None:
    """A secret may lie in a file of its own, or be handed over by the service manager."""
    secret = tmp_path / "token"
    secret.write_text("token-from-a-file\n")
    (tmp_path / "ftp.password").write_text("password-from-systemd")
    environ = {key: value for key, value in GOOD.items() if key not in {"ACCESS_TOKEN", "FTP_PASS"}}
    file = tmp_path / "config.toml"
    file.write_text(f"[instagram]\naccess_token_file = '{secret}'\n")

    settings = load(file, {**environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}, tmp_path / ".env")

    assert "token-from-a-file" == settings.instagram.access_token.get_secret_value()
    assert "password-from-systemd" == settings.ftp.password.get_secret_value()


def test_secrets_beside_the_settings(tmp_path: Path) -> None:
    """Without a service manager they are looked for in ``credentials``, under the same names."""
    environ = {key: value for key, value in GOOD.items() if key != "FTP_PASS"}
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "ftp.password").write_text("password-from-beside\n")
    (tmp_path / "config.toml").write_text("")

    settings = load(tmp_path / "config.toml", environ, tmp_path / ".env")
    assert "password-from-beside" == settings.ftp.password.get_secret_value()

    (tmp_path / "ftp.password").write_text("password-from-systemd")
    handed = {**environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    settings = load(tmp_path / "config.toml", handed, tmp_path / ".env")
    assert "password-from-systemd" == settings.ftp.password.get_secret_value()


def test_a_secret_that_is_handed_over_wins_over_the_settings_file(tmp_path: Path) -> None:
    """The file that the settings name may be out of the service's reach."""
    environ = {key: value for key, value in GOOD.items() if key not in {"ACCESS_TOKEN", "FTP_PASS"}}
    for name in ("ftp.password", "instagram.access_token"):
        (tmp_path / name).write_text(f"handed-over-{name}")
    file = tmp_path / "config.toml"
    file.write_text(
        "[ftp]\npassword_file = '/root/hidden'\n[instagram]\naccess_token = 'in-the-settings'\n"
    )

    settings = load(file, {**environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}, tmp_path / ".env")

    assert {"handed-over-ftp.password", "handed-over-instagram.access_token"} == set(
        settings.secret_values()
    )


@pytest.mark.parametrize("list_of", [".gitignore", ".dockerignore"])
def test_secrets_beside_the_settings_go_nowhere(list_of: str) -> None:
    """Whoever keeps the settings in a clone neither commits the secrets nor builds them in."""
    left_out = (Path(__file__).parents[2] / list_of).read_text(encoding="utf-8").split()
    assert {credentials.BESIDE, "secrets", ".env", "config.toml", "*.backup"} <= {
        name.strip("/") for name in left_out
    }


def test_where_the_data_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder that systemd made is used unless the settings name another."""
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'state'}:/another")

    assert tmp_path / "state" == good(tmp_path).storage.data_dir
    assert Path("/named") == good(tmp_path, "[storage]\ndata_dir = '/named'\n").storage.data_dir


def test_a_secret_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named, with what to do."""
    environ = {**GOOD, "MEDIAWATCH_FTP__PASSWORD_FILE": str(tmp_path / "gone")}
    del environ["FTP_PASS"]

    (told,) = problems(environ).values()

    assert "gone cannot be read" in told


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("10m", 600), ("24h", 86400), ("7d", 604800)]
)
def test_durations(tmp_path: Path, text: str, seconds: float) -> None:
    """Seconds, or a number with a unit."""
    assert seconds == good(tmp_path, f'[watch]\nrescan = "{text}"').watch.rescan
    assert seconds == good(tmp_path, f'[ftp]\nretention = "{text}"').ftp.retention


def test_lists_and_forever(tmp_path: Path) -> None:
    """A list of durations from the environment, and uploads that are kept forever."""
    settings = good(
        tmp_path,
        '[ftp]\nretention = "forever"\n[publish]\nhashtags = ["a", "b"]',
        MEDIAWATCH_PUBLISH__RETRY_DELAYS="1m, 5m",
    )

    assert settings.ftp.retention is None
    assert (60.0, 300.0) == settings.publish.retry_delays
    assert ("a", "b") == settings.publish.hashtags


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[watch", "is not valid TOML"),
        ('[publish]\ncaption = "{nothing}"', "has a field that cannot be filled"),
        ('[instagram]\ngraph_url = "http://example.org"', "in the clear"),
        ('[ftp]\nhost = "ftp://example.org"', "not a bare host name"),
        ('[watch]\nfolder = "/in"\nprocessed = "/in/done"', "lies inside the inbox"),
        ('[ftp]\npublic_url = "example.org"', "should match pattern"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, toml: str, told: str) -> None:
    """A value that would do harm is refused with a sentence."""
    file = tmp_path / "config.toml"
    file.write_text(toml)
    environ = (
        GOOD
        if "public_url" not in toml
        else {key: value for key, value in GOOD.items() if "PUBLIC_URL" not in key}
    )
    environ = {key: value for key, value in environ.items() if key != "FTP_HOST"} | (
        {} if "host" in toml else {"FTP_HOST": "ftp.example.org"}
    )

    assert told in " ".join(problems(environ, file).values())


def test_the_examples_of_the_guides_are_no_values() -> None:
    """A placeholder that was left in place is told, before it is tried against Meta."""
    found = problems({**GOOD, "ACCESS_TOKEN": "VOTRE_ACCESS_TOKEN_INSTAGRAM"})

    assert "(hidden)|still holds the text of an example." in found["instagram.access_token"]


def test_a_secret_in_a_file_wins_over_an_example(tmp_path: Path) -> None:
    """Who names a secret's file need not remove the example's line; nothing is told twice."""
    (tmp_path / "ftp.password").write_text("from-systemd")
    (tmp_path / "token").write_text("from-a-file")
    file = tmp_path / "config.toml"
    file.write_text(
        '[ftp]\npassword = "your-ftp-password"\n[instagram]\n'
        f"access_token = 'your-token'\naccess_token_file = '{tmp_path / 'token'}'\n"
    )
    environ = {key: value for key, value in GOOD.items() if key not in {"ACCESS_TOKEN", "FTP_PASS"}}

    settings = load(file, {**environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}, tmp_path / ".env")

    assert settings.secret_values() == ("from-systemd", "from-a-file")
    with pytest.raises(ConfigError) as caught:
        load(None, {**GOOD, "IG_USER_ID": "your-id"}, tmp_path / ".env")
    assert ["user_id"] == [problem.key for problem in caught.value.problems]


def test_settings_are_frozen(tmp_path: Path) -> None:
    """What is in force does not change while it runs."""
    settings = good(tmp_path)

    with pytest.raises(ValueError, match="frozen"):
        settings.watch.settle = 1.0  # type: ignore[misc]


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$MEDIAWATCH_CONFIG, else ./config.toml, else the user's own, else none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("MEDIAWATCH_CONFIG", raising=False)
    assert default_config_file() is None
    (tmp_path / "config.toml").touch()
    assert Path("config.toml") == default_config_file()
    monkeypatch.setenv("MEDIAWATCH_CONFIG", "/else/where.toml")
    assert Path("/else/where.toml") == default_config_file()


@pytest.mark.parametrize(
    "toml",
    [
        '[watch]\nfolder = "{root}/duplicate"',
        '[watch]\nfolder = "{root}/held"',
        '[watch]\nfolder = "{root}/in/../in"\nprocessed = "{root}/in"',
        '[watch]\nfolder = "{root}/in"\nprocessed = "{root}/link"',
        '[watch]\nfolder = "{root}/in"\nprocessed = "{root}/x"\nfailed = "{root}/x"',
        '[watch]\nfolder = "{root}/in"\n[storage]\ndata_dir = "{root}/in/data"',
        '[watch]\nfolder = "{root}/in"\n[log]\nfile = "{root}/in/my.log"',
    ],
)
def test_folders_that_would_feed_themselves(tmp_path: Path, toml: str) -> None:
    """Whatever is written lies outside the inbox, by whichever way it is named."""
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    file = tmp_path / "config.toml"
    file.write_text(toml.format(root=tmp_path))

    assert any(
        word in str(problems(GOOD, file)) for word in ("inside the inbox", "the same folder")
    )


@pytest.mark.parametrize(
    "toml",
    [
        "[ftp]\npassword_file = 5",
        '[ftp]\npassword_file = "~nosuchuser/x"',
        '[watch]\nfolder = "~nosuchuser/x"',
        '[watch]\nfolder = "a\\u0000b"',
        '[publish]\ncaption = "{title!r:>9999999999}"',
        '[publish]\ncaption = "{title.__class__}"',
        "[media]\ntimeout = inf",
        "[watch]\nsettle = 1e300",
        "[ftp]\nretention = -1",
        "[ftp]\nretention = nan",
        '[ftp]\nuser = "a\\r\\nDELE x"',
        "a = " + "[" * 5000,
    ],
)
def test_values_that_would_break_later_are_refused_now(tmp_path: Path, toml: str) -> None:
    """Whatever is written into the settings is answered with a problem, never a traceback."""
    file = tmp_path / "config.toml"
    file.write_text(toml)
    environ = {key: value for key, value in GOOD.items() if key not in {"FTP_PASS", "FTP_USER"}}
    extra = {} if "user =" in toml else {"FTP_USER": "user"}
    extra |= {} if "password_file" in toml else {"FTP_PASS": "hush-hush"}

    assert 1 == len(problems({**environ, **extra}, file))


def test_an_environment_file_that_is_no_text(tmp_path: Path) -> None:
    """It is named, with what to do."""
    (tmp_path / ".env").write_bytes(b"FTP_PASS=caf\xe9")

    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load(None, GOOD, tmp_path / ".env")


def test_an_empty_path_is_no_path(tmp_path: Path) -> None:
    """Where a path may be left out an empty one leaves it out; where not, it is refused, and
    neither ever means the folder that happens to be the current one."""
    settings = good(tmp_path, '[ftp]\ntls_ca_file = ""\n[watch]\nprocessed = ""')

    assert (None, None) == (settings.ftp.tls_ca_file, settings.watch.processed)
    with pytest.raises(ConfigError, match="is empty"):
        good(tmp_path, '[watch]\nfolder = ""')


def test_late_posts(tmp_path: Path) -> None:
    """Three policies and a grace; another word is told with those that there are."""
    settings = good(tmp_path, '[publish]\nlate = "next"\nlate_after = "1h"')

    assert ("next", 3600.0) == (settings.publish.late, settings.publish.late_after)
    found = problems({**GOOD, "MEDIAWATCH_PUBLISH__LATE": "never"})
    assert "'publish', 'next' or 'hold'" in found["publish.late"]


def test_a_template_names_what_can_be_filled(tmp_path: Path) -> None:
    """Every field of the captions can be used; another one is told with those that there are."""
    template = " ".join(f"{{{name}}}" for name in captions.FIELDS)
    settings = good(tmp_path, MEDIAWATCH_PUBLISH__CAPTION=template)

    assert template == settings.publish.caption
    found = problems({**GOOD, "MEDIAWATCH_PUBLISH__CAPTION": "{place}"})
    assert "{folder}, {n}" in found["publish.caption"]


def test_a_table_in_a_table(tmp_path: Path) -> None:
    """Its keys come from file and environment each by itself, and unknown names are told."""
    toml = "[media.limits]\nreel_max_seconds = '5m'\nmax_fps = 30\n"
    settings = good(tmp_path, toml, MEDIAWATCH_MEDIA__LIMITS__MAX_FPS="50")

    assert (300, 50) == (settings.media.limits.reel_max_seconds, settings.media.limits.max_fps)
    found = problems(
        {
            **GOOD,
            "MEDIAWATCH_MEDIA__LIMITS__REEL_SECONDS": "9",
            "MEDIAWATCH_MEDIA__LIMITS__MAX_FPS": "x",
        }
    )
    assert {"media.limits.reel_seconds", "media.limits.max_fps"} == set(found)


def test_limits_that_cross_are_refused(tmp_path: Path) -> None:
    """Nothing would ever be published between them."""
    with pytest.raises(ConfigError, match="is not below"):
        good(tmp_path, "[media.limits]\nstory_min_seconds = 90\n")


@pytest.mark.parametrize(
    ("login", "way", "sends"),
    [
        ("facebook", "auto", True),
        ("facebook", "direct", True),
        ("facebook", "host", False),
        ("instagram", "auto", False),
        ("instagram", "host", False),
    ],
)
def test_which_way_videos_go(tmp_path: Path, login: str, way: str, sends: bool) -> None:
    """Directly where the login allows it, unless the web host is wanted."""
    settings = good(
        tmp_path, MEDIAWATCH_INSTAGRAM__LOGIN=login, MEDIAWATCH_INSTAGRAM__VIDEO_UPLOAD=way
    )
    assert sends is settings.instagram.sends_videos(settings.instagram.login)


def test_a_way_that_the_login_does_not_have(tmp_path: Path) -> None:
    """It is told with the setting and the way out."""
    found = problems(
        {
            **GOOD,
            "MEDIAWATCH_INSTAGRAM__LOGIN": "instagram",
            "MEDIAWATCH_INSTAGRAM__VIDEO_UPLOAD": "direct",
        }
    )
    assert 'login = "instagram"' in found["instagram.video_upload"]

"""What a service is told: the same as whoever installs it, without their rights and environment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mediawatch.config import Settings, load
from mediawatch.config.for_services import for_service
from mediawatch.errors import ConfigError

PLAIN = """
[watch]
folder = "/srv/pictures/inbox"
[ftp]
host = "ftp.example.org"
user = "me"
public_url = "https://www.example.org/upload/"
{ftp}
[instagram]
user_id = "17841400000000001"
{instagram}
"""


def written(folder: Path, *, ftp: str = "", instagram: str = "", dotenv: str = "") -> Path:
    file = folder / "config.toml"
    file.write_text(PLAIN.format(ftp=ftp, instagram=instagram))
    if dotenv:
        (folder / ".env").write_text(dotenv)
    return file


def secret(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{text}\n")
    return file


def as_the_service_sees_it(settings_file: Path, handed: Path) -> Settings:
    """What systemd does: copies of the files by their names in one folder, and then the originals
    are out of reach."""
    files = for_service(settings_file).files
    handed.mkdir()
    for name, file in files.items():
        shutil.copy(file, handed / name)
    for file in files.values():
        file.unlink()
    return load(handed / "config.toml", {"CREDENTIALS_DIRECTORY": str(handed)})


def plain(settings: Settings) -> tuple[str, str]:
    token = settings.instagram.access_token.get_secret_value()
    return settings.ftp.password.get_secret_value(), token


def test_every_secret_in_a_file_is_handed_over(tmp_path: Path) -> None:
    """Whether it lies in ``credentials``, or is named in the settings or in ``.env``: the service,
    which cannot read those files, has the same secrets."""
    beside = secret(tmp_path / "credentials" / "ftp.password", "beside")
    app = secret(tmp_path / "app", "the-app-secret")
    token = secret(tmp_path / "token", "the-token")
    file = written(
        tmp_path,
        ftp="password_file = 'elsewhere'",
        instagram=f"app_secret_file = '{app}'",
        dotenv=f"MEDIAWATCH_INSTAGRAM__ACCESS_TOKEN_FILE={token}\n",
    )

    assert {
        "config.toml": file,
        ".env": tmp_path / ".env",
        "ftp.password": beside,
        "instagram.app_secret": app,
        "instagram.access_token": token,
    } == for_service(file).files
    seen = as_the_service_sees_it(file, tmp_path / "handed")
    assert ("beside", "the-token") == plain(seen)
    assert seen.instagram.app_secret is not None


def test_a_secret_in_dotenv_reaches_the_service(tmp_path: Path) -> None:
    """It wins there over a file as it does for whoever installs."""
    secret(tmp_path / "credentials" / "ftp.password", "an-old-one")
    dotenv = "FTP_PASS=in-dotenv\nMEDIAWATCH_INSTAGRAM__ACCESS_TOKEN=token-in-dotenv\n"
    file = written(tmp_path, dotenv=dotenv)

    assert {"config.toml", ".env"} == for_service(file).files.keys()
    seen = as_the_service_sees_it(file, tmp_path / "handed")
    assert ("in-dotenv", "token-in-dotenv") == plain(seen)


def test_a_secret_in_the_settings_wins_in_a_service_too(tmp_path: Path) -> None:
    """A new token that was put into the settings beside the file of the old one counts, whether a
    service manager hands over the files or not."""
    password = secret(tmp_path / "password", "the-password")
    old = secret(tmp_path / "old", "the-old-token")
    file = written(
        tmp_path,
        ftp=f"password = 'YOUR-PASSWORD'\npassword_file = '{password}'",
        instagram=f"access_token = 'the-new-token'\naccess_token_file = '{old}'",
    )

    assert {"config.toml", "ftp.password"} == for_service(file).files.keys()
    seen = as_the_service_sees_it(file, tmp_path / "handed")
    assert ("the-password", "the-new-token") == plain(seen)


def test_the_environment_of_who_installs_is_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of a shell do not reach a service: what they say is missing is told."""
    monkeypatch.setenv("FTP_PASS", "of-the-shell")
    with pytest.raises(ConfigError) as caught:
        for_service(written(tmp_path, instagram="access_token = 'the-token'"))

    assert [("ftp", "password")] == [(each.table, each.key) for each in caught.value.problems]


def test_a_path_must_begin_somewhere(tmp_path: Path) -> None:
    """The current folder of a service is another one; each such path is told, and how it is
    written."""
    file = written(
        tmp_path,
        ftp="password = 'a-password'\ntls_ca_file = 'ca.pem'",
        instagram="access_token = 'the-token'",
        dotenv="AUTO_DOWNLOAD_DIR=download\n",
    )
    with pytest.raises(ConfigError) as caught:
        for_service(file)

    told = {(each.table, each.key): each.remedy for each in caught.value.problems}
    assert {("watch", "folder"), ("ftp", "tls_ca_file")} == told.keys()
    assert Path("download").absolute().as_posix() in told["watch", "folder"]

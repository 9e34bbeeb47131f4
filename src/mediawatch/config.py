"""Settings: read once, checked whole, frozen, and passed down. No module reads them again later.

Order, the first that names a value wins: ``MEDIAWATCH_<TABLE>__<KEY>`` in the environment, the
names of the guides (``FTP_HOST``, ``ACCESS_TOKEN``, …) in the environment, both again in a
``.env`` file, the TOML file, a file of ``$CREDENTIALS_DIRECTORY``, the default.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mediawatch.errors import ConfigError, Problem

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$")
_PLACEHOLDER = re.compile(
    r"^(votre|your|changeme|change-me|xxx|<|\.\.\.)|(_ici|_here|replace.?me)$", re.IGNORECASE
)

#: The names that the guides use, and where their values belong.
GUIDE_NAMES = {
    "FTP_HOST": ("ftp", "host"),
    "FTP_PORT": ("ftp", "port"),
    "FTP_USER": ("ftp", "user"),
    "FTP_PASS": ("ftp", "password"),
    "FTP_UPLOAD_DIR": ("ftp", "upload_dir"),
    "ACCESS_TOKEN": ("instagram", "access_token"),
    "IG_USER_ID": ("instagram", "user_id"),
    "AUTO_DOWNLOAD_DIR": ("watch", "folder"),
}


def _problem(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{message}", {"message": message, "remedy": remedy})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_duration(value: Any) -> Any:
    """Seconds as a number, or text with a unit: ``"90"``, ``"10m"``, ``"24h"``, ``"7d"``."""
    if isinstance(value, str):
        match = _DURATION.match(value)
        if match is None:
            raise _problem(
                "is not a duration.", 'Write seconds, or a text like "30s", "10m", "24h".'
            )
        return float(match[1]) * _UNITS[match[2] or "s"]
    return value


def _retention(value: Any) -> Any:
    return None if value == "forever" else parse_duration(value)


def _items(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _folder(value: Any) -> Any:
    return Path(value).expanduser() if isinstance(value, str) and value else value


Duration = Annotated[float, BeforeValidator(parse_duration), Field(ge=0)]
Durations = Annotated[tuple[Duration, ...], BeforeValidator(_items)]
Folder = Annotated[Path, BeforeValidator(_folder)]


class Table(BaseModel):
    """One table of the settings file. A ``<secret>_file`` beside a secret names a file with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    secrets: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        for name in cls.secrets:
            path = data.pop(f"{name}_file", None)
            if path and not data.get(name):
                try:
                    data[name] = Path(path).expanduser().read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    reason = getattr(error, "strerror", None) or "not a text file"
                    raise _problem(
                        f"{name}_file = {path} cannot be read: {reason}.",
                        "Name a readable text file that holds only the secret.",
                    ) from error
        return data


def _default_folder() -> Path:
    if sys.platform == "win32":
        return Path("C:/gizmobbs/download")
    return Path.home() / "mediawatch" / "download"


class WatchSettings(Table):
    """The inbox and what becomes of its files."""

    folder: Folder = Field(default_factory=_default_folder)
    processed: Folder | None = None
    failed: Folder | None = None
    settle: Duration = Field(default=2.0, gt=0)
    rescan: Duration = Field(default=30.0, gt=0)
    mode: Literal["auto", "events", "poll"] = "auto"
    workers: int = Field(default=2, ge=1, le=64)
    archive_by: Literal["none", "month", "day"] = "none"

    @property
    def processed_folder(self) -> Path:
        """Where originals go that were published."""
        return self.processed or self.folder.parent / "processed"

    @property
    def failed_folder(self) -> Path:
        """Where originals go that cannot be published; ``held`` and ``duplicate`` lie beside it."""
        return self.failed or self.folder.parent / "failed"

    @property
    def held_folder(self) -> Path:
        """Where originals wait for a person."""
        return self.failed_folder.parent / "held"

    @property
    def duplicate_folder(self) -> Path:
        """Where originals go whose bytes were published before."""
        return self.failed_folder.parent / "duplicate"

    @property
    def work_folder(self) -> Path:
        """Where claimed files lie: inside the inbox, so that a claim is one atomic rename."""
        return self.folder / ".mediawatch" / "work"


class MediaSettings(Table):
    """How pictures are fitted to what Instagram takes."""

    fit: Literal["blur", "pad", "crop", "reject"] = "blur"
    pad_color: str = Field(default="#ffffff", pattern=r"^#[0-9a-fA-F]{6}$")
    max_width: int = Field(default=1440, ge=320, le=1440)
    quality: int = Field(default=90, ge=50, le=95)
    gif: Literal["auto", "still"] = "auto"
    keep_metadata: bool = False
    max_pixels: int = Field(default=100_000_000, ge=1_000_000, le=250_000_000)
    max_bytes: int = Field(default=200 << 20, ge=1 << 20)
    timeout: Duration = Field(default=30.0, ge=1)


class FtpSettings(Table):
    """The web host that Meta fetches the media from."""

    secrets = ("password",)

    host: str = Field(min_length=1)
    port: int = Field(default=21, ge=1, le=65535)
    user: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    upload_dir: str = "/"
    public_url: str = Field(pattern=r"^https?://[\x21-\x7e]+$")
    tls: Literal["auto", "explicit", "implicit", "off"] = "auto"
    tls_server_name: str = ""
    tls_pin_sha256: str = Field(default="", pattern=r"^([0-9a-fA-F:]{64,95})?$")
    tls_ca_file: Folder | None = None
    connections: int = Field(default=4, ge=1, le=16)
    connect_timeout: Duration = Field(default=15.0, gt=0)
    io_timeout: Duration = Field(default=30.0, gt=0)
    reply_timeout: Duration = Field(default=120.0, gt=0)
    idle_timeout: Duration = Field(default=50.0, gt=0)
    rename: Literal["auto", "off"] = "auto"
    passive: Literal["auto", "epsv", "pasv"] = "auto"
    max_rate: int = Field(default=0, ge=0)
    retention: Annotated[float | None, BeforeValidator(_retention)] = 86400.0

    @field_validator("host")
    @classmethod
    def _bare_host(cls, value: str) -> str:
        if "/" in value or ":" in value.replace("::", ""):
            raise _problem(
                "is not a bare host name.",
                'Write only the name, like "ftp.example.org"; port and folder have their own keys.',
            )
        return value


class InstagramSettings(Table):
    """The account and the Graph API."""

    secrets = ("access_token", "app_secret")

    login: Literal["facebook", "instagram"] = "facebook"
    user_id: str = Field(pattern=r"^\d{5,20}$")
    access_token: SecretStr = Field(min_length=8)
    app_secret: SecretStr | None = None
    graph_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    version: str = Field(default="v25.0", pattern=r"^v\d+\.\d+$")
    timeout: Duration = Field(default=30.0, gt=0)

    @field_validator("user_id", mode="before")
    @classmethod
    def _digits(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @field_validator("graph_url")
    @classmethod
    def _token_stays_private(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme == "http" and not _is_loopback(address.hostname or ""):
            raise _problem("would send the access token in the clear.", "Use an https address.")
        return value

    @property
    def base_url(self) -> str:
        """Scheme and host of the Graph API for this kind of login, without the version."""
        default = {
            "facebook": "https://graph.facebook.com",
            "instagram": "https://graph.instagram.com",
        }
        return (self.graph_url or default[self.login]).rstrip("/")


class PublishSettings(Table):
    """What is said with a post, and how patient mediawatch is."""

    caption: str = "{title}"
    hashtags: Annotated[tuple[str, ...], BeforeValidator(_items)] = ()
    min_gap: Duration = 0.0
    retry_delays: Durations = (60.0, 300.0, 1800.0, 7200.0, 21600.0)
    poll_delays: Durations = (0.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0)
    publish_timeout: Duration = Field(default=60.0, gt=0)
    quiet_window: Duration = 120.0

    @field_validator("caption")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        allowed = {"stem", "title", "date", "time", "name"}
        try:
            value.format_map(dict.fromkeys(allowed, ""))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise _problem(
                f"has a field that cannot be filled: {error}.",
                "Use {stem}, {title}, {name}, {date} or {time}; write a brace itself twice.",
            ) from error
        return value


class WebSettings(Table):
    """The HTTP API of the daemon."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if not _is_loopback(value):
            raise _problem(
                "is open to other machines, but the API knows no users yet.",
                'Use "127.0.0.1", and a reverse proxy with a login in front of it.',
            )
        return value


class StorageSettings(Table):
    """Where the journal lies."""

    data_dir: Folder = Field(default_factory=lambda: platformdirs.user_data_path("mediawatch"))


class LogSettings(Table):
    """What is told, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    file: Folder | None = None


class _Environment(PydanticBaseSettingsSource):
    """``MEDIAWATCH_<TABLE>__<KEY>`` and the guides' names, out of one mapping."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings)
        self.environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # values come from __call__ alone

    def __call__(self) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for name, (table, key) in GUIDE_NAMES.items():
            if self.environ.get(name):
                found.setdefault(table, {})[key] = self.environ[name]
        for name, value in self.environ.items():
            table, separator, key = name.removeprefix("MEDIAWATCH_").partition("__")
            if name.startswith("MEDIAWATCH_") and separator:
                found.setdefault(table.lower(), {})[key.lower()] = value
        return found


class _Given(PydanticBaseSettingsSource):
    """Values that were read elsewhere: the TOML file, the credentials of the service."""

    def __init__(self, settings: type[BaseSettings], values: dict[str, Any]) -> None:
        super().__init__(settings)
        self.values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # values come from __call__ alone

    def __call__(self) -> dict[str, Any]:
        return self.values


class Settings(BaseSettings):
    """All settings, as they are in force."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    watch: WatchSettings = Field(default_factory=WatchSettings)
    media: MediaSettings = Field(default_factory=MediaSettings)
    ftp: FtpSettings
    instagram: InstagramSettings
    publish: PublishSettings = Field(default_factory=PublishSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    _sources: ClassVar[tuple[PydanticBaseSettingsSource, ...]] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: ``load`` names every source itself."""
        return (init_settings,)

    @model_validator(mode="after")
    def _folders_apart(self) -> Settings:
        inbox = self.watch.folder
        for key, folder in (
            ("processed", self.watch.processed_folder),
            ("failed", self.watch.failed_folder),
        ):
            if folder == inbox or inbox in folder.parents:
                raise _problem(
                    f"[watch] {key} = {folder} lies inside the inbox {inbox}.",
                    "Choose a folder outside it, or files would be found again.",
                )
        return self

    def secret_values(self) -> tuple[str, ...]:
        """Every secret in plain text, for the log to mask. Never print it."""
        secrets = (
            self.ftp.password,
            self.instagram.access_token,
            self.instagram.app_secret,
        )
        return tuple(secret.get_secret_value() for secret in secrets if secret is not None)


def default_config_file() -> Path | None:
    """The settings file that is used when none is named: ``$MEDIAWATCH_CONFIG``,
    ``./config.toml``, the platform's config folder. None if there is none."""
    named = os.environ.get("MEDIAWATCH_CONFIG")
    if named:
        return Path(named).expanduser()
    for candidate in (
        Path("config.toml"),
        platformdirs.user_config_path("mediawatch") / "config.toml",
    ):
        if candidate.is_file():
            return candidate
    return None


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = None,
) -> Settings:
    """Read all sources and check them together.

    ``file``: a TOML file, or None for environment and defaults only. ``dotenv``: defaults to
    ``.env`` beside the file, else in the current folder.
    Raises ConfigError with every problem found.
    """
    environ = os.environ if environ is None else environ
    dotenv = dotenv or (file.parent if file else Path()) / ".env"
    in_dotenv = {
        name: value
        for name, value in (dotenv_values(dotenv) if dotenv.is_file() else {}).items()
        if value is not None
    }
    layers = [
        _Given(Settings, _credentials(environ.get("CREDENTIALS_DIRECTORY"))),
        _Given(Settings, _read_toml(file) if file else {}),
        _Environment(Settings, in_dotenv),
        _Environment(Settings, environ),
    ]
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, layer())
    merged.setdefault("ftp", {})
    merged.setdefault("instagram", {})
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        problems = [_explain(detail) for detail in error.errors()]
        raise ConfigError(problems + _placeholders(merged)) from None
    if placeholders := _placeholders(merged):
        raise ConfigError(placeholders)
    return settings


def _merge(into: dict[str, Any], layer: dict[str, Any]) -> None:
    for table, values in layer.items():
        if isinstance(values, dict) and isinstance(into.get(table, {}), dict):
            # A secret and the file that holds it are one setting: the nearer source decides.
            known = into.setdefault(table, {})
            for key in values:
                known.pop(f"{key}_file", None)
                known.pop(key.removesuffix("_file"), None)
            known.update(values)
        else:
            into[table] = values


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message, remedy = (
            "there is no such file.",
            "Copy config.example.toml to this name and fill it in.",
        )
    except OSError as error:
        message, remedy = f"cannot be read: {error.strerror}.", "Check its permissions."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"is not valid TOML: {error}."
        remedy = 'Write text in quotes, and Windows paths with "/" or in single quotes.'
    raise ConfigError([Problem("", str(file), "", message, remedy)])


def _credentials(directory: str | None) -> dict[str, Any]:
    """Secrets handed over by the service manager, one file each, named ``<table>.<key>``."""
    found: dict[str, Any] = {}
    if directory:
        for table, key in (
            ("ftp", "password"),
            ("instagram", "access_token"),
            ("instagram", "app_secret"),
        ):
            file = Path(directory) / f"{table}.{key}"
            if file.is_file():
                found.setdefault(table, {})[f"{key}_file"] = str(file)
    return found


_SECRET_KEYS = {"password", "access_token", "app_secret"}
_MISSING = {
    ("ftp", "host"): 'Name your web host, like "ftp.example.org".',
    ("ftp", "user"): "Give the FTP user name that your web host gave you.",
    ("ftp", "password"): "Give the FTP password, or password_file = a file that holds it.",
    ("ftp", "public_url"): "Give the web address under which upload_dir is seen by the world.",
    ("instagram", "user_id"): "Give the id of the professional account (17 digits, 17841…).",
    ("instagram", "access_token"): (
        "Give a token with instagram_content_publish, or access_token_file = a file with it."
    ),
}
_REMEDIES = {
    "extra_forbidden": "Remove it, or check its spelling against config.example.toml.",
    "literal_error": "Choose one of the values named.",
    "string_pattern_mismatch": "See config.example.toml for the form it must have.",
}


def _explain(detail: ErrorDetails) -> Problem:
    location = [str(part) for part in detail["loc"]]
    table = location[0] if location else ""
    key = location[1] if len(location) > 1 else ""
    kind, context = detail["type"], detail.get("ctx", {})
    shown = "" if kind in {"missing", "model_type"} else str(detail["input"])
    if key in _SECRET_KEYS and shown:
        shown = "(hidden)"
    if isinstance(detail["input"], dict):
        shown = ""
    if kind == "missing":
        return Problem(table, key, "", "is missing.", _MISSING.get((table, key), "Set it."))
    if kind == "setting":
        return Problem(table, key, shown, str(context["message"]), str(context["remedy"]))
    if kind == "extra_forbidden":
        what = "is not a setting that mediawatch knows." if key else "is not a table."
        return Problem(table, key, shown if key else "", what, _REMEDIES[kind])
    message = detail["msg"][:1].lower() + detail["msg"][1:] + "."
    return Problem(
        table, key, shown, message, _REMEDIES.get(kind, "See config.example.toml for its meaning.")
    )


def _placeholders(merged: dict[str, Any]) -> list[Problem]:
    return [
        Problem(
            table,
            key,
            "(hidden)" if key in _SECRET_KEYS else str(merged[table][key]),
            "still holds the text of an example.",
            "Put your own value there.",
        )
        for table, key in _MISSING
        if isinstance(merged.get(table), dict)
        and isinstance(merged[table].get(key), str)
        and _PLACEHOLDER.search(merged[table][key])
    ]

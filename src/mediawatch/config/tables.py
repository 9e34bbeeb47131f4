"""The tables of the settings: every key with its default and its limits. Frozen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mediawatch.config.addresses import parse_addresses, secret_parts
from mediawatch.config.inboxes import Inboxes, inboxes, require_apart
from mediawatch.config.limits import LimitSettings
from mediawatch.config.publish import PublishSettings
from mediawatch.config.table import Table
from mediawatch.config.values import (
    AppId,
    Duration,
    Folder,
    OptionalAccount,
    OptionalFolder,
    check_web_address,
    is_loopback,
    parse_items,
    parse_keys,
    parse_retention,
    refusal,
)
from mediawatch.config.watch import WatchSettings
from mediawatch.model.accounts import Login
from mediawatch.model.alerts import USUAL, AlertKind

#: No control characters: they would end a line of FTP.
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class MediaSettings(Table):
    """How pictures and videos are fitted to what Instagram takes."""

    fit: Literal["blur", "pad", "crop", "reject"] = "blur"
    pad_color: str = Field(default="#ffffff", pattern=r"^#[0-9a-fA-F]{6}$")
    max_width: int = Field(default=1440, ge=320, le=1440)
    quality: int = Field(default=90, ge=50, le=95)
    gif: Literal["auto", "video", "still"] = "auto"
    keep_metadata: bool = False
    max_pixels: int = Field(default=100_000_000, ge=1_000_000, le=250_000_000)
    max_bytes: int = Field(default=200 << 20, ge=1 << 20)
    max_video_bytes: int = Field(default=4 << 30, ge=1 << 20)
    timeout: Duration = Field(default=30.0, ge=1, le=3600)
    cache: int = Field(default=2 << 30, ge=0)
    limits: LimitSettings = Field(default_factory=LimitSettings)


class FtpSettings(Table):
    """The web host that Meta fetches the media from."""

    secrets = ("password",)

    host: str = Field(min_length=1)
    port: int = Field(default=21, ge=1, le=65535)
    user: str = Field(min_length=1, pattern=PRINTABLE)
    password: SecretStr = Field(min_length=1)
    upload_dir: str = Field(default="/", pattern=PRINTABLE)
    public_url: str = Field(pattern=r"^https?://[\x21-\x7e]+$")
    tls: Literal["auto", "explicit", "implicit", "off"] = "auto"
    tls_server_name: str = ""
    tls_pin_sha256: str = Field(default="", pattern=r"^([0-9a-fA-F:]{64,95})?$")
    tls_ca_file: OptionalFolder = None
    connections: int = Field(default=4, ge=1, le=16)
    connect_timeout: Duration = Field(default=15.0, gt=0)
    io_timeout: Duration = Field(default=30.0, gt=0)
    reply_timeout: Duration = Field(default=120.0, gt=0)
    idle_timeout: Duration = Field(default=50.0, gt=0)
    rename: Literal["auto", "off"] = "auto"
    passive: Literal["auto", "epsv", "pasv"] = "auto"
    max_rate: int = Field(default=0, ge=0)
    retention: Annotated[
        Duration | None, BeforeValidator(parse_retention, json_schema_input_type=float | str)
    ] = 86400.0

    @field_validator("host")
    @classmethod
    def _bare_host(cls, value: str) -> str:
        if "/" in value or ":" in value.replace("::", ""):
            raise refusal(
                "is not a bare host name.",
                'Write only the name, like "ftp.example.org"; port and folder have their own keys.',
            )
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return check_web_address(value)


_GRAPH: dict[Login, str] = {
    "facebook": "https://graph.facebook.com",
    "instagram": "https://graph.instagram.com",
}
#: What is said of the half of an account that is missing.
MISSING_ACCOUNT = {
    "user_id": "user_id is the id of the professional account (17 digits, 17841…).",
    "access_token": "access_token needs instagram_content_publish; access_token_file may name a "
    "file with it.",
}


class InstagramSettings(Table):
    """The account and the Graph API."""

    secrets = ("access_token", "app_secret", "facebook_app_secret", "instagram_app_secret")

    login: Login = "facebook"
    user_id: OptionalAccount = None
    access_token: Annotated[SecretStr, Field(min_length=8)] | None = None
    app_id: AppId = ""
    app_secret: SecretStr | None = None
    facebook_app_id: AppId = ""
    facebook_app_secret: SecretStr | None = None
    instagram_app_id: AppId = ""
    instagram_app_secret: SecretStr | None = None
    graph_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    version: str = Field(default="v25.0", pattern=r"^v[0-9]+\.[0-9]+$")
    timeout: Duration = Field(default=30.0, gt=0)
    video_upload: Literal["auto", "direct", "host"] = "auto"

    @field_validator("video_upload")
    @classmethod
    def _login_allows_it(cls, value: str, info: ValidationInfo) -> str:
        if value == "direct" and info.data.get("login") == "instagram":
            raise refusal(
                'does not go with login = "instagram": Meta takes no uploads with it.',
                'Write video_upload = "auto", or use a token of the Facebook login.',
            )
        return value

    @field_validator("graph_url")
    @classmethod
    def _token_stays_private(cls, value: str) -> str:
        address = urlsplit(check_web_address(value) if value else "")
        if address.scheme == "http" and not is_loopback(address.hostname or ""):
            raise refusal("would send the access token in the clear.", "Use an https address.")
        return value

    @model_validator(mode="after")
    def _account_whole(self) -> InstagramSettings:
        if (self.user_id is None) != (self.access_token is None):
            given, left = ("access_token", "user_id")
            if self.access_token is None:
                given, left = left, given
            raise refusal(
                f"{left} is missing: {given} alone names no account.",
                f"Give both, or neither and connect accounts with `mediawatch accounts connect`. "
                f"{MISSING_ACCOUNT[left]}",
            )
        return self

    def sends_videos(self, login: Login) -> bool:
        """Whether videos of accounts with that login are sent to Meta itself, without the web
        host."""
        return self.video_upload != "host" and login == "facebook"

    def base_url(self, login: Login) -> str:
        """Scheme and host of the Graph API for that login, without the version."""
        return (self.graph_url or _GRAPH[login]).rstrip("/")

    def app(self, login: Login) -> tuple[str, SecretStr | None]:
        """Id and secret of the Meta app for that login; empty and None where they are not set."""
        named = {
            "facebook": (self.facebook_app_id, self.facebook_app_secret),
            "instagram": (self.instagram_app_id, self.instagram_app_secret),
        }
        app_id, secret = named[login]
        if login == self.login:
            return self.app_id or app_id, self.app_secret or secret
        return app_id, secret


class WebSettings(Table):
    """The API and the pages of the daemon."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    public_url: str = Field(default="", pattern=r"^(https?://[\x21-\x7e]+)?$")
    trusted_proxies: Annotated[
        tuple[IPvAnyNetwork, ...],
        BeforeValidator(parse_items, json_schema_input_type=list[str] | str),
    ] = ()

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return check_web_address(value).rstrip("/") if value else ""

    @property
    def is_open(self) -> bool:
        """Whether other machines reach it."""
        return not is_loopback(self.host)


#: What a service of the whole machine keeps, where systemd makes its state folder.
MACHINE_DATA = Path("/var/lib/mediawatch")


def _default_data() -> Path:
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)  # systemd made it
    if sys.platform == "linux" and os.geteuid() == 0 and "XDG_DATA_HOME" not in os.environ:
        return MACHINE_DATA  # an administrator sees what the service does
    return platformdirs.user_data_path("mediawatch")


class StorageSettings(Table):
    """Where the journal lies, and what the access tokens in it are sealed with."""

    secrets = ("encryption_key", "fernet_key")

    data_dir: Folder = Field(default_factory=_default_data)
    encryption_key: SecretStr | None = None
    fernet_key: SecretStr | None = None

    @field_validator("encryption_key", "fernet_key")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value():
            parse_keys(value.get_secret_value())
        return value

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys of ``encryption_key``, 32 bytes each, the one in use first; none if it is not
        set."""
        given = self.encryption_key.get_secret_value() if self.encryption_key else ""
        return parse_keys(given) if given else ()


class AlertSettings(Table):
    """Whom mediawatch tells of trouble, and of what."""

    secrets = ("urls",)

    urls: Annotated[tuple[SecretStr, ...], BeforeValidator(parse_addresses)] = ()
    kinds: Annotated[tuple[AlertKind, ...], BeforeValidator(parse_items)] = USUAL
    min_free: int = Field(default=1_000_000_000, ge=0)


class LogSettings(Table):
    """What is told, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    file: OptionalFolder = None


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
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    log: LogSettings = Field(default_factory=LogSettings)

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
        """Whatever mediawatch writes lies outside the inboxes, or it would be found again."""
        others = [("[storage] data_dir", self.storage.data_dir)]
        if self.log.file is not None:
            others.append(("[log] file", self.log.file))
        require_apart(self.inboxes, others)
        return self

    @property
    def inboxes(self) -> Inboxes:
        """Every folder that is watched, with all that holds for it."""
        return inboxes(self.watch, self.publish)

    def secret_values(self) -> tuple[str, ...]:
        """Every secret in plain text, for the log to mask. Never print it."""
        plain = []
        for name in type(self).model_fields:
            table = getattr(self, name)
            secrets = [getattr(table, key) for key in table.secrets]
            plain += [
                secret.get_secret_value() for secret in secrets if isinstance(secret, SecretStr)
            ]
        for url in self.alerts.urls:
            plain += secret_parts(url.get_secret_value())
        return tuple(plain)

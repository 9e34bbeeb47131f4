"""What was answered so far, and the settings that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from mediawatch.config import Settings, WatchSettings
from mediawatch.config.explain import explain
from mediawatch.errors import Problem

#: What stands for an answer that is not there yet, so that the others can be checked.
_STAND_INS: dict[str, dict[str, Any]] = {
    "ftp": {
        "host": "host.invalid",
        "user": "nobody",
        "password": SecretStr("nothing"),
        "public_url": "https://host.invalid/",
    },
    "instagram": {"user_id": "00000", "access_token": SecretStr("nothing-yet")},
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Empty is not answered yet."""

    folder: Path = field(default_factory=lambda: WatchSettings().folder)
    host: str = ""
    port: int = 21
    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    tls: str = "auto"
    tls_pin: str = ""
    upload_dir: str = ""
    public_url: str = ""
    login: str = ""
    user_id: str = ""
    token: SecretStr = field(default_factory=lambda: SecretStr(""))
    graph_url: str = ""

    def tables(self) -> dict[str, dict[str, str | int]]:
        """What goes into the settings file, but for the two secrets. No line for a default."""
        tables: dict[str, dict[str, str | int]] = {
            "watch": {"folder": self.folder.as_posix()},
            "ftp": {
                "host": self.host,
                "port": self.port,
                "user": self.user,
                "tls": self.tls,
                "tls_pin_sha256": self.tls_pin,
                "upload_dir": self.upload_dir,
                "public_url": self.public_url,
            },
            "instagram": {
                "login": self.login,
                "user_id": self.user_id,
                "graph_url": self.graph_url,
            },
        }
        usual = {"port": 21, "tls": "auto"}
        return {
            table: {
                key: value
                for key, value in values.items()
                if value != "" and usual.get(key) != value
            }
            for table, values in tables.items()
        }

    def settings(self, data_dir: Path | None = None) -> Settings:
        """The settings in which what is not answered yet is made up. Raises ValidationError."""
        told: dict[str, dict[str, Any]] = {table: {**keys} for table, keys in self.tables().items()}
        if self.password.get_secret_value():
            told["ftp"]["password"] = self.password
        if self.token.get_secret_value():
            told["instagram"]["access_token"] = self.token
        merged = {table: _STAND_INS.get(table, {}) | keys for table, keys in told.items()}
        if data_dir is not None:
            merged["storage"] = {"data_dir": data_dir}
        return Settings.model_validate(merged)

    def problems(self, data_dir: Path | None = None) -> list[Problem]:
        """What no settings can hold."""
        try:
            self.settings(data_dir)
        except ValidationError as error:
            return [explain(detail) for detail in error.errors()]
        return []

    def but(self, **changes: Any) -> Answers:
        """The same with these changes."""
        return replace(self, **changes)

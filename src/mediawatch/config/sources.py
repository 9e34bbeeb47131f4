"""Where settings come from, and their order.

The first that names a value wins: ``MEDIAWATCH_<TABLE>__<KEY>`` in the environment, the names of
the guides (``FTP_HOST``, ``ACCESS_TOKEN``, …) in the environment, both again in a ``.env`` file,
a secret's file in ``$CREDENTIALS_DIRECTORY`` (else in ``credentials`` beside the TOML file), the
TOML file, the default. A file in ``$CREDENTIALS_DIRECTORY`` also stands for the one that ``.env``
names for the same secret.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from mediawatch.config import credentials
from mediawatch.config.explain import explain, is_placeholder, placeholders
from mediawatch.config.tables import Settings
from mediawatch.config.values import parse_folder
from mediawatch.errors import ConfigError, Problem

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
    "FACEBOOK_APP_ID": ("instagram", "facebook_app_id"),
    "FACEBOOK_APP_SECRET": ("instagram", "facebook_app_secret"),
    "INSTAGRAM_APP_ID": ("instagram", "instagram_app_id"),
    "INSTAGRAM_APP_SECRET": ("instagram", "instagram_app_secret"),
    "TOKEN_ENCRYPTION_KEY": ("storage", "encryption_key"),
    "FERNET_KEY": ("storage", "fernet_key"),
}

#: The origin of what systemd hands over: nothing of it lies in a file of ours.
SERVICE_MANAGER = "the service manager"


class _Environment(PydanticBaseSettingsSource):
    """``MEDIAWATCH_<TABLE>__<KEY>`` and the guides' names, out of one mapping."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings)
        self.environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # values come from __call__ alone

    def __call__(self) -> dict[str, Any]:
        return from_environment(self.environ)


class _Given(PydanticBaseSettingsSource):
    """Values that were read elsewhere: the TOML file, the credentials of the service."""

    def __init__(self, settings: type[BaseSettings], values: dict[str, Any]) -> None:
        super().__init__(settings)
        self.values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # values come from __call__ alone

    def __call__(self) -> dict[str, Any]:
        return self.values


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the variables name, by table and key; the guides' names give way to our own."""
    found: dict[str, Any] = {}
    for name, (table, key) in GUIDE_NAMES.items():
        if environ.get(name):
            found.setdefault(table, {})[key] = environ[name]
    for name, value in environ.items():
        table, separator, key = name.removeprefix("MEDIAWATCH_").partition("__")
        if name.startswith("MEDIAWATCH_") and separator:
            inner, deeper, last = key.lower().partition("__")
            values = found.setdefault(table.lower(), {})
            if deeper:
                values = values.setdefault(inner, {})
            values[last or inner] = value
    return found


def default_config_file() -> Path | None:
    """The settings file that is used when none is named: ``$MEDIAWATCH_CONFIG``,
    ``./config.toml``, the platform's config folder, ``/etc/mediawatch``. None if there is none."""
    named = os.environ.get("MEDIAWATCH_CONFIG")
    if named:
        return Path(named).expanduser()
    for candidate in (
        Path("config.toml"),
        platformdirs.user_config_path("mediawatch") / "config.toml",
        *([] if sys.platform == "win32" else [Path("/etc/mediawatch/config.toml")]),
    ):
        if candidate.is_file():
            return candidate
    return None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and how they came about.

    ``origins``: by table and key (a table in a table: by all three), where a value comes from, for
    people; what is not in it is a default. ``secret_files``: by table and key of the secret, the
    file that holds it, where one does. ``file``: the settings file.
    """

    settings: Settings
    origins: Mapping[tuple[str, ...], str]
    secret_files: Mapping[tuple[str, str], Path]
    file: Path | None = None

    def holder(self, table: str, key: str) -> Path | None:
        """The file that a value was read from: one that holds nothing else, or the settings; None
        if it came otherwise."""
        told = self.origins.get((table, key))
        whole = Path(told) if told and told == str(self.file) else None
        return self.secret_files.get((table, key), whole)


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
    return load_with_origins(file, environ, dotenv).settings


def load_with_origins(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = None,
) -> Loaded:
    """As ``load``, and where each value comes from."""
    environ = os.environ if environ is None else environ
    dotenv = dotenv or dotenv_beside(file)
    in_dotenv = _read_dotenv(dotenv)
    handed, by_whom = _handed_over(file, environ)
    secret_files = credentials.read(handed)
    from_dotenv = from_environment(in_dotenv)
    if by_whom == SERVICE_MANAGER:
        from_dotenv = credentials.without_replaced(from_dotenv, secret_files)
    layers = [
        (_Given(Settings, _read_toml(file) if file else {}), _all_from(str(file))),
        (_Given(Settings, secret_files), _all_from(by_whom)),
        (_Given(Settings, from_dotenv), _variables(in_dotenv, f"in {dotenv}")),
        (_Environment(Settings, environ), _variables(environ, "in the environment")),
    ]
    merged: dict[str, Any] = {}
    origins: dict[tuple[str, ...], str] = {}
    for layer, origin in layers:
        values = layer()
        _merge(merged, values)
        for place in _leaves(values):
            origins[place] = origin(place)
    merged.setdefault("ftp", {})
    merged.setdefault("instagram", {})
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        left = placeholders(merged)
        told = {(problem.table, problem.key) for problem in left}
        found = [explain(detail) for detail in error.errors()]
        others = [problem for problem in found if (problem.table, problem.key) not in told]
        raise ConfigError(others + left) from None
    if left := placeholders(merged):
        raise ConfigError(left)
    in_force, secrets = set(_leaves(merged)), set(credentials.secret_keys())
    return Loaded(
        settings,
        {place: origin for place, origin in origins.items() if place in in_force},
        {
            (table, key.removesuffix("_file")): parse_folder(merged[table][key])
            for table, key in (place for place in in_force if len(place) == 2)
            if (table, key.removesuffix("_file")) in secrets
            and key.endswith("_file")
            and merged[table][key]
            and not merged[table].get(key.removesuffix("_file"))  # which wins in one source
        },
        file,
    )


def dotenv_beside(file: Path | None) -> Path:
    """The ``.env`` file that goes with a settings file, whether it is there or not."""
    return (file.parent if file else Path()) / ".env"


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


def _all_from(name: str) -> Callable[[tuple[str, ...]], str]:
    return lambda place: name


def _variables(environ: Mapping[str, str], where: str) -> Callable[[tuple[str, ...]], str]:
    """Which variable names a setting; of two the one that wins, our own."""
    names: dict[tuple[str, ...], str] = {}
    for name in sorted(environ, key=lambda name: name.startswith("MEDIAWATCH_")):
        for place in _leaves(from_environment({name: environ[name]})):
            names[place] = f"{name} {where}"
    return lambda place: names[place]


def _handed_over(file: Path | None, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Where secrets lie in files of their own, and who put them there, for people."""
    by_the_manager = environ.get("CREDENTIALS_DIRECTORY")
    if by_the_manager:
        return Path(by_the_manager), SERVICE_MANAGER
    beside = (file.parent if file else Path()) / credentials.BESIDE
    return beside, str(beside)


def _merge(into: dict[str, Any], layer: dict[str, Any]) -> None:
    for table, values in layer.items():
        if isinstance(values, dict) and isinstance(into.get(table, {}), dict):
            # A secret and the file that holds it are one setting: the nearer source decides.
            known = into.setdefault(table, {})
            named = {key for key in values if f"{key}_file" in known.keys() | values.keys()}
            given = {
                key: value
                for key, value in values.items()
                if not (key in named and is_placeholder(value))
            }
            for key, value in given.items():
                if isinstance(value, dict) and isinstance(known.get(key), dict):
                    given[key] = known[key] | value  # a table in a table: each key by itself
                known.pop(f"{key}_file", None)
                known.pop(key.removesuffix("_file"), None)
            known.update(given)
        else:
            into[table] = values


def _read_dotenv(file: Path) -> dict[str, str]:
    try:
        found = dotenv_values(file) if file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        problem = Problem(
            "", str(file), "", f"cannot be read: {reason}.", "Save it as UTF-8, readable to you."
        )
        raise ConfigError([problem]) from None
    return {name: value for name, value in found.items() if value is not None}


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message, remedy = (
            "there is no such file.",
            "`mediawatch init` makes one; or copy config.example.toml to this name.",
        )
    except OSError as error:
        message, remedy = f"cannot be read: {error.strerror}.", "Check its permissions."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"is not valid TOML: {error}."
        remedy = 'Write text in quotes, and Windows paths with "/" or in single quotes.'
    raise ConfigError([Problem("", str(file), "", message, remedy)])

"""Secrets in files of their own: handed over by a service manager, or beside the settings.

Each file holds one secret and is named ``<table>.<key>``, such as ``ftp.password``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mediawatch.config.explain import is_placeholder
from mediawatch.config.table import Table
from mediawatch.config.tables import Settings
from mediawatch.config.values import parse_folder

#: The folder beside the settings file, for those without a service manager that hands secrets over.
BESIDE = "credentials"


def secret_keys() -> Iterator[tuple[str, str]]:
    """Table and key of every setting that is a secret."""
    for table, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Table):
            yield from ((table, key) for key in kind.secrets)


def read(directory: Path) -> dict[str, Any]:
    """What lies in such a folder, as settings: ``{"ftp": {"password_file": …}}``."""
    found: dict[str, Any] = {}
    for table, key in secret_keys():
        file = directory / f"{table}.{key}"
        # os.path answers "no" where pathlib raises: a folder that may not be searched.
        if os.path.isfile(file):  # noqa: PTH113
            found.setdefault(table, {})[f"{key}_file"] = str(file)
    return found


def belonging_to(settings_file: Path) -> dict[str, Path]:
    """The files that a service manager must hand over so that the settings mean the same to the
    service, by the name under which it must: the settings, a ``.env`` beside them, and the files
    of secrets, whether they lie in ``credentials`` or are named in the settings (``…_file``).

    The settings file must be a good one (``load``).
    """
    named = tomllib.loads(settings_file.read_text(encoding="utf-8-sig"))
    found = {"config.toml": settings_file}
    if (settings_file.parent / ".env").is_file():
        found[".env"] = settings_file.parent / ".env"
    for table, key in secret_keys():
        beside = settings_file.parent / BESIDE / f"{table}.{key}"
        if beside.is_file():
            found[f"{table}.{key}"] = beside
        elif (elsewhere := named.get(table, {}).get(f"{key}_file")) and not _is_given(
            named[table].get(key)
        ):
            found[f"{table}.{key}"] = parse_folder(elsewhere)
    return {name: Path(os.path.abspath(file)) for name, file in found.items()}  # noqa: PTH100


def _is_given(value: Any) -> bool:
    """Whether a secret stands in the settings themselves, where it wins over a file."""
    return bool(value) and not is_placeholder(value)

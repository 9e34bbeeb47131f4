"""Secrets in files of their own: handed over by a service manager, or beside the settings.

Each file holds one secret and is named ``<table>.<key>``, such as ``ftp.password``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mediawatch.config.table import Table
from mediawatch.config.tables import Settings

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


def without_replaced(values: Mapping[str, Any], handed: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without the files of secrets for which a file was handed over (``read``): that was
    made of the file which is named, and the one that is named may be out of reach."""
    return {
        table: {key: value for key, value in keys.items() if key not in handed.get(table, {})}
        if isinstance(keys, Mapping)
        else keys
        for table, keys in values.items()
    }

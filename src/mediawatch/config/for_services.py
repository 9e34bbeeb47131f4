"""What a service is told: it has neither the environment nor the current folder of whoever installs
it, and may not read what only they may."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mediawatch.config.sources import Loaded, dotenv_beside, load_with_origins
from mediawatch.config.tables import Settings
from mediawatch.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class ForService:
    """``settings`` as the service will see them. ``files``: what a service manager must hand over
    so that it does, by the name under which it must: the settings, a ``.env`` beside them, and
    each secret that lies in a file of its own, wherever that is named."""

    settings: Settings
    files: Mapping[str, Path]


def for_service(settings_file: Path) -> ForService:
    """Read what the files say, and nothing else. Raises ConfigError, also for what would mean
    something else to a service: paths that begin at the current folder."""
    loaded = load_with_origins(settings_file, {})
    if problems := list(_relative(loaded)):
        raise ConfigError(problems)
    files = {"config.toml": settings_file}
    dotenv = dotenv_beside(settings_file)
    if dotenv.is_file():
        files[".env"] = dotenv
    for (table, key), file in loaded.secret_files.items():
        files[f"{table}.{key}"] = file
    return ForService(
        loaded.settings,
        {name: Path(os.path.abspath(file)) for name, file in files.items()},  # noqa: PTH100
    )


def _relative(loaded: Loaded) -> Iterator[Problem]:
    settings = loaded.settings
    paths = {
        ("watch", "folder"): settings.watch.folder,
        ("watch", "processed"): settings.watch.processed,
        ("watch", "failed"): settings.watch.failed,
        ("storage", "data_dir"): settings.storage.data_dir,
        ("log", "file"): settings.log.file,
        ("ftp", "tls_ca_file"): settings.ftp.tls_ca_file,
    }
    for (table, key), path in paths.items():
        if path is not None and not path.is_absolute():
            yield Problem(
                table,
                key,
                str(path),
                "begins at the current folder, which is another one for a service.",
                f'Write the whole path: "{path.absolute().as_posix()}".',
            )

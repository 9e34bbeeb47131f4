"""The drop-in beside the unit: what the settings name, said in systemd's words. Pure text.

The unit shuts the service in; the drop-in opens exactly the folders that the settings name, and
the program itself where it lies in a home. Two folders that systemd opens one by one are two
mounts, between which nothing can be renamed: the folders of the watch are opened together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from mediawatch.config import Settings
from mediawatch.config.tables import MACHINE_DATA
from mediawatch.service.base import ServiceProblem

UNIT = "mediawatch.service"
ACCOUNT = "mediawatch"
#: What the unit's StateDirectory is called in full.
STATE = MACHINE_DATA
#: What the unit hides, so that it must be bound to where it is.
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_HIDDEN = (*HOMES, Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - hidden, not used


def drop_in(settings: Settings, credentials: Mapping[str, Path]) -> str:
    """The text of the drop-in. ``credentials``: the files that systemd hands over, by name.

    Raises ServiceProblem for a path that cannot be written in a unit.
    """
    written, read = written_folders(settings), _without_nested([*_program(), *_read(settings)])
    hidden = [path for path in (*written, *read) if _is_below(path, _HIDDEN)]
    program = _quoted(_python()).replace("$", "$$")
    lines = [
        "# Made by `mediawatch service install`, which makes it anew each time.",
        "[Unit]",
        *(f"RequiresMountsFor={_quoted(path)}" for path in (*written, *read)),
        "",
        "[Service]",
        "ExecStart=",
        f"ExecStart={program} -P -m mediawatch run --config ${{CREDENTIALS_DIRECTORY}}/config.toml",
        # What "~" means in the settings, it means to the service too.
        f"Environment={_quoted(f'HOME={Path.home()}')}",
        "LoadCredential=",
        *(f"LoadCredential={name}:{_plain(path)}" for name, path in credentials.items()),
    ]
    if any(_is_below(path, HOMES) for path in hidden):
        lines.append("ProtectHome=tmpfs")
    lines += [f"BindReadOnlyPaths={_quoted(path)}" for path in read if path in hidden]
    lines += [f"BindPaths={_quoted(path)}" for path in written if path in hidden]
    lines += [f"ReadWritePaths={_quoted(path)}" for path in written]
    return "\n".join(lines) + "\n"


def watch_folders(settings: Settings) -> list[Path]:
    """The inboxes, first of all, and where their files go."""
    folders = [*settings.inboxes.folders, *settings.inboxes.written]
    return [_absolute(folder) for folder in folders]


def data_folders(settings: Settings) -> list[Path]:
    """What mediawatch writes for itself, but for what systemd makes for it."""
    folders = [
        settings.storage.data_dir,
        *([settings.log.file.parent] if settings.log.file else []),
    ]
    return [path for path in map(_absolute, folders) if not _is_below(path, [STATE])]


def written_folders(settings: Settings) -> list[Path]:
    """What has to be opened for writing: the folders of each inbox by the one that holds them all,
    if that is there for them and not for half the machine."""
    folders = [
        path
        for inbox in settings.inboxes
        for path in _together([_absolute(p) for p in (inbox.folder, *inbox.written.values())])
    ]
    return _without_nested([*folders, *data_folders(settings)])


def _together(folders: list[Path]) -> list[Path]:
    parents = {folder.parent for folder in folders}
    together = parents.pop() if len(parents) == 1 else None
    if together is not None and len(together.parts) > 2 and together.parent not in HOMES:
        return [together]
    return folders


def brought_folders(settings: Settings) -> list[Path]:
    """Those of them that lie in a home: they are brought to the service without the way to it."""
    return [path for path in written_folders(settings) if _is_below(path, HOMES)]


def _read(settings: Settings) -> Iterable[Path]:
    if settings.ftp.tls_ca_file is not None:
        yield _absolute(settings.ftp.tls_ca_file)


def _program() -> Iterable[Path]:
    """Where the interpreter and all that it imports lie, as they are called and as they are."""
    package = Path(__file__).parents[2]
    for place in (sys.prefix, sys.base_prefix, Path(_python()).resolve().parent, package):
        for path in (_absolute(Path(place)), Path(place).resolve()):
            # Systemd opens /usr and the like to everybody.
            if _is_below(path, _HIDDEN):
                yield path


def _python() -> str:
    return os.path.abspath(sys.executable)  # noqa: PTH100 - a link to it says which environment


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links stay links


def _is_below(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _without_nested(paths: Iterable[Path]) -> list[Path]:
    """Each once, and none that lies in another."""
    known = list(dict.fromkeys(paths))
    return [path for path in known if not any(other in path.parents for other in known)]


def _plain(path: object) -> str:
    text = str(path)
    if not text.isprintable():
        raise ServiceProblem(
            f"systemd cannot be told of a path like {text!r}.",
            remedy="Give the folder another name, without control characters.",
        )
    return text.replace("%", "%%")


def _quoted(path: object) -> str:
    text = _plain(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'

"""Files beside a picture that say what its owner wishes for it. Reading blocks; parsing is pure.

``name.txt`` holds the caption; ``name.toml`` and ``name.json`` may hold everything that
``sidecar_keys.py`` knows. Whatever is wrong with one is Rejected, to be held: the post waits with
its sidecar beside it, and nothing is published that was meant otherwise.
"""

from __future__ import annotations

import codecs
import itertools
import json
import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Container, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, NoReturn

from mediawatch.clock import MACHINE_ZONE
from mediawatch.errors import Handling, Rejected
from mediawatch.model.names import SIDECARS, split_name
from mediawatch.model.wishes import Wishes
from mediawatch.watch.filters import NOTE_SUFFIX
from mediawatch.watch.sidecar_keys import wishes_of
from mediawatch.watch.sidecar_values import shown

#: Longest sidecar that is read, in bytes.
MAX_BYTES = 64 * 1024

#: A key of so many parts, a.b.c. …: tomllib takes the square of their number in time, and sixty
#: thousand characters of them block a core for half a minute.
_LONG_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){64}"""
)
#: Names that are listed in the time in which one file's sidecars are looked for.
_WORTH = 60
_SPELLINGS = [written for each in SIDECARS for written in (each, each.upper(), each.title())]
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def stems_in(folder: Path, files: int) -> frozenset[str] | None:
    """The stems of all sidecars in a folder, for ``find`` to be asked of so many ``files`` there.

    One listing instead of nine calls of the system for each file; None where it would take longer
    than those, or cannot be had.
    """
    found, most = [], _WORTH * files
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                most -= 1
                if most < 0:
                    return None
                if entry.name.lower().endswith(SIDECARS):
                    found.append(entry.name)
    except OSError:
        return None
    return frozenset(_folded(split_name(name)[0]) for name in found)


def _folded(stem: str) -> str:
    """The same for all spellings that any disk takes for one name."""
    if stem.isascii():
        return stem.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", stem).casefold())


def find(path: Path, stems: Container[str] | None = None) -> list[Path]:
    """The sidecars beside a file, in the order in which they are read, however their suffix and
    the accents in their stem are written. ``stems``: of all sidecars in its folder
    (``stems_in``), if they are known.

    Only regular files: a link could lead to any file that this user may read. For the caption of a
    carousel, ask for ``folder / "caption"``.
    """
    if stems is not None and _folded(split_name(path.name)[0]) not in stems:
        return []
    folder, name = os.path.split(path)
    stem = split_name(name)[0]
    stems_written = dict.fromkeys((stem, *(unicodedata.normalize(form, stem) for form in _FORMS)))
    found: dict[tuple[int, int], Path] = {}
    for suffix, written in itertools.product(_SPELLINGS, stems_written):
        beside = os.path.join(folder, written + suffix)
        try:
            status = os.lstat(beside)
        except (OSError, ValueError):
            continue  # nearly always: no path is made for what is not there
        if beside.lower().endswith(NOTE_SUFFIX):
            continue  # ours, of a file that was put back
        if beside != os.fspath(path) and stat.S_ISREG(status.st_mode):
            # Where case does not count, three spellings are one file.
            found.setdefault((status.st_dev, status.st_ino), Path(beside))
    return list(found.values())


def read(files: Sequence[Path], zone: tzinfo = MACHINE_ZONE) -> Wishes:
    """What the sidecars of one post wish for together. Blocks.

    ``zone``: of times that name none. One that is gone by now wishes for nothing. Raises Rejected
    with the code ``sidecar``, and OSError.
    """
    together = Wishes()
    sources: dict[str, str] = {}
    for file in files:
        data = _bytes_of(file)
        if data is None:
            continue
        wishes = parse(file.name, data, zone)
        said = wishes.said()
        for key in sorted(said.keys() & sources.keys()):
            if said[key] != getattr(together, key):
                _refuse(
                    f"{shown(sources[key])} and {shown(file.name)} contradict each other: "
                    f"{key} is not the same in both.",
                    "Leave it in one of them, and put all files back.",
                )
        sources |= dict.fromkeys(said, file.name)
        together = together.merge(wishes)
    return together


def parse(name: str, data: bytes, zone: tzinfo = MACHINE_ZONE) -> Wishes:
    """What one sidecar of that name wishes for. Raises Rejected with the code ``sidecar``."""
    if len(data) > MAX_BYTES:
        _refuse(
            f"{shown(name)} has more than {MAX_BYTES // 1024} KiB.",
            "Keep only what the post needs in it, and put both back.",
        )
    suffix = split_name(name)[1].lower()
    if suffix == ".txt":
        return Wishes(caption=text_of(data))
    parsed = _toml(name, data) if suffix == ".toml" else _json(name, data)
    return wishes_of(name, parsed, zone)


def text_of(data: bytes) -> str:
    """The text of a file, without the blanks around it.

    UTF-8, or UTF-16 with its mark, or what an old Windows program wrote.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").strip()
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip()


def _bytes_of(file: Path) -> bytes | None:
    """At most one byte more than is allowed; None if the file is gone, or has become another."""
    try:
        before = file.lstat()
        if not stat.S_ISREG(before.st_mode):
            return None
        with os.fdopen(os.open(file, _FLAGS), "rb") as opened:
            after = os.fstat(opened.fileno())
            # Where a link cannot be refused at the opening, it is seen to lead elsewhere.
            if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
                return None
            return opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None


def _toml(name: str, data: bytes) -> dict[str, Any]:
    text = text_of(data)
    if _LONG_KEY.search(text):
        _unreadable(name, "TOML", "it is nested too deeply")
    try:
        return tomllib.loads(text)
    except RecursionError:
        _unreadable(name, "TOML", "it is nested too deeply")
    except (ValueError, OverflowError) as error:  # numbers and dates beyond all bounds, too
        _unreadable(name, "TOML", str(error))


def _json(name: str, data: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f'"{shown(key)}" stands in it twice')
            found[key] = value
        return found

    def no_number(word: str) -> NoReturn:
        raise ValueError(f"{word} is no number of JSON")

    try:
        parsed = json.loads(text_of(data), object_pairs_hook=once, parse_constant=no_number)
    except RecursionError:
        _unreadable(name, "JSON", "it is nested too deeply")
    except (ValueError, OverflowError) as error:
        _unreadable(name, "JSON", str(error))
    if not isinstance(parsed, dict):
        _unreadable(name, "JSON", "it must be an object, { … }")
    return parsed


def _unreadable(name: str, form: str, why: str) -> NoReturn:
    remedy = {
        "TOML": 'Write texts in quotes, like caption = "The beach", and put both back.',
        "JSON": 'Write it like {"caption": "The beach"}, and put both back.',
    }
    if "set_int_max_str_digits" in why:
        why = "it holds a number of thousands of digits"
    _refuse(f"{shown(name)} is not valid {form}: {shown(why, 200)}.", remedy[form])


def _refuse(message: str, remedy: str) -> NoReturn:
    raise Rejected(message, remedy=remedy, code="sidecar", handling=Handling.HOLD)

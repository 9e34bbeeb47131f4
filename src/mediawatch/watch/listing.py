"""Every call that touches the inbox. All of them block: they run in the watcher's own thread,
so that a dead file server cannot stop the loop."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from mediawatch.model import pairs
from mediawatch.model.names import split_name
from mediawatch.watch import folders
from mediawatch.watch.seals import broken, inode_of, is_same
from mediawatch.watch.writers import Key, Writer, is_of_a_file, key_of, size_in, writer_of

Peek = Callable[[str, int, int], None]

_KINDS = {
    stat.S_IFLNK: "it is a symbolic link",
    stat.S_IFIFO: "it is a pipe, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """What one scan found. ``fresh``: new names, sorted; ``gone``: known names that are no
    longer there; ``more``: new names that found no room; ``changed``: rechecked names whose
    key is another now; ``let_go``: withheld names that are gone, or are other files now (and
    ``fresh`` too, then)."""

    fresh: list[str]
    gone: set[str]
    more: bool
    changed: list[str]
    let_go: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Names that are passed over, each with its seal; ``recheck``: some of them whose seals are
    compared this time even if nothing shows that they changed."""

    seals: Mapping[str, str]
    recheck: Sequence[tuple[str, str]] = ()


NOTHING_WITHHELD = Withheld({})


class Sight(Enum):
    """What lies under a name."""

    FILE = "file"
    OTHER = "other"  # a folder, a link, a device
    GONE = "gone"
    UNREADABLE = "unreadable"
    AWAY = "away"  # the inbox itself is not there: nothing can be said


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one name. ``writer`` is None when nobody was asked."""

    name: str
    sight: Sight
    key: Key = ()
    size: int = 0
    writer: Writer | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A name to look at, the key it had, and whether to ask who writes to it."""

    name: str
    key: Key | None
    ask: bool


def names_in(root: str, accounts: Container[str] = ()) -> list[str]:
    """Every name in the folder, and in those whose files are looked at too. Raises OSError."""
    return [name for name, _ in folders.entries_in(root, accounts)]


def any_there(root: str, names: Iterable[str]) -> bool:
    """Whether something lies under one of these names."""
    return any(os.path.lexists(os.path.join(root, name)) for name in names)


def scan(
    root: str,
    known: set[str],
    room: int,
    only: Container[str] | None = None,
    recheck: Iterable[tuple[str, Key]] = (),
    withheld: Withheld = NOTHING_WITHHELD,
    accounts: Container[str] = (),
) -> Listing:
    """List names only, and compare them with the ``known`` ones (the set is used up).

    At most ``room`` new names are kept, so that memory does not grow with the folder, those that
    may belong to them, and the pictures of clips; ``only`` restricts them. ``accounts``: names of
    folders that are looked into. Raises OSError if the folder cannot be listed.
    """
    fresh: list[str] = []
    spare: list[str] = []
    clips: frozenset[str] | None = None  # stems of those that were kept
    more = False
    let_go = broken(root, withheld.recheck)
    there = kept = 0
    for name, entry in folders.entries_in(root, accounts):
        if name in known:
            known.discard(name)
            continue
        seal = withheld.seals.get(name)
        if seal is not None:
            there += 1
            if name not in let_go and (_is_inode(entry, seal) or is_same(root, name, seal)):
                kept += 1
                continue
            let_go.add(name)
        if only is not None and name not in only:
            continue
        if len(fresh) < room:
            fresh.append(name)
        else:
            more = True
            if clips is None:
                clips = frozenset(split_name(n)[0] for n in fresh if n.lower().endswith(pairs.CLIP))
            if name.lower().endswith(pairs.TAILS):
                spare.append(name)
            elif split_name(name)[0] in clips and pairs.may_own(name, pairs.Kin.CLIP):
                fresh.append(name)  # or its clip would be taken for a video of its own
    if spare:
        stems = {split_name(name)[0] for name in fresh}
        fresh += [name for name in spare if pairs.stem_of_owner(name) in stems]
    fresh.sort()
    if kept and there != len(withheld.seals):
        # Where none of them is left, it may be another folder that lies over this one.
        let_go |= withheld.seals.keys() - set(names_in(root, accounts))
    still = [(name, key) for name, key in recheck if name not in known]
    return Listing(fresh, known, more, changed(root, still), sorted(let_go))


def changed(root: str, keyed: Iterable[tuple[str, Key]]) -> list[str]:
    """Those of the names whose key is another now, or that are gone."""
    return [name for name, key in keyed if _key_now(root, name) != key]


def look_at(root: str, questions: Iterable[Question], peek: Peek | None = None) -> list[Look]:
    """Look at each name with lstat (never through a link, never at the folder's own copy of the
    attributes, which is stale on Windows while a handle is open).

    ``peek`` is handed name, descriptor and size of those that nobody writes to, while they are
    open; it raises nothing.
    """
    looks = [_look(root, question, peek) for question in questions]
    if any(look.sight is Sight.GONE for look in looks):
        try:
            names = os.scandir(root)
        except OSError:
            # The folder went, not the file.
            return [
                Look(look.name, Sight.AWAY) if look.sight is Sight.GONE else look for look in looks
            ]
        names.close()
    return looks


def _look(root: str, question: Question, peek: Peek | None) -> Look:
    path, name = f"{root}{os.sep}{question.name}", question.name
    asked = None
    if question.ask and question.key is not None and is_of_a_file(question.key):
        asked = _ask(path, Look(name, Sight.FILE, question.key, size_in(question.key)), peek)
        if asked.sight is Sight.FILE and asked.writer is not Writer.CHANGED:
            return asked
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Look(name, Sight.GONE)
    except OSError as error:
        return Look(name, Sight.UNREADABLE, reason=_unreadable(error))
    if stat.S_ISDIR(found.st_mode):
        return _look_inside(path, question)
    if not stat.S_ISREG(found.st_mode):
        kind = stat.S_IFMT(found.st_mode)
        reason = _KINDS.get(kind, "it is not a regular file")
        return Look(name, Sight.OTHER, _other_key(found), reason=reason)
    if asked is not None and key_of(found) == question.key:
        return asked
    return Look(name, Sight.FILE, key_of(found), found.st_size)


def _look_inside(path: str, question: Question) -> Look:
    """A folder is a carousel, and looked at as one file."""
    name = question.name
    if not folders.may_be_carousel(name):
        return Look(name, Sight.OTHER, (0,), reason="it is a folder in a folder")
    try:
        found = folders.listed(path)
        key, size = folders.key_and_size(path, found)
        if size == 0 and not found.growing:
            return Look(name, Sight.OTHER, key, reason=folders.EMPTY)
        ask = question.ask and key == question.key
        writer = folders.writer(path, found) if ask else None
    except FileNotFoundError:
        return Look(name, Sight.FILE, (0,), 1)  # one of its files went: it is looked at again
    except OSError as error:
        return Look(name, Sight.UNREADABLE, reason=_unreadable(error))
    return Look(name, Sight.FILE, key, max(size, 1), writer)


def _ask(path: str, look: Look, peek: Peek | None) -> Look:
    try:
        writer = writer_of(
            path, look.key, peek and (lambda descriptor: peek(look.name, descriptor, look.size))
        )
    except OSError as error:
        return replace(look, sight=Sight.UNREADABLE, reason=_unreadable(error))
    if writer is Writer.GONE:
        return replace(look, sight=Sight.GONE)
    if writer is Writer.UNREADABLE:
        return replace(look, sight=Sight.UNREADABLE, reason=CANNOT_BE_READ)
    return Look(look.name, look.sight, look.key, look.size, writer)


CANNOT_BE_READ = "it cannot be read: permission is missing"


def _unreadable(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return CANNOT_BE_READ
    return f"it cannot be read: {error.strerror}"


def _other_key(found: os.stat_result) -> Key:
    # A folder's times change with its content; what it is does not.
    return (found.st_ino, stat.S_IFMT(found.st_mode))


def _key_now(root: str, name: str) -> Key:
    try:
        path = os.path.join(root, name)
        found = os.lstat(path)
    except OSError:
        return ()
    if stat.S_ISDIR(found.st_mode):
        try:
            return folders.key_and_size(path, folders.listed(path))[0]
        except OSError:
            return ()
    return key_of(found) if stat.S_ISREG(found.st_mode) else _other_key(found)


def _is_inode(entry: os.DirEntry[str], seal: str) -> bool:
    # On Windows it would be one more call for each name; the seals must do there.
    return sys.platform == "win32" or entry.inode() == inode_of(seal)

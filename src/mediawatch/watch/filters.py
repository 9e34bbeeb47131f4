"""What a name alone tells: what is never looked into, and what belongs to a picture beside it.

Pure: no disk, no clock. The names come from the documentation of the programs that leave them
behind: browsers, sync tools, office suites, file servers.
"""

from __future__ import annotations

from mediawatch.model.names import SIDECARS, split_name
from mediawatch.model.pairs import RAWS, is_cover

#: Our own folder inside the inbox; it is passed over without a word.
OWN_FOLDER = ".mediawatch"

#: What we write beside a filed original; put back into the inbox, it is no post.
NOTE_SUFFIX = ".mediawatch.json"

_PARTIAL_SUFFIXES = (
    ".part",  # Firefox, wget, our own copies
    ".partial",  # rclone, Edge
    ".crdownload",  # Chrome, Edge
    ".opdownload",  # Opera
    ".download",  # Safari
    ".filepart",  # WinSCP
    ".!ut",  # uTorrent
    ".!qb",  # qBittorrent
    ".!sync",  # Resilio Sync
    ".aria2",  # the control file of aria2
    ".tmp",
    ".temp",
    ".swp",  # vim
    "~",  # editors' backups
)
_SYSTEM_NAMES = frozenset(
    {
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "$recycle.bin",
        "system volume information",
        "@eadir",  # Synology: thumbnails
        "@tmp",
        "#recycle",
        "@recycle",  # QNAP
        "lost+found",
    }
)

RAW = "it is the RAW of a camera; a JPEG of it is published"
HIDDEN = "its name starts with a dot (hidden)"
SYSTEM = "it belongs to the operating system or the file server"
OFFICE_LOCK = "it is the lock file of an open document"
SYNC_TEMPORARY = "it is the temporary file of a sync tool"
NOTE = "it is a note that mediawatch wrote"


def ignored_by_name(name: str) -> str | None:
    """Why a file of this name is not looked into; None if it may be a post.

    The reason completes the sentence "It is ignored because …". Of ``stories/a.jpg`` the last part
    counts.
    """
    name = name.rpartition("/")[2]
    lowered = name.lower()
    if lowered in _SYSTEM_NAMES or lowered.startswith("._") or lowered == ".ds_store":
        return SYSTEM
    if lowered.startswith((".syncthing.", "~syncthing~", ".dropbox.", ".tmp.drive")):
        return SYNC_TEMPORARY
    if name.startswith("~$"):
        return OFFICE_LOCK
    if name.startswith("."):
        return HIDDEN
    if lowered.endswith(NOTE_SUFFIX):
        return NOTE
    if split_name(lowered)[1] in RAWS:  # beside its picture it goes along: see companions.py
        return RAW
    return _partial(lowered)


def is_partial(name: str) -> bool:
    """Whether the name says that the file is not finished yet."""
    return _partial(name.lower()) is not None


def is_hidden_temporary(name: str) -> bool:
    """Whether another program may be making a file under this hidden name: rsync and FTP servers
    write so, and rename at the end. The system's own hidden files are none of these."""
    return ignored_by_name(name) in {HIDDEN, SYNC_TEMPORARY}


def _partial(lowered: str) -> str | None:
    if not lowered.endswith(_PARTIAL_SUFFIXES):
        return None
    suffix = next(suffix for suffix in _PARTIAL_SUFFIXES if lowered.endswith(suffix))
    return f"its name ends in {suffix} (not finished yet)"


def is_sidecar(name: str) -> bool:
    """Whether the name could be a sidecar; it is one if a picture of that stem lies beside it."""
    return name.lower().endswith(SIDECARS)


def may_be_post(name: str) -> bool:
    """Whether a file of this name, which is not ignored for it, may be a post of its own."""
    return not is_sidecar(name) and not is_cover(name)

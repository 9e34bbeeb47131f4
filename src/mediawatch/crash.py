"""Named moments at which the process can be made to die, to prove that nothing is lost by it.

Between any two effects (a commit, a rename, a request that changes something) lies a point: it is
after the one and before the next. ``MEDIAWATCH_CRASH_AT=publish.asked#2`` kills the process the
second time it passes ``publish.asked``, as ``kill -9`` or a power cut would: nothing is flushed,
nobody is told. Unset, a point costs one look into an empty dictionary. For tests and for people
who work on mediawatch; tests/crash dies at every one of them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping

from mediawatch.errors import ConfigError, Problem

#: The variable that arms one point: its name, and after ``#`` the passage (1 if left out).
VARIABLE = "MEDIAWATCH_CRASH_AT"

#: Every point, each named for what has just become true.
POINTS = frozenset(
    {
        # Start and end of the daemon.
        "owner.locked",  # data folder and inbox are ours
        "owner.written",  # the card that tells others where we listen, under its temporary name
        "owner.announced",  # the same under its own name
        "owner.left",  # the card is gone, the locks are not
        "door.cleared",  # what an earlier life left there of keys and links
        "door.opened",  # the new one is there
        "door.closed",  # it is gone again
        "user.changed",
        "session.changed",
        "login.changed",  # one at Meta has begun, is claimed, answered, over
        "key.changed",
        "account.recorded",
        "account.named",  # folders that are called so are the account's from now on
        "account.token-remembered",
        "account.stopped",  # Meta refuses all of the account
        "account.released",
        "account.shared",  # or not any more
        # Keys and tokens (crypto/vault.py, tokens.py).
        "keys.written",  # under their temporary name
        "keys.placed",
        "keys.resealed",  # old keys lie there still
        "token.stored",
        "token.refreshed",  # Meta gave another, or did not answer
        "token.renewed",  # it is durable
        "token.noted",  # what was learnt of it
        "token.revoked",  # or not
        "token.forgotten",
        "journal.made",  # under its temporary name
        "journal.placed",
        "backup.part-removed",
        "backup.written",
        "backup.placed",
        "backup.dropped",
        # A backup of everything, and its way back.
        "backup.sealed",  # under its temporary name
        "backup.kept",
        "backup.copy-removed",  # the open copy that it was made of
        "restore.cleared",  # what a kill left of an earlier one
        "restore.unpacked",  # a file of it
        "restore.unsealed",  # all of it lies beside the journal, checked
        "restore.ready",  # from here on the next start ends it
        "restore.set-aside",
        "restore.placed",
        "restore.ended",
        # Recovery.
        "recovery.moved",  # moves that were cut off are ended, and recorded
        "recovery.rescued",  # what was running is ready again
        "recovery.distrusted",  # the journal is older than the witness: unfinished posts are held
        "recovery.seen",  # the mark that the journal came from elsewhere is gone
        "recovery.forgotten",  # a claim whose file vanished before its rename
        "recovery.left-behind",  # a post whose original vanished: its move is called off
        # From the inbox to a post.
        "claim.intended",
        "claim.renamed",
        "claim.cover-renamed",
        "claim.caption-renamed",
        "claim.companion-renamed",
        "claim.recorded",
        "claim.undone",  # the file was changed meanwhile and lies in the inbox again
        "claim.forgotten",
        "claim.finished",
        "put-back.intended",
        "put-back.recorded",
        "put-back.forgotten",
        "duplicate.released",  # a copy of a held file: that one is tried again
        "duplicate.filed",
        # What lies in the inbox at the very first start (watch/withheld.py).
        "withheld.cleared",  # what a kill left of an earlier first look
        "withheld.recorded",
        "withheld.looked",
        "withheld.let-go",
        # What a worker writes down (pipeline/work.py).
        "post.claimed",
        "post.noted",  # facts without a change of stage or state
        "post.advanced",
        "post.waits",
        "post.retries",
        "post.held",
        "post.failed",
        "post.interrupted",
        "post.done",
        "lease.renewed",
        "account.freed",
        "quota.recorded",
        "quota.forgotten",
        "link.recorded",
        "waits.brought-forward",  # the clock was set back
        # To the web host.
        "convert.prepared",
        "cache.noted",  # what is known of a prepared file that is about to be kept
        "cache.kept",
        "cache.dropped",
        "upload.folder-made",
        "upload.stored",  # under its temporary name
        "upload.renamed",
        "upload.deleted",
        "upload.forgotten",
        "tls.remembered",
        # At Meta.
        "container.answered",  # or not answered: an orphan expires
        "container.dropped",
        "video.part-sent",  # to its container; Meta tells how much of it came
        "video.sent",  # or broken off
        "publish.asked",  # the intent is durable, nothing is sent
        "publish.witness-written",
        "publish.witnessed",
        "publish.answered",  # or not answered: Meta may have done it
        "publish.recorded",
        "publish.found",  # live for certain, which media is not known yet
        "publish.denied",
        "comment.asked",
        "comment.answered",  # or not answered
        "comment.recorded",
        # Filing.
        "rename.linked",  # the file has both names
        "rename.reserved",  # where a system cannot rename safely: the name is taken by a stand-in
        "copy.written",  # to another disk, under a temporary name
        "copy.placed",
        "file.moved",
        "file.settled",  # a move that was cut off is ended
        "note.written",
        "note.placed",
        "note.removed",
        "work.prepared-removed",
        "work.folder-removed",
        # What the owner is told of (maintenance/alerts.py).
        "alert.kinds-recorded",  # since when which kinds are told
        "alert.address-left",  # one that is in the settings no more is waited for no more
        "alert.noted",
        "alert.sent",  # or not
        "alert.recorded",  # it is told, to that address
        "alert.over",  # a condition has ended
        "alert.tidied",
        # What people ask for.
        "order.recorded",
        "again.intended",
        "again.copied",
        "again.placed",
        "again.discarded",
        "again.recorded",
        "again.forgotten",
    }
)

_ARMED: dict[str, int] = {}  # the armed point, and how many passages are left
_counting = threading.Lock()  # points lie in the threads of the journal and of the disk too


def arm(environ: Mapping[str, str]) -> None:
    """Read ``MEDIAWATCH_CRASH_AT``. Raises ConfigError if it names no point or no passage."""
    _ARMED.clear()
    told = environ.get(VARIABLE, "")
    if not told:
        return
    name, _, passage = told.partition("#")
    if name not in POINTS:
        raise _refused(told, f"{name} is no point.", "mediawatch/crash.py lists them.")
    if not (passage or "1").isdecimal() or int(passage or "1") < 1:
        raise _refused(told, f"{passage} is no passage.", f"Write {name}#1 for the first one.")
    _ARMED[name] = int(passage or "1")


def at(point: str) -> None:
    """The process passes ``point``. If that is the armed passage, it does not return."""
    if point in _ARMED:
        _pass(point)


def _pass(point: str) -> None:
    with _counting:
        _ARMED[point] -= 1
        if _ARMED[point] == 0:
            die()


def die() -> None:
    """End this process at once, with nothing flushed and nothing cleaned up."""
    if sys.platform == "win32":
        os._exit(137)
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # the signal may reach another thread first


def _refused(told: str, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem("", VARIABLE, told, message, remedy)])

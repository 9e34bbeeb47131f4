"""The folders of the service: made where they are missing, left alone where they are not."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from mediawatch.config import Settings
from mediawatch.errors import from_os_error
from mediawatch.journal.belonging import give
from mediawatch.journal.ownership import DATA_LOCK, HIDDEN, INBOX_LOCK
from mediawatch.service.base import ServiceProblem
from mediawatch.service.systemd_unit import (
    ACCOUNT,
    STATE,
    brought_folders,
    data_folders,
    watch_folders,
)

assert sys.platform != "win32"  # noqa: S101 - so the type checker need not look at the rest there

#: New files of such a folder belong to its group, whoever makes them.
_SHARED, _OWN = 0o2770, 0o700


class Folders:
    """What the settings name, for the account of the service. Only for root."""

    def __init__(self, settings: Settings) -> None:
        import pwd

        account = pwd.getpwnam(ACCOUNT)
        self._user, self._group = account.pw_uid, account.pw_gid
        self._owner = self._user
        self._groups = os.getgrouplist(ACCOUNT, account.pw_gid)
        self._watched = watch_folders(settings)
        self._data = settings.storage.data_dir
        self._log = settings.log.file
        self._inboxes = self._watched[: len(settings.inboxes)]
        # What lies in the state folder systemd would make: too late for orders of root's.
        kept = [STATE, self._data] if self._data.is_relative_to(STATE) else []
        self._own = list(dict.fromkeys([*kept, *data_folders(settings)]))
        self._brought = brought_folders(settings)

    def make(self) -> list[str]:
        """What was made, a sentence each. Raises ServiceProblem if the service could not write
        into one that was there before."""
        # Beside an inbox that is somebody's already, they own what is made too.
        there = next((inbox for inbox in self._inboxes if inbox.is_dir()), None)
        self._owner = there.stat().st_uid if there is not None else self._user
        made = [
            path
            for paths, mode in ((self._watched, _SHARED), (self._own, _OWN))
            for path in paths
            if self._make(path, mode)
        ]
        told = [f"Made the folder {path}." for path in made]
        told += [
            f"Gave {path}, which root had made, to the user {ACCOUNT}."
            for path, lock in (
                (self._data, DATA_LOCK),
                *((inbox / HIDDEN, INBOX_LOCK) for inbox in self._inboxes),
            )
            # Only what an order of root's made is given, and not a folder that was there for more.
            if (path / lock).exists() and give(path, self._user, self._group)
        ]
        for path in (*self._watched, *self._own):
            self._require_writable(path)
        # Left by whoever ran mediawatch until now.
        for inbox in self._inboxes:
            if (inbox / HIDDEN).is_dir():
                self._require_writable(inbox / HIDDEN)
        if self._log is not None and self._log.exists():
            self._require_writable(self._log)
        if any(path in made for path in self._watched):
            told.append(
                f"People of the group {ACCOUNT} may use them: sudo gpasswd --add NAME {ACCOUNT}"
            )
        return told

    def _make(self, path: Path, mode: int) -> bool:
        try:
            if path.is_dir():
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
            os.chown(path, self._owner if mode == _SHARED else self._user, self._group)
            path.chmod(mode)  # what mkdir was asked for is cut by the umask
        except OSError as error:
            raise from_os_error(error, f"make the folder {path}") from error
        return True

    def _require_writable(self, path: Path) -> None:
        start = next((given for given in self._brought if path.is_relative_to(given)), Path("/"))
        reached = os.open(start, os.O_PATH | os.O_DIRECTORY)
        try:
            way = [place for place in reversed(path.parents) if place.is_relative_to(start)]
            closed = next(
                (place for place in way if not self._may("x", place, start, reached)), None
            )
            rights = "rwx" if path.is_dir() else "rw"
            writable = all(self._may(right, path, start, reached) for right in rights)
        finally:
            os.close(reached)
        name = shlex.quote(str(closed or path))
        if closed:
            raise ServiceProblem(
                f"The user {ACCOUNT}, as whom the service runs, does not get through {closed} to "
                f"{path}.",
                remedy=f"Let it through, then say this again: sudo chmod o+x {name}",
            )
        if not writable:
            raise ServiceProblem(
                f"The user {ACCOUNT}, as whom the service runs, may not read and write in {path}.",
                remedy=self._let_in(path, name),
            )

    def _let_in(self, path: Path, name: str) -> str:
        if path == self._log:
            return f"Give it to that user, then say this again: sudo chown {ACCOUNT}: {name}"
        if self._log is not None and path == self._log.parent and path != self._data:
            return (
                "Name a file in a folder of its own for [log] file, such as "
                f"{path / ACCOUNT / self._log.name}, or leave it out: journalctl has the log."
            )
        if path in self._own:
            return f"Give it to that user, then say this again: sudo chown -R {ACCOUNT}: {name}"
        return (
            f"Let its group in, then say this again: sudo chgrp -R {ACCOUNT} {name} && "
            f"sudo chmod -R g+rwX {name} && sudo chmod g+s {name}"
        )

    def _may(self, right: str, path: Path, start: Path, reached: int) -> bool:
        """Whether the service has the right; ``reached`` is ``start``, opened."""
        seen = Path(f"/proc/self/fd/{reached}", path.relative_to(start))
        done = subprocess.run(  # noqa: S603 - our own words
            ["/usr/bin/test", f"-{right}", str(seen)],
            user=self._user,
            group=self._group,
            extra_groups=self._groups,
            pass_fds=[reached],
            check=False,
        )
        return not done.returncode

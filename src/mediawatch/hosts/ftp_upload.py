"""One file on its way to its public name: sent aside, measured, renamed; it may break off."""

from __future__ import annotations

from mediawatch.clock import Clock
from mediawatch.hosts.ftp_errors import RenameRefused, ResumeRefused
from mediawatch.hosts.ftp_session import LARGE, FtpSession
from mediawatch.hosts.ftp_transfer import LocalFile

_PATIENCE = 3600.0  # seconds after which a host that refused to rename is asked again


def part_names(key: str) -> tuple[str, ...]:
    """The temporary names that ``key`` may have on a host, in the order of their use.

    They follow from the key, so that whoever knows the key can find what a crash left behind.
    """
    stem = key.rpartition(".")[0] or key
    return tuple(f"{stem}{turn}.part" for turn in ("", "-2", "-3", "-4"))


class Renames:
    """Whether the host lets us rename. One refusal is no proof: two files running are."""

    def __init__(self, wanted: bool, clock: Clock) -> None:
        self._wanted = wanted
        self._clock = clock
        self._refusals = 0
        self._ask_again_at = 0.0

    def allowed(self) -> bool:
        """Whether to store under a temporary name and rename."""
        resting = self._refusals > 1 and self._clock.monotonic() < self._ask_again_at
        return self._wanted and not resting

    def worked(self) -> None:
        """A file was renamed."""
        self._refusals = 0

    def refused(self, *, for_good: bool) -> None:
        """The host refused; ``for_good`` if it does not know how to."""
        self._wanted &= not for_good
        self._refusals += 1
        self._ask_again_at = self._clock.monotonic() + _PATIENCE


class FtpUpload:
    """A file on its way to ``key``; kept from one try to the next.

    A name that a transfer broke off from is not written to again, since the server may be
    writing still; but a large file is gone on with where it stopped. ``pieced`` tells whether
    it may have come in pieces: then only its content proves that they fit.
    """

    def __init__(self, key: str, renames: Renames) -> None:
        self._key = key
        self._renames = renames
        self._names = part_names(key)
        self._turn = 0
        self._resumable = True
        self._litter: set[str] = set()
        self._looked = False
        self.pieced = False

    async def run(self, session: FtpSession, file: LocalFile) -> None:
        """Bring the file to its name with this session. Raises HostProblem, StorageProblem."""
        there, left = await session.look(self._key, self._part)
        if left is not None and not self._looked:
            # Left behind by another life of this program: it may have used the other names too.
            self._litter.update(self._names)
        self._looked = True
        if there == file.size:
            # Who knows how it came there, if it is long enough to have been gone on with.
            self.pieced |= file.size >= LARGE
        elif not (self._renames.allowed() and await self._aside(session, file, there, left or 0)):
            # The name is known to nobody yet, so nobody sees the file grow.
            await self._send(session, file, self._key, there or 0)
            session.require_whole(await session.size(self._key), file.size)
        await self.clean(session)

    @property
    def _part(self) -> str:
        return self._names[self._turn % len(self._names)]

    async def _aside(
        self, session: FtpSession, file: LocalFile, there: int | None, left: int
    ) -> bool:
        if left and not self._may_go_on(file.size, left):
            self._next_name()
            left = 0
        try:
            await self._send(session, file, self._part, left)
            await session.publish(self._part, self._key, file.size, replacing=there is not None)
        except ResumeRefused:
            self._resumable = False
            return await self._aside(session, file, there, left)
        except RenameRefused as refusal:
            self._renames.refused(for_good=refusal.for_good)
            self._next_name()
            return False
        except BaseException:
            # A transfer that the server never began may wait for one that is still under way.
            if file.size < LARGE or not session.begun:
                self._next_name()
            raise
        self._renames.worked()
        self._litter.discard(self._part)
        return True

    async def _send(self, session: FtpSession, file: LocalFile, name: str, offset: int) -> None:
        if not self._may_go_on(file.size, offset):
            offset = 0
        self.pieced = offset > 0
        self._litter.add(name)
        if offset < file.size or not file.size:
            await session.store(file, name, offset)

    def _may_go_on(self, size: int, offset: int) -> bool:
        return self._resumable and LARGE <= size >= offset

    def _next_name(self) -> None:
        self._litter.add(self._part)
        self._turn += 1

    async def clean(self, session: FtpSession) -> None:
        """Remove what earlier tries left behind."""
        litter = sorted(self._litter - {self._key})
        if litter:
            await session.discard(*litter)
        self._litter.clear()

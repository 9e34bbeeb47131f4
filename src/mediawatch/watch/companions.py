"""Which of the names that settle belong together. Plain bookkeeping: no disk, no waiting.

A companion settles like any file, is never offered by itself while its file is there, and is
waited for by it: so the order in which they come does not matter.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from mediawatch.model.kinds import PostKind
from mediawatch.model.names import composed, stem_of
from mediawatch.model.pairs import Kin, is_cover, kin_of, may_own
from mediawatch.watch import folders
from mediawatch.watch.filters import RAW
from mediawatch.watch.settle import Ignored, Settling

LONELY_COVER = "it is the cover of a reel, and no video of the same name lies beside it"
LEFT_CLIP = "it is the clip of a Live Photo, whose picture cannot be taken yet"
#: Why a companion is left alone whose file is not there; it is looked at again when that comes.
ALONE = {Kin.RAW: RAW, Kin.COVER: LONELY_COVER, Kin.CLIP: LEFT_CLIP}


def kin_in_inbox(name: str) -> tuple[Kin, str] | None:
    """What a name in the inbox could be to another one, and the stem of that, as ``stem_of`` writes
    it. A video that was put into ``reels/`` is meant."""
    found = kin_of(name)
    if found is not None and found[0] is Kin.CLIP and folders.kind_of(name) is PostKind.REEL:
        return None
    return None if found is None else (found[0], composed(found[1]))


class Companions:
    """The names of one folder by their stems. ``settling``, ``ignored``, ``taking``: the
    tracker's own."""

    def __init__(
        self,
        settling: Mapping[str, Settling],
        ignored: Mapping[str, Ignored],
        taking: Container[str],
    ) -> None:
        self._settling, self._ignored, self._taking = settling, ignored, taking
        self._named: dict[str, list[str]] = {}  # of the settling names
        self._kin: dict[str, list[str]] = {}  # stem of their file -> what could belong to it
        self._troubled: dict[str, set[str]] = {}  # pictures that are there and cannot be taken

    def settles(self, name: str, stem: str) -> None:
        """A name begins to settle."""
        self._named.setdefault(stem, []).append(name)
        self.well(name, stem)

    def unsettles(self, name: str, stem: str) -> None:
        """A name that settled does not any more."""
        named = self._named[stem]
        named.remove(name)
        if not named:
            del self._named[stem]

    def any_settling(self, stem: str) -> bool:
        """Whether a name of that stem settles."""
        return stem in self._named

    def know(self, name: str, stem: str) -> None:
        """A name that could belong to a file of that stem; it may be known already."""
        known = self._kin.setdefault(stem, [])
        if name not in known:
            known.append(name)

    def forget(self, name: str) -> None:
        """It is no longer in the folder."""
        if not self._kin and not self._troubled:
            return
        found = kin_in_inbox(name)
        known = self._kin.get(found[1], []) if found is not None else []
        if found is not None and name in known:
            known.remove(name)
            if not known:
                del self._kin[found[1]]
        self.well(name, stem_of(name))

    def trouble(self, name: str) -> None:
        """A picture is in the folder, and cannot be taken for now."""
        if may_own(name, Kin.CLIP):
            self._troubled.setdefault(stem_of(name), set()).add(name)

    def well(self, name: str, stem: str) -> None:
        """It is in no trouble any more."""
        if stem in self._troubled:
            self._troubled[stem].discard(name)
            if not self._troubled[stem]:
                del self._troubled[stem]

    def of(self, name: str) -> list[str]:
        """What could belong to this file, whatever is known of it."""
        if not self._kin:
            return []
        known = self._kin.get(stem_of(name), ())
        return [each for each in known if each != name and _fits(each, name)]

    def owners(self, name: str) -> list[str]:
        """The settling files to which this one could belong."""
        if not self._kin:
            return []
        found = kin_in_inbox(name)
        if found is None:
            return []
        kin, stem = found
        named = self._named.get(stem, ())
        return [
            each
            for each in named
            if each != name and may_own(each, kin) and not self._settling[each].travels
        ]

    def has_namesake(self, name: str) -> bool:
        """Whether another picture or video of its stem is on its way to be a post, and is not taken
        with it: for that too the sidecars are meant."""
        return any(
            each != name
            and each not in self._taking
            and not self._settling[each].travels
            and (may_own(each, Kin.CLIP) or may_own(each, Kin.COVER))
            for each in self._named.get(stem_of(name), ())
        )

    def are_awaited_by(self, name: str) -> bool:
        """Whether something that belongs to this file must come to rest first."""
        return any(self._is_awaited(each) for each in self.of(name))

    def at_rest_beside(self, name: str) -> list[str]:
        """What has come to rest, belongs to this file, and goes with no other."""
        beside = [each for each in self.of(name) if each not in self._taking]
        entries = ((each, self._settling.get(each)) for each in beside)
        return [
            each
            for each, entry in entries
            if entry is not None and entry.travels and entry.ready_at is not None
        ]

    def may_be_clip(self, name: str) -> bool:
        """Whether it must be looked into: a picture is there of which it may be the clip."""
        return self._settling[name].is_undecided and (
            bool(self.owners(name)) or self.owner_is_in_trouble(name)
        )

    def owner_is_in_trouble(self, name: str) -> bool:
        """Whether a picture of its stem is there that cannot be taken for now."""
        return stem_of(name) in self._troubled

    def _is_awaited(self, name: str) -> bool:
        entry = self._settling.get(name)
        if entry is not None:
            return entry.is_undecided or (entry.travels and entry.ready_at is None)
        # A reel is not published without a cover that is there and cannot be read just now.
        ignored = self._ignored.get(name)
        return is_cover(name) and ignored is not None and ignored.retry is not None


def _fits(name: str, owner: str) -> bool:
    found = kin_in_inbox(name)
    return found is not None and may_own(owner, found[0])

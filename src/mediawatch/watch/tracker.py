"""What is known of each name in the inbox. Plain bookkeeping: no disk, no waiting.

A name is in one of: ``settling`` (on its way to be taken), ``ignored`` (with the reason),
``sidecars`` (belongs to a picture beside it), or it is our own folder. A name that is in none of
them is new.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable

from mediawatch.model.names import stem_of
from mediawatch.model.pairs import Kin
from mediawatch.watch.candidates import Outcome
from mediawatch.watch.companions import ALONE, LEFT_CLIP, Companions, kin_in_inbox
from mediawatch.watch.filters import OWN_FOLDER, RAW, ignored_by_name, is_sidecar
from mediawatch.watch.listing import Look, Question, Sight
from mediawatch.watch.settle import (
    AWAITS,
    EMPTY,
    TRAVELS,
    WAITING,
    Ignored,
    SettleRule,
    Settling,
    Verdict,
)
from mediawatch.watch.writers import Key

LONELY_SIDECAR = "no picture of the same name lies beside it"

_RETRY_DELAYS = (5.0, 10.0, 30.0, 60.0, 300.0)
_EPSILON = 0.001
_LOOKED_AHEAD = 512


class Tracker:
    """The names of one folder.

    ``decided(name, outcome, reason)`` is called whenever a name meets its outcome, with None for
    a name that is no post at all; ``held(name)`` when a file is kept open for very long.
    """

    def __init__(
        self,
        rule: SettleRule,
        track_max: int,
        decided: Callable[[str, Outcome | None, str], None],
        held: Callable[[str], None],
    ) -> None:
        self._rule, self._track_max = rule, track_max
        self._decided, self._held = decided, held
        self.settling: dict[str, Settling] = {}
        self.ignored: dict[str, Ignored] = {}
        self.taking: set[str] = set()
        self._own: set[str] = set()
        self._beside: dict[str, set[str]] = {}  # stem -> names that could be its sidecars
        self._sidecars: set[str] = set()
        self.companions = Companions(self.settling, self.ignored, self.taking)
        self._orphans: set[str] = set()  # clips whose picture, which could not be taken, is gone
        self._along: dict[str, list[str]] = {}  # what is taken with a name that is being taken
        self._due: list[tuple[float, str]] = []
        self._ready: deque[str] = deque()
        self._recheck_from = 0

    # --- what the scan brings -------------------------------------------------------------

    def known(self) -> set[str]:
        """Every known name, in a set of its own."""
        return {*self.settling, *self.ignored, *self._sidecars, *self._own}

    def quiet(self) -> set[str]:
        """The names that are no posts, and are not spoken of."""
        return self._sidecars | self._own

    def room(self) -> int:
        """How many more names may be tracked; the others stay in the folder."""
        return max(0, self._track_max - len(self.settling))

    def adopt(self, fresh: Iterable[str], now: float, wall: float) -> int:
        """Take up new names. Returns how many of them begin to settle."""
        for name in self._orphans:
            self.reconsider(name, now, wall)
        self._orphans.clear()
        perhaps_sidecars, companions, settling = [], [], 0
        for name in fresh:
            if name == OWN_FOLDER:
                self._own.add(name)
                self._decided(name, None, "")
            elif (reason := ignored_by_name(name)) is not None and reason is not RAW:
                self._ignore(name, Ignored(reason))
            elif (kin := kin_in_inbox(name)) is not None and kin[0] is not Kin.CLIP:
                companions.append(name)
            elif is_sidecar(name):
                perhaps_sidecars.append(name)
            else:
                self._settle(name, now, wall)
                settling += 1
        for name in perhaps_sidecars:
            self._adopt_sidecar(name)
        for name in companions:
            settling += self._adopt_companion(name, now, wall)
        return settling

    def drop(self, gone: Iterable[str]) -> None:
        """Forget names that are no longer in the folder."""
        for name in gone:
            if name in self.taking:
                continue  # it is gone because it is being taken
            self._forget(name, Outcome.GONE, "")

    # --- looking --------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When the next look is due (monotonic)."""
        return self._due[0][0] if self._due else None

    def questions(self, now: float, limit: int) -> list[Question]:
        """The names whose look is due, at most ``limit``."""
        asked: dict[str, Question] = {}
        while self._due and self._due[0][0] <= now and len(asked) < limit:
            due, name = heapq.heappop(self._due)
            entry = self.settling.get(name)
            if entry is not None:
                if entry.queued == due:
                    entry.queued = None
                    if entry.ready_at is None and not self._is_left_to_the_taker(name, entry, now):
                        asked[name] = self._question(name, entry, now)
                continue
            ignored = self.ignored.get(name)
            if ignored is not None and ignored.retry == due:
                self.reconsider(name, now, 0.0)
        return list(asked.values())

    def latest(self, now: float, limit: int) -> list[Question]:
        """The names that were found last, to be looked at because something happened."""
        newest = itertools.islice(reversed(self.settling.items()), limit)
        return [
            self._question(name, entry, now)
            for name, entry in newest
            if entry.ready_at is None and name not in self.taking
        ]

    def question(self, name: str, now: float) -> Question:
        """One settling name."""
        return self._question(name, self.settling[name], now)

    def judge(self, looks: Iterable[Look], now: float) -> None:
        """Apply what was seen. ``now`` is a moment before the looks."""
        for look in looks:
            entry = self.settling.get(look.name)
            if entry is not None:
                self._judge(entry, look, now)

    def rechecks(self, limit: int) -> list[tuple[str, Key]]:
        """The next few ignored names, in turn, to see whether they have changed."""
        count = len(self.ignored)
        if not count:
            return []
        start = self._recheck_from % count
        self._recheck_from = start + limit
        turn = itertools.islice(self.ignored.items(), start, start + limit)
        return [(name, entry.key) for name, entry in turn if entry.key is not None]

    # --- taking ---------------------------------------------------------------------------

    def any_ready(self) -> bool:
        """Whether a name is ready to be taken."""
        while self._ready:
            name = self._ready[0]
            entry = self.settling.get(name)
            if entry is not None and entry.ready_at is not None and self._is_offered(name, entry):
                return True
            self._ready.popleft()
        return False

    @property
    def ready_count(self) -> int:
        """How many names are ready, or were a moment ago."""
        return len(self._ready)

    def next_ready(self, limit: int, weight: int) -> list[str]:
        """The names that have been ready for longest, marked as being taken.

        At most ``limit`` of them, and of ``weight`` bytes together, but one at least if any is.
        """
        names: list[str] = []
        while len(names) < limit and weight > 0 and self.any_ready():
            name = self._ready.popleft()
            if name not in self.taking:
                weight -= self.settling[name].size
                beside = self.companions.at_rest_beside(name)
                weight -= sum(self.settling[each].size for each in beside)
                names.append(name)
                self.taking.add(name)
        return names

    def put_down(self, names: Iterable[str], now: float) -> None:
        """The taker is through with them; those for which that was too early are looked at
        again."""
        for name in names:
            self.taking.discard(name)
            for each in self._along.pop(name, ()):
                self.taking.discard(each)
                self._put_down_companion(each)
            entry = self.settling.get(name)
            if entry is None or entry.ready_at is None:
                continue
            if entry.travels:
                self._stir(name)
            else:
                self.settle_again(name, now)

    def _put_down_companion(self, name: str) -> None:
        entry = self.settling.get(name)
        if entry is None:
            return
        if self.companions.owners(name):
            self._stir(name)
        else:
            self._leave_alone(name, entry)

    def take_along(self, name: str) -> list[str]:
        """What goes with a name that is being taken."""
        along = self._along[name] = self.companions.at_rest_beside(name)
        self.taking.update(along)
        return along

    def decide_clip(self, name: str, *, is_clip: bool) -> None:
        """It is the clip of the picture beside it, or a video of its own."""
        entry = self.settling[name]
        entry.is_clip = is_clip
        if is_clip and not self.companions.owners(name):
            self._ignore(name, Ignored(ALONE[Kin.CLIP], key=entry.key))
        elif is_clip:
            entry.reason = TRAVELS
            self._leave_those_of(name)
        self._stir(name)

    def requeue(self, now: float) -> None:
        """Look at everything anew, after a stop in the midst of something."""
        self._due.clear()
        self._ready.clear()
        for name, entry in self.settling.items():
            entry.ready_at = entry.queued = None
            self._push(name, entry, now)
        for name, ignored in self.ignored.items():
            if ignored.retry is not None:
                heapq.heappush(self._due, (ignored.retry, name))

    def taken(self, name: str) -> None:
        """The intake has it, and what goes with it."""
        for each in self._along.pop(name, ()):
            self.taking.discard(each)
            self._forget(each, Outcome.TAKEN, "")
        self._forget(name, Outcome.TAKEN, "")

    def gone(self, name: str) -> None:
        """It went before it could be taken."""
        self._forget(name, Outcome.GONE, "")

    def settle_again(self, name: str, now: float) -> None:
        """It changed, or could not be taken just now: look again at once."""
        entry = self.settling[name]
        entry.ready_at = None
        self._push(name, entry, now)

    def look_later(self, name: str) -> None:
        """Look again when its entry says so."""
        entry = self.settling[name]
        entry.ready_at = None
        self._push(name, entry, entry.due)

    def leave(self, name: str, reason: str) -> None:
        """It is not wanted; only a change makes it interesting again."""
        entry = self.settling[name]
        self._ignore(name, Ignored(reason, key=entry.key))

    def try_later(self, name: str, outcome: Outcome, reason: str, now: float) -> None:
        """It cannot be read or taken now: try again, less and less often."""
        entry = self.settling[name]
        delay = _RETRY_DELAYS[min(entry.failures, len(_RETRY_DELAYS) - 1)]
        failed = Ignored(reason, outcome, entry.key, now + delay, entry.failures + 1)
        self._ignore(name, failed)
        heapq.heappush(self._due, (now + delay, name))

    def reconsider(self, name: str, now: float, wall: float) -> None:
        """Take up an ignored name again."""
        ignored = self.ignored.pop(name, None)
        if ignored is None:
            return
        kin = kin_in_inbox(name)
        if kin is not None and kin[0] is not Kin.CLIP and not self.companions.owners(name):
            self._ignore(name, Ignored(ALONE[kin[0]]))
            return
        entry = self._settle(name, now, wall)
        entry.failures = ignored.failures
        if ignored.key is not None and ignored.retry is not None:
            # It stood still while it could not be read: it need not settle once more.
            entry.key, entry.since = ignored.key, now - self._rule.settle

    # --- inside ---------------------------------------------------------------------------

    def _settle(self, name: str, now: float, wall: float) -> Settling:
        entry = self.settling[name] = Settling(found=wall, since=now, due=now)
        self._push(name, entry, now)
        stem = stem_of(name)
        self.companions.settles(name, stem)
        for sidecar in self._beside.get(stem, ()):
            if sidecar in self.ignored:
                del self.ignored[sidecar]
                self._sidecars.add(sidecar)
        kin = kin_in_inbox(name)
        if kin is not None:
            entry.kin = kin[0]
            self.companions.know(name, kin[1])
        for each in self.companions.of(name):
            if each in self.ignored and self.ignored[each].reason in ALONE.values():
                del self.ignored[each]
                self._settle(each, now, wall)
        return entry

    def _adopt_companion(self, name: str, now: float, wall: float) -> int:
        kin = kin_in_inbox(name)
        if kin is None:
            raise AssertionError("only what could be a companion is adopted as one")
        self.companions.know(name, kin[1])
        if not self.companions.owners(name):
            self._ignore(name, Ignored(ALONE[kin[0]]))
            return 0
        self._settle(name, now, wall)
        return 1

    def _adopt_sidecar(self, name: str) -> None:
        stem = stem_of(name)
        self._beside.setdefault(stem, set()).add(name)
        if self.companions.any_settling(stem):
            self._sidecars.add(name)
            self._decided(name, None, "")
        else:
            self._ignore(name, Ignored(LONELY_SIDECAR))

    def _question(self, name: str, entry: Settling, now: float) -> Question:
        return Question(name, entry.key, ask=self._is_ripe(entry, now))

    def _is_ripe(self, entry: Settling, now: float) -> bool:
        return now - entry.since >= self._rule.settle - _EPSILON and now >= entry.not_before

    def _is_left_to_the_taker(self, name: str, entry: Settling, now: float) -> bool:
        """With many names ready, the taker will look at this one anyway, when its turn comes."""
        if len(self._ready) < _LOOKED_AHEAD or not self._is_ripe(entry, now):
            return False
        self._make_ready(name, entry, float("-inf"))
        return True

    def _judge(self, entry: Settling, look: Look, now: float) -> None:
        name = look.name
        match look.sight:
            case Sight.AWAY:
                entry.ready_at = None
                self._push(name, entry, now + 5.0)
            case Sight.GONE:
                self._forget(name, Outcome.GONE, "")
            case Sight.OTHER:
                entry.key = look.key
                self.leave(name, look.reason)
            case Sight.UNREADABLE:
                entry.key = look.key or entry.key
                self.try_later(name, Outcome.UNREADABLE, look.reason, now)
            case Sight.FILE:
                self._judge_file(entry, look, now)

    def _judge_file(self, entry: Settling, look: Look, now: float) -> None:
        name = look.name
        entry.size = look.size  # one that is tried again kept its key, but not its size
        match self._rule.judge(entry, look.key, look.size, look.writer, now):
            case Verdict.WAIT:
                self._push(name, entry, entry.due)
            case Verdict.EMPTY if entry.kin is Kin.COVER:
                self._make_ready(name, entry, now)  # the reel is held: it was meant to have one
            case Verdict.EMPTY:
                self._ignore(name, Ignored(EMPTY, Outcome.UNFINISHED, entry.key))
            case Verdict.READY:
                entry.held_for_long = False
                self._make_ready(name, entry, now)
            case Verdict.READY_IF_WHOLE:
                if not entry.held_for_long:
                    entry.held_for_long = True
                    self._held(name)
                self._make_ready(name, entry, now)

    def _make_ready(self, name: str, entry: Settling, now: float) -> None:
        entry.ready_at, entry.reason = now, WAITING
        if entry.travels:
            entry.reason = TRAVELS
            self._stir(name)
        elif name not in self.taking and self._is_offered(name, entry):
            self._ready.append(name)  # else the taker has it in hand, and looked once more

    def _is_offered(self, name: str, entry: Settling) -> bool:
        """Whether one that is ready can be taken; if not, it is brought up again by ``_stir``."""
        if entry.travels:
            return False
        if self.companions.are_awaited_by(name):
            entry.reason = AWAITS
            return False
        return True

    def _stir(self, name: str) -> None:
        """Something that was waited for is decided: those that waited may be ready now."""
        for owner in self.companions.owners(name):
            entry = self.settling[owner]
            if entry.ready_at is None or owner in self.taking:
                continue
            if self._is_offered(owner, entry):
                entry.reason = WAITING
                self._ready.append(owner)

    def _leave_those_of(self, name: str) -> None:
        """It is no file to which others belong any more: taken without them, gone, or left."""
        for each in self.companions.of(name):
            entry = self.settling.get(each)
            if entry is not None and each not in self.taking and not self.companions.owners(each):
                self._leave_alone(each, entry)

    def _leave_alone(self, name: str, entry: Settling) -> None:
        companions = self.companions
        if entry.kin is not Kin.CLIP:
            self._ignore(name, Ignored(ALONE[entry.kin or Kin.RAW]))
        elif entry.travels and companions.owner_is_in_trouble(name):
            self._ignore(name, Ignored(ALONE[Kin.CLIP], key=entry.key))
        elif entry.travels:
            entry.is_clip = None
            if entry.ready_at is not None:
                self._make_ready(name, entry, entry.ready_at)

    def _push(self, name: str, entry: Settling, due: float) -> None:
        entry.due = due
        if entry.queued != due:
            entry.queued = due
            heapq.heappush(self._due, (due, name))

    def _ignore(self, name: str, ignored: Ignored) -> None:
        if ignored.retry is not None or ignored.outcome is Outcome.UNFINISHED:
            self.companions.trouble(name)
        self.ignored[name] = ignored
        self._unsettle(name)
        self._stir(name)
        self._decided(name, ignored.outcome, ignored.reason)

    def _forget(self, name: str, outcome: Outcome, reason: str) -> None:
        known = self.ignored.pop(name, None) is not None
        known = self._unsettle(name) or known
        self._own.discard(name)
        self._sidecars.discard(name)
        self._stir(name)
        self.companions.forget(name)
        self._orphans.discard(name)
        self._orphans.update(
            each
            for each in self.companions.of(name)
            if each in self.ignored and self.ignored[each].reason == LEFT_CLIP
        )
        if is_sidecar(name):
            stem = stem_of(name)
            beside = self._beside.get(stem)
            if beside is not None:
                beside.discard(name)
                if not beside:
                    del self._beside[stem]
        if known:
            self._decided(name, outcome, reason)

    def _unsettle(self, name: str) -> bool:
        if name not in self.settling:
            return False
        del self.settling[name]
        stem = stem_of(name)
        self.companions.unsettles(name, stem)
        if not self.companions.any_settling(stem):
            # A sidecar that is left behind is new again at the next scan, and lonely then.
            self._sidecars.difference_update(self._beside.get(stem, ()))
        self._leave_those_of(name)
        return True

"""The oracle: what is wrong, told from the folders, the web host, the journal and Meta itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mediawatch.model.posts import Post
from mediawatch.simulator import Simulator
from tests.chaos.plan import Fate, Plan, recognize
from tests.support.river import River

NOTE = ".mediawatch.json"
#: Folders whose files each have a note.
_NOTED = ("duplicate", "failed", "held")


def problems(plan: Plan, river: River, simulator: Simulator, posts: Sequence[Post]) -> list[str]:
    """Every problem in a sentence; none if all is well: files in = posts out, none twice, every
    file in exactly one place, nothing lying about, and the journal knows it all."""
    return [
        *_published(plan, river, simulator),
        *_filed(plan, river),
        *_noted(river),
        *_lying_about(plan, river, posts),
        *_journalled(plan, simulator, posts),
    ]


def _published(plan: Plan, river: River, simulator: Simulator) -> Iterator[str]:
    wanted = {file.picture for file in plan.files if file.picture is not None}
    found: Counter[int | None] = Counter()
    captions = {file.picture: file.caption for file in plan.files if file.caption is not None}
    for media in simulator.state.publications:
        body = simulator.state.picture(media.container.pictures[0].sha256)
        assert body is not None
        number = recognize(body, plan)
        found[number] += 1
        if number is None:
            yield f"a picture was published that nobody wanted: {media.container.caption!r}"
        copies = sum(file.picture == number for file in plan.files)
        if copies == 1 and captions.get(number, media.container.caption) != media.container.caption:
            yield f"picture {number} has the caption {media.container.caption!r}"
    for number in sorted(number for number in wanted if number is not None):
        if found[number] != 1:
            yield f"picture {number} is published {found[number]} times"
    if calls := simulator.state.snapshot()["republish_calls"]:
        yield f"Meta was asked {calls} times for what was published already"


def _filed(plan: Plan, river: River) -> Iterator[str]:
    """Every file in exactly one place, and that the right one."""
    lying: dict[str, Counter[str]] = {}
    for folder in ("processed", "duplicate", "failed", "held", "inbox"):
        for path in _files(getattr(river, folder)):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lying.setdefault(digest, Counter())[folder] += 1
    for digest, copies in Counter(file.sha256 for file in plan.files).items():
        file = next(file for file in plan.files if file.sha256 == digest)
        expected = {
            Fate.PUBLISHED: Counter(processed=1, duplicate=copies - 1),
            Fate.FAILED: Counter(failed=copies),
            Fate.HELD: Counter(held=copies),
            Fate.IGNORED: Counter(inbox=copies),
        }[file.fate]
        if lying.pop(digest, Counter()) != +expected:
            yield f"{file.name} is not where it should be: {dict(+expected)}"
    for file in plan.files:
        if file.caption is not None:
            digest = hashlib.sha256(file.caption.encode()).hexdigest()
            found = lying.pop(digest, Counter())
            if found.total() != 1 or found["inbox"]:
                yield f"the caption of {file.name} lies in {dict(found)}"
    for where in lying.values():
        yield f"a file that nobody put there lies in {sorted(where)}"


def _noted(river: River) -> Iterator[str]:
    for name in _NOTED:
        folder = getattr(river, name)
        files = {path.name for path in _files(folder)}
        notes = {path.name.removesuffix(NOTE) for path in _notes(folder)}
        for lacking in sorted(file for file in files - notes if not file.endswith(".txt")):
            yield f"{name}/{lacking} has no note"
        for orphan in sorted(notes - files):
            yield f"{name}/{orphan}{NOTE} is about nothing"


def _lying_about(plan: Plan, river: River, posts: Sequence[Post]) -> Iterator[str]:
    ignored = {file.name for file in plan.files if file.fate is Fate.IGNORED}
    for name in sorted(river.leftovers() - ignored):
        yield f"{name} is left lying about"
    for path in _files(river.processed):
        if path.name.startswith("."):
            yield f"{path} is left lying about"
    known = {item.remote_key for post in posts for item in post.items}
    for name in sorted(river.host.ftp.names() - known):
        yield f"{name} lies on the host, and nobody knows it"


def _journalled(plan: Plan, simulator: Simulator, posts: Sequence[Post]) -> Iterator[str]:
    states = Counter(str(post.state) for post in posts)
    pictures = {file.sha256 for file in plan.files if file.fate is Fate.PUBLISHED}
    expected = Counter(
        done=len(pictures),
        failed=sum(file.fate is Fate.FAILED for file in plan.files),
        held=sum(file.fate is Fate.HELD for file in plan.files),
    )
    if states != +expected:
        yield f"the journal has posts that are {dict(states)}, not {dict(+expected)}"
    bound = Counter(post.media_id for post in posts if post.state == "done")
    live = Counter(media.id for media in simulator.state.publications)
    if bound != live:
        yield f"the journal names the media {dict(bound - live)} and lacks {dict(live - bound)}"


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and not path.name.endswith(NOTE)]


def _notes(folder: Path) -> list[Path]:
    return list(folder.glob(f"*{NOTE}")) if folder.is_dir() else []

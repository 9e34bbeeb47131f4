"""The oracle: what is wrong, told from the folders, the web host, the journal and Meta itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mediawatch.model.posts import Post
from mediawatch.simulator import Simulator
from mediawatch.simulator.containers import Container
from tests.chaos.plan import CLIPS, Fate, Plan, clip_shown, recognize
from tests.support.river import River

NOTE = ".mediawatch.json"
#: Folders whose files each have a note.
_NOTED = ("duplicate", "failed", "held")
_SIDECARS = (".txt", ".toml")


def problems(plan: Plan, river: River, simulator: Simulator, posts: Sequence[Post]) -> list[str]:
    """Every problem in a sentence; none if all is well: files in = posts out, none twice, every
    file in exactly one place, nothing lying about, and the journal knows it all."""
    return [
        *_published(plan, river, simulator),
        *_filed(plan, river),
        *_noted(river),
        *_lying_about(plan, river, posts),
        *_journalled(plan, river, simulator, posts),
    ]


def _published(plan: Plan, river: River, simulator: Simulator) -> Iterator[str]:
    words = _words_of(plan)
    found: Counter[tuple[str | None, ...]] = Counter()
    for media in simulator.state.publications:
        shown = tuple(_shown(part, plan, simulator) for part in _parts(media.container))
        found[shown] += 1
        if shown not in words:
            yield f"{shown} was published, and nobody wanted it: {media.container.caption!r}"
        elif media.container.caption not in (words[shown] or {media.container.caption}):
            yield f"{' and '.join(map(str, shown))} has the caption {media.container.caption!r}"
        if len(media.comments) > 1:
            yield f"{shown} has the comments {[comment.text for comment in media.comments]}"
    for wanted in words:
        if found[wanted] != 1:
            yield f"{' and '.join(map(str, wanted))} is published {found[wanted]} times"
    if calls := simulator.state.snapshot()["republish_calls"]:
        yield f"Meta was asked {calls} times for what was published already"


def _words_of(plan: Plan) -> dict[tuple[str | None, ...], set[str]]:
    """What is to be published, each with the captions that it may have; none: any.

    Of several copies of one file each has words of its own, and the first to be taken wins.
    """
    words: dict[tuple[str | None, ...], set[str]] = {}
    copies = Counter(file.shows for file in plan.files)
    for file in plan.files:
        if file.shows is not None:
            lone = copies[file.shows] == 1 and file.caption is not None
            words[(file.shows,)] = {file.caption} if lone and file.caption else set()
    for album in plan.albums:
        if album.fate is Fate.PUBLISHED:
            words[tuple(file.shows for file in album.files)] = {album.caption}
    return words


def _parts(container: Container) -> tuple[Container, ...]:
    return container.children or (container,)


def _shown(part: Container, plan: Plan, simulator: Simulator) -> str | None:
    if part.videos:
        return clip_shown(min(CLIPS, key=lambda seconds: abs(seconds - part.videos[0].seconds)))
    body = simulator.state.picture(part.pictures[0].sha256)
    assert body is not None
    return recognize(body, plan)


def _filed(plan: Plan, river: River) -> Iterator[str]:
    """Every file in exactly one place, and that the right one."""
    lying: dict[str, Counter[str]] = {}
    for folder in ("processed", "duplicate", "failed", "held", "inbox"):
        for path in _files_within(getattr(river, folder)):
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except FileNotFoundError:
                yield f"{path.name} was moved while it was looked at"  # it will be looked at again
                return
            lying.setdefault(digest, Counter())[folder] += 1
    members = [(file, album.fate) for album in plan.albums for file in album.files]
    every = [*((file, file.fate) for file in plan.files), *members]
    for digest, copies in Counter(file.sha256 for file, _ in every).items():
        file, fate = next((file, fate) for file, fate in every if file.sha256 == digest)
        expected = {
            Fate.PUBLISHED: Counter(processed=1, duplicate=copies - 1),
            Fate.FAILED: Counter(failed=copies),
            Fate.HELD: Counter(held=copies),
            Fate.IGNORED: Counter(inbox=copies),
        }[fate]
        found = lying.pop(digest, Counter())
        if fate is Fate.FAILED and found["failed"]:
            # A copy that comes while the first is under way is its duplicate; later, a new try.
            expected = Counter(failed=found["failed"], duplicate=copies - found["failed"])
        if found != +expected:
            yield f"{file.name} is not where it should be: {dict(+expected)}, but {dict(found)}"
    for caption, copies in Counter(album.caption for album in plan.albums).items():
        found = lying.pop(hashlib.sha256(caption.encode()).hexdigest(), Counter())
        if found.total() != copies or found["inbox"]:
            yield f"{copies} captions of a folder lie in {dict(found)}"
    for file in plan.files:
        if file.sidecar is not None:
            found = lying.pop(hashlib.sha256(file.sidecar[1].encode()).hexdigest(), Counter())
            if found.total() != 1 or found["inbox"]:
                yield f"what lay beside {file.name} lies in {dict(found)}"
    for where in lying.values():
        yield f"a file that nobody put there lies in {sorted(where)}"


def _noted(river: River) -> Iterator[str]:
    for name in _NOTED:
        folder = getattr(river, name)
        files = {path.name for path in _entries(folder)}
        notes = {path.name.removesuffix(NOTE) for path in _notes(folder)}
        for lacking in sorted(file for file in files - notes if not file.endswith(_SIDECARS)):
            yield f"{name}/{lacking} has no note"
        for orphan in sorted(notes - files):
            yield f"{name}/{orphan}{NOTE} is about nothing"


def _lying_about(plan: Plan, river: River, posts: Sequence[Post]) -> Iterator[str]:
    ignored = {file.name for file in plan.files if file.fate is Fate.IGNORED}
    for name in sorted(river.leftovers() - ignored):
        yield f"{name} is left lying about"
    for path in _files_within(river.processed):
        if path.name.startswith("."):
            yield f"{path} is left lying about"
    known = {item.remote_key for post in posts for item in post.items}
    for name in sorted(river.host.ftp.names() - known):
        yield f"{name} lies on the host, and nobody knows it"


def _journalled(
    plan: Plan, river: River, simulator: Simulator, posts: Sequence[Post]
) -> Iterator[str]:
    states = Counter(str(post.state) for post in posts)
    published = {file.sha256 for file in plan.files if file.fate is Fate.PUBLISHED}
    fates = {album.content: album.fate for album in plan.albums}.values()
    failing = {file.sha256 for file in plan.files if file.fate is Fate.FAILED}
    least = len(failing) + sum(fate is Fate.FAILED for fate in fates)
    expected = Counter(
        done=len(published) + sum(fate is Fate.PUBLISHED for fate in fates),
        failed=max(least, len(_notes(river.failed))),  # each try has its note
        held=sum(file.fate is Fate.HELD for file in plan.files),
    )
    if states != +expected:
        yield f"the journal has posts that are {dict(states)}, not {dict(+expected)}"
    bound = Counter(post.media_id for post in posts if post.state == "done")
    live = Counter(media.id for media in simulator.state.publications)
    if bound != live:
        yield f"the journal names the media {dict(bound - live)} and lacks {dict(live - bound)}"


def _entries(folder: Path) -> list[Path]:
    """What lies there, but for notes; folders too, but those of mediawatch itself."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.name != ".mediawatch" and not _is_note(path)]


def _files_within(folder: Path) -> list[Path]:
    """The files that lie there, and in the folders there."""
    found = []
    for path in _entries(folder):
        found += [path] if path.is_file() else [each for each in path.iterdir() if each.is_file()]
    return found


def _is_note(path: Path) -> bool:
    return path.name.endswith(NOTE)


def _notes(folder: Path) -> list[Path]:
    return list(folder.glob(f"*{NOTE}")) if folder.is_dir() else []

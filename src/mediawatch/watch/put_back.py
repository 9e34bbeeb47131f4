"""The items of a held post whose files were put back into the inbox. Everything here blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mediawatch.model.pairs import is_cover, tail_of
from mediawatch.model.posts import Item, Post
from mediawatch.watch.claiming import Claim
from mediawatch.watch.fingerprint import Companion, Fingerprint


def items_of(post: Post, claim: Claim) -> list[Item]:
    """The items as they are to be claimed: the file, what came back with it, and what stayed where
    it was filed. What its owner took away goes with it no more."""
    first, *others = post.items
    items = [replace(first, source=claim.candidate.path, moving_to=claim.target)]
    known = {tail_of(item.name).lower(): item for item in others}
    free = max(item.position for item in post.items) + 1
    for each in claim.fingerprint.companions:
        before = known.pop(tail_of(each.path.name).lower(), None)
        if before is None:
            before = Item(post.id, free, each.path.name, each.path, "", 0)
            free += 1
        items.append(_brought(before, each, claim))
    items += [item for item in known.values() if item.source.is_file()]
    return items


def has_another_cover(post: Post, fingerprint: Fingerprint) -> bool:
    """Whether a file came with a cover that its post does not know."""
    known = {item.sha256 for item in post.items[1:]}
    covers = (each for each in fingerprint.companions if is_cover(each.path.name))
    return any(each.sha256 not in known for each in covers)


def beside(post: Post) -> list[Path]:
    """What goes with the file of a held post, and still lies where it was filed."""
    return [item.source for item in post.items[1:] if item.source.is_file()]


def arrived(items: list[Item]) -> list[Item]:
    """The items after the renames, without what did not come along."""
    found = []
    for item in items:
        if item.moving_to is None:
            found.append(item)
        elif item.position == 0 or is_cover(item.name) or item.moving_to.is_file():
            found.append(replace(item, source=item.moving_to, moving_to=None))
    return found


def _brought(before: Item, companion: Companion, claim: Claim) -> Item:
    item = replace(
        before,
        name=companion.path.name.encode("utf-8", "replace").decode(),
        source=companion.path,
        moving_to=claim.target_of(companion),
        sha256=companion.sha256,
        size=companion.size,
    )
    if companion.sha256 == before.sha256:
        return item
    # Another cover: it is converted and uploaded anew, and the old one deleted then.
    return replace(item, prepared=None, public_url=None)

"""The items of a held post whose files were put back into the inbox. Everything here blocks."""

from __future__ import annotations

from dataclasses import replace

from mediawatch.model.pairs import is_cover, tail_of
from mediawatch.model.posts import Item, Post
from mediawatch.watch.claiming import Claim
from mediawatch.watch.fingerprint import Companion


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

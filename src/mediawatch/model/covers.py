"""Which picture a reel shows before it plays, where a file lies beside it or is named. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mediawatch.errors import Handling, Rejected
from mediawatch.model.kinds import PostKind
from mediawatch.model.names import split_name
from mediawatch.model.pairs import PICTURES, cover_for
from mediawatch.model.wishes import Wishes


def check(name: str, covers: Sequence[str], wishes: Wishes, kind: PostKind) -> None:
    """Raises Rejected, to be held, if the wish for a cover and the ``covers`` that lie beside the
    video ``name`` do not fit each other, or the kind of the post."""
    if len(covers) > 1:
        raise _refused(
            f"{name} has two covers: {covers[0]} and {covers[1]}.",
            "Take one of them away, and put all other files back.",
        )
    beside = covers[0] if covers else None
    if beside is not None and kind is not PostKind.REEL:
        raise _refused(
            f"{beside} is the cover of a reel, and {name} becomes a post of the kind {kind}.",
            "Take the cover away, or have it published as a reel, and put all files back.",
        )
    if wishes.cover is None:
        return
    named = wishes.cover.file
    if named is None:
        if beside is not None:
            raise _refused(
                f"{name} has two covers: {beside} lies beside it, and a moment of it is named.",
                "Choose one: take the file away, or the cover out of the sidecar, and put all "
                "files back.",
            )
        return
    if beside is not None and named.casefold() == beside.casefold():
        return
    suffix = split_name(named)[1].lower()
    wanted = cover_for(name, suffix if suffix in PICTURES else ".jpg")
    if named.casefold() == wanted.casefold():
        raise _refused(
            f"{named} is to be the cover of {name}, and does not lie beside it.",
            "Put all files back together.",
        )
    raise _refused(
        f"{named} is to be the cover of {name}, and only a name that says so is taken for one.",
        f"Call it {wanted}, so that it is never published by itself, and put all files back.",
    )


def _refused(message: str, remedy: str) -> Rejected:
    return Rejected(message, remedy=remedy, code="sidecar", handling=Handling.HOLD)

"""What a folder must be to become a carousel, and what is wished for it. Everything here blocks.

The refusals are sentences that name the file and what to do with it.
"""

from __future__ import annotations

from pathlib import Path

from mediawatch.clock import MACHINE_ZONE
from mediawatch.errors import Handling, Rejected
from mediawatch.media.probe import Family
from mediawatch.model import wish_rules
from mediawatch.model.dated_names import dated, moment_of
from mediawatch.model.kinds import PostKind
from mediawatch.model.names import split_name
from mediawatch.model.pairs import belongs_to_any, is_cover
from mediawatch.model.wishes import Wishes
from mediawatch.watch import folders, sidecar
from mediawatch.watch.filters import is_sidecar
from mediawatch.watch.fingerprint import Fingerprint

#: Items of a carousel (Meta: Content Publishing, 2207028).
FEWEST, MOST = 2, 10
#: What the caption of a carousel is called, inside its folder.
CAPTION = "caption"


def wishes_of(folder: Path, prints: dict[str, Fingerprint]) -> tuple[Wishes, Rejected | None]:
    """What its name and the caption inside wish for, and what is wrong with the folder."""
    wishes = Wishes()
    try:
        named = dated(folder.name, folder=True)
        if named is not None:
            at = moment_of(named, MACHINE_ZONE)
            wishes = wishes.merge(Wishes(publish_at=at.at, publish_note=at.note))
        found = folders.listed(str(folder))
        said = sidecar.read([folder / name for name, _ in found.files if _is_caption(name)])
        wishes = wishes.merge(said)
        if said.kind not in {None, PostKind.CAROUSEL}:
            raise _no_carousel(folder.name, said.kind)
        wish_rules.check(said, PostKind.CAROUSEL)
        _check_files(folder, found, prints, wishes)
    except Rejected as refusal:
        return wishes, refusal
    return wishes, None


def _is_caption(name: str) -> bool:
    """However it is written: phones begin with a capital, and some disks know no difference."""
    return is_sidecar(name) and split_name(name)[0].casefold() == CAPTION


def _check_files(
    folder: Path, found: folders.Listed, prints: dict[str, Fingerprint], wishes: Wishes
) -> None:
    if beside := sidecar.find(folder):
        raise _refused(
            f"{beside[0].name} lies beside the folder {folder.name}.",
            f"Put it into the folder as {CAPTION}{beside[0].suffix.lower()}, and that back.",
        )
    for name, each in prints.items():
        if is_cover(name) and belongs_to_any(name, prints):
            raise _refused(
                f"{name} in {folder.name} is the cover of a reel, and a carousel has none.",
                "Take it out, or give it another name, and put the folder back.",
            )
        if each.beside:
            raise _refused(
                f"{each.beside[0].name} in {folder.name} is about one file; a carousel has one "
                f"caption, {CAPTION}.txt or {CAPTION}.toml.",
                f"Take it out, or say in {CAPTION}.toml what is meant, and put the folder back.",
            )
        if each.refusal is not None:
            raise _refused(f"{name} in {folder.name}: {each.refusal[1]}", each.refusal[2])
    if alone := [name for name, _ in found.raws if not belongs_to_any(name, prints)]:
        raise _refused(
            f"{alone[0]} in {folder.name} is the RAW of a camera, and no picture of the same name "
            "lies beside it.",
            "Export a JPEG of it into the folder, or take it out, and put the folder back.",
        )
    strange = [name for name, each in prints.items() if each.family is Family.UNSUPPORTED]
    if texts := [name for name, _ in found.files if is_sidecar(name) and not _is_caption(name)]:
        raise _refused(
            f"{texts[0]} in {folder.name} is about none of its files, and its caption is called "
            f"{CAPTION}.txt or {CAPTION}.toml.",
            f"Call it {CAPTION}{split_name(texts[0])[1].lower()}, or take it out, and put the "
            "folder back.",
        )
    if found.others or strange:
        raise _refused(
            f"{(*strange, *found.others)[0]} in {folder.name} is no picture and no video.",
            "Take it out of the folder, and put the folder back.",
        )
    if not FEWEST <= len(prints) <= MOST:
        raise _refused(
            f"{folder.name} holds {len(prints)} pictures and videos; a carousel is made of "
            f"{FEWEST} to {MOST}.",
            "Put a single file into the inbox itself; divide what is too much into two folders.",
        )
    if astray := wishes.alt_texts_astray(prints):
        raise _refused(
            f"The caption of {folder.name} has an alt_text for {astray[0]}, which is not there.",
            "Correct the name, and put the folder back.",
        )


def _no_carousel(folder: str, kind: PostKind | None) -> Rejected:
    return _refused(
        f"{folder} is a folder, and becomes a carousel; its caption wishes for the kind {kind}.",
        'Take the line with "kind" out of its caption, or put its files into the inbox one by '
        "one, and put all back.",
    )


def _refused(message: str, remedy: str) -> Rejected:
    return Rejected(message, code="carousel", handling=Handling.HOLD, remedy=remedy)

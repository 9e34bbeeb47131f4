"""What happens in one round, all of it decided by the seed: files, enemies, and the world."""

from __future__ import annotations

import hashlib
import io
import random
import struct
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from PIL import Image

from tests.support.pictures import MP4, PDF, encoded, photo

GRID = 4  # a picture is so many fields across and down, each of a colour of its own


class Fate(StrEnum):
    """Where a file must be in the end."""

    PUBLISHED = "published"  # in processed, once; further copies of its bytes in duplicate
    FAILED = "failed"
    HELD = "held"
    IGNORED = "ignored"  # it stays in the inbox


class Gesture(StrEnum):
    """How a file comes into the inbox."""

    WHOLE = "whole"  # written in one go
    SLOWLY = "slowly"  # in three parts, with pauses
    ASIDE = "aside"  # under a temporary name, renamed at its end
    MOVED_IN = "moved in"  # made elsewhere
    RENAMED = "renamed"  # whole, and soon given another name
    TOUCHED = "touched"  # whole, and its time is changed soon


@dataclass(frozen=True)
class File:
    """A file that somebody puts into the inbox, ``at`` seconds after the start.

    ``picture``: its number, for what is to be published. ``caption``: the text beside it.
    """

    name: str
    content: bytes = field(repr=False)
    fate: Fate
    at: float
    gesture: Gesture = Gesture.WHOLE
    picture: int | None = None
    caption: str | None = None

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Plan:
    """One round. Times in seconds after its start; at ``peace`` all enmity ends.

    ``lives``: after so many passages of crash points each life of the daemon dies, None: not by
    that. ``kills``: when it is killed, wherever it is. ``cuts``: when the FTP server goes away,
    and for how long. ``rules``: what Meta plays. ``simulator``: its options.
    """

    seed: int
    files: tuple[File, ...]
    colours: tuple[tuple[tuple[int, int, int], ...], ...]
    lives: tuple[int | None, ...]
    kills: tuple[float, ...]
    stops: tuple[float, ...]
    cuts: tuple[tuple[float, float], ...]
    rules: tuple[dict[str, Any], ...]
    settings: dict[str, dict[str, Any]]
    simulator: dict[str, Any]
    upload_rate: int
    peace: float


#: Each with how likely it is in a round. None can make Meta do what nobody asked for.
_FAULTS: list[tuple[float, dict[str, Any]]] = [
    (0.5, {"on": "media_publish", "do": "drop-after"}),
    (0.4, {"on": "media_publish", "do": "drop-before"}),
    (0.3, {"on": "media_publish", "do": "html-500-after"}),
    (0.2, {"on": "media_publish", "do": "html-500"}),
    (0.3, {"on": "media_publish", "do": "error-after", "code": 2, "http": 500}),
    (0.2, {"on": "media_publish", "do": "error-after", "code": 24, "subcode": 2207008}),
    (0.2, {"on": "media_publish", "do": "error-after", "code": -1}),
    (0.2, {"on": "media_publish", "do": "error", "code": 9007, "subcode": 2207027}),
    (0.15, {"on": "media_publish", "do": "error-after", "code": 4, "subcode": 2207051, "times": 1}),
    (0.1, {"on": "media_publish", "do": "error", "code": 4, "subcode": 2207051, "times": 1}),
    (0.3, {"on": "media_publish", "do": "delay", "seconds": 1.0}),
    (0.4, {"on": "media_publish", "do": "delay-effect", "seconds": 0.7}),
    (0.3, {"on": "create", "do": "drop-after"}),
    (0.2, {"on": "create", "do": "error", "code": 2}),
    (0.2, {"on": "create", "do": "error", "code": 9004, "subcode": 2207052}),
    (0.2, {"on": "create", "do": "status", "status": "ERROR", "times": 2}),
    (0.2, {"on": "create", "do": "delay", "seconds": 0.4}),
    (0.3, {"on": "status", "do": "error", "code": 2}),
    (0.2, {"on": "status", "do": "error", "code": 100, "subcode": 33}),
    (0.2, {"on": "status", "do": "html-500"}),
    (0.1, {"on": "status", "do": "status", "status": "ERROR", "times": 1}),
    (0.1, {"on": "status", "do": "status", "status": "EXPIRED", "times": 1}),
    (0.2, {"on": "listing", "do": "error", "code": 2}),
    (0.2, {"on": "listing", "do": "drop-before"}),
    (0.2, {"on": "limit", "do": "error", "code": 2}),
    (0.3, {"on": "permalink", "do": "error", "code": 2}),
    (0.1, {"on": "any", "do": "delay", "seconds": 0.3}),
]


def plan(seed: int) -> Plan:
    """The round of this seed."""
    dice = random.Random(f"chaos {seed}")
    peace = dice.uniform(1.5, 3.5)
    files, colours = _files(dice, peace)
    rules = tuple(
        {"probability": round(dice.uniform(0.2, 0.9), 2), **fault}
        for likely, fault in _FAULTS
        if dice.random() < likely
    )
    return Plan(
        seed=seed,
        files=tuple(files),
        colours=tuple(colours),
        lives=tuple(_life(dice) for _ in range(12)),
        kills=tuple(sorted(dice.uniform(0.1, peace) for _ in range(dice.randint(0, 3)))),
        stops=tuple(dice.uniform(0.5, peace) for _ in range(dice.random() < 0.2)),
        cuts=tuple(
            (dice.uniform(0, peace), dice.uniform(0.0, 0.6)) for _ in range(dice.randint(0, 2))
        ),
        rules=rules,
        settings={
            "watch": {"workers": dice.choice([1, 2, 4])},
            "ftp": {
                "connections": dice.choice([1, 2, 4]),
                "rename": dice.choice(["auto", "auto", "off"]),
            },
            "publish": {"caption": dice.choice(["{stem}", "{stem}", "always the same"])},
        },
        simulator={
            "republish": dice.choice(["evil", "evil", "lenient", "strict"]),
            "processing_seconds": dice.choice([0.0, 0.0, 0.3]),
            "listing_lag": dice.choice([0.0, 0.0, 0.3]),
        },
        upload_rate=dice.choice([0, 0, 60_000]),
        peace=peace,
    )


def _life(dice: random.Random) -> int | None:
    return dice.randint(1, 90) if dice.random() < 0.5 else None


def _files(
    dice: random.Random, peace: float
) -> tuple[list[File], list[tuple[tuple[int, int, int], ...]]]:
    files: list[File] = []
    colours = []
    for number in range(dice.randint(5, 12)):
        at, gesture = dice.uniform(0, peace), dice.choice(list(Gesture))
        kind = dice.random()
        good = [file for file in files if file.picture is not None]
        if kind < 0.65 or not good:
            colours.append(_colours(dice))
            image = dice.choice(["JPEG", "JPEG", "PNG"])
            caption = f"Caption {number} of {dice.random()}" if dice.random() < 0.3 else None
            files.append(
                File(
                    f"{number}.{image.lower()}",
                    _picture(colours[-1], image),
                    Fate.PUBLISHED,
                    at,
                    # A caption goes by the name of its picture.
                    Gesture.ASIDE if caption and gesture is Gesture.RENAMED else gesture,
                    picture=len(colours) - 1,
                    caption=caption,
                )
            )
        elif kind < 0.8:
            first = dice.choice(good)
            files.append(
                File(f"copy{number}.jpg", first.content, Fate.PUBLISHED, at, gesture, first.picture)
            )
        elif kind < 0.87:
            whole = encoded(photo(400, 300, seed=dice.randrange(1 << 30)), "PNG")
            middle = len(whole) // 2
            damaged = whole[:middle] + bytes(64) + whole[middle + 64 :]
            files.append(File(f"damaged{number}.png", damaged, Fate.FAILED, at, gesture))
        elif kind < 0.94:
            clip = MP4 + struct.pack(">I", 8 + 32) + b"free" + dice.randbytes(32)
            files.append(File(f"clip{number}.mp4", clip, Fate.HELD, at, gesture))
        else:
            name = dice.choice([f"letter{number}.pdf", f".hidden{number}.jpg"])
            files.append(File(name, PDF + dice.randbytes(8), Fate.IGNORED, at, Gesture.WHOLE))
    return files, colours


def _colours(dice: random.Random) -> tuple[tuple[int, int, int], ...]:
    return tuple(
        (dice.randrange(256), dice.randrange(256), dice.randrange(256)) for _ in range(GRID * GRID)
    )


def _picture(colours: tuple[tuple[int, int, int], ...], image_format: str) -> bytes:
    small = Image.new("RGB", (GRID, GRID))
    small.putdata(colours)
    buffer = io.BytesIO()
    options = {"quality": 90} if image_format == "JPEG" else {"compress_level": 1}
    small.resize((400, 320), Image.Resampling.NEAREST).save(buffer, image_format, **options)
    return buffer.getvalue()


def recognize(published: bytes, plan: Plan) -> int | None:
    """Which picture of the plan this is, whatever was done to it on the way; None: none."""
    seen = Image.open(io.BytesIO(published)).convert("RGB").resize((GRID, GRID), Image.BOX)
    found = [seen.getpixel((x, y)) for y in range(GRID) for x in range(GRID)]

    def distance(colours: tuple[tuple[int, int, int], ...]) -> int:
        pairs = zip(found, colours, strict=True)
        return sum(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))

    distances = [distance(colours) for colours in plan.colours]
    nearest = min(range(len(distances)), key=distances.__getitem__)
    return nearest if distances[nearest] < 10 * 3 * GRID * GRID else None

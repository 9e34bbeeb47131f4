"""What happens in one round, all of it decided by the seed: files, enemies, and the world."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from PIL import Image

from tests.support.clips import clip
from tests.support.pictures import MP4, PDF, encoded, photo

GRID = 4  # a picture is so many fields across and down, each of a colour of its own
#: Seconds of the clips of a round, by which they are told apart. Instagram takes them as they are.
CLIPS = (3.0, 3.5, 4.0)


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
    IN_ITS_PLACE = "in its place"  # as soon as another file of the same name has left the inbox


@dataclass(frozen=True)
class File:
    """A file that somebody puts into the inbox, ``at`` seconds after the start.

    ``shows``: what it is recognized by once it is published. ``caption``: the text beside it;
    ``comment``: the first comment that is wished for beside it.
    """

    name: str
    content: bytes = field(repr=False)
    fate: Fate
    at: float
    gesture: Gesture = Gesture.WHOLE
    shows: str | None = None
    caption: str | None = None
    comment: str | None = None

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sidecar(self) -> tuple[str, str] | None:
        """Suffix and text of what lies beside it."""
        if self.caption is not None:
            return ".txt", self.caption
        if self.comment is not None:
            return ".toml", f"first_comment = {json.dumps(self.comment)}\n"
        return None


@dataclass(frozen=True)
class Album:
    """A folder that somebody puts into the inbox: one post, of its files in their order. Their own
    ``at`` is that of the folder."""

    name: str
    files: tuple[File, ...]
    at: float
    gesture: Gesture
    caption: str

    @property
    def fate(self) -> Fate:
        """One bad file publishes nothing."""
        return max((file.fate for file in self.files), key=list(Fate).index)

    @property
    def content(self) -> tuple[str, ...]:
        """What makes it the same post as another one."""
        return tuple(file.sha256 for file in self.files)


@dataclass(frozen=True)
class Plan:
    """One round. Times in seconds after its start; at ``peace`` all enmity ends.

    ``lives``: after so many passages of crash points each life of the daemon dies, None: not by
    that. ``kills``: when it is killed, wherever it is. ``cuts``: when the FTP server goes away,
    and for how long. ``rules``: what Meta plays. ``simulator``: its options.
    """

    seed: int
    files: tuple[File, ...]
    albums: tuple[Album, ...]
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
    (0.2, {"on": "create-child", "do": "error", "code": 2}),
    (0.2, {"on": "create-child", "do": "drop-after"}),
    (0.2, {"on": "comment", "do": "drop-after"}),
    (0.2, {"on": "comment", "do": "error", "code": 2}),
    (0.1, {"on": "any", "do": "delay", "seconds": 0.3}),
]


def plan(seed: int) -> Plan:
    """The round of this seed."""
    dice = random.Random(f"chaos {seed}")
    peace = dice.uniform(1.5, 3.5)
    drawing = _Drawing(dice, peace)
    files, albums = drawing.files(), drawing.albums()
    rules = tuple(
        {"probability": round(dice.uniform(0.2, 0.9), 2), **fault}
        for likely, fault in _FAULTS
        if dice.random() < likely
    )
    return Plan(
        seed=seed,
        files=tuple(files),
        albums=tuple(albums),
        colours=tuple(drawing.colours),
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


class _Drawing:
    """Draws what people put into the inbox."""

    def __init__(self, dice: random.Random, peace: float) -> None:
        self._dice, self._peace = dice, peace
        self.colours: list[tuple[tuple[int, int, int], ...]] = []

    def files(self) -> list[File]:
        """Single files of every kind, and some that come in the place of others."""
        dice, files = self._dice, list[File]()
        clips = dice.sample(CLIPS, len(CLIPS)) if dice.random() < 0.3 else []
        for number in range(dice.randint(5, 12)):
            files.append(self._file(number, [file for file in files if file.shows], clips))
        for file in list(files):
            # A caption goes by the name of its picture, and so does a wish.
            steady = file.gesture not in {Gesture.RENAMED, Gesture.SLOWLY}
            if (
                file.sidecar is None
                and steady
                and file.fate is not Fate.IGNORED
                and dice.random() < 0.15
            ):
                later = self._picture(file.at + dice.uniform(0, 0.3), Gesture.IN_ITS_PLACE)
                files.append(replace(later, name=file.name))
        return files

    def albums(self) -> list[Album]:
        """Folders of a few pictures; now and then one of them twice, or with a bad file."""
        dice, albums = self._dice, list[Album]()
        for number in range(dice.choice([0, 1, 1, 2])):
            at, gesture = self._moment(), dice.choice([Gesture.MOVED_IN, Gesture.SLOWLY])
            if albums and dice.random() < 0.4:
                albums.append(replace(albums[0], name=f"again{number}", at=at, gesture=gesture))
                continue
            files = [self._picture(at, gesture) for _ in range(dice.randint(2, 3))]
            if dice.random() < 0.15:
                files.append(self._damaged("damaged.png", at, gesture))
            members = tuple(
                replace(file, name=f"{place}.{file.name.split('.')[1]}")
                for place, file in enumerate(files)
            )
            caption = f"Album {number} of {dice.random()}"
            albums.append(Album(f"album{number}", members, at, gesture, caption))
        return albums

    def _moment(self) -> float:
        return self._dice.uniform(0, self._peace)

    def _file(self, number: int, good: list[File], clips: list[float]) -> File:
        dice, at = self._dice, self._moment()
        gesture = dice.choice([each for each in Gesture if each is not Gesture.IN_ITS_PLACE])
        kind = dice.random()
        if kind < 0.65 or not good:
            if clips and dice.random() < 0.3:
                seconds = clips.pop()
                whole, shows = clip(seconds, 180, 320), clip_shown(seconds)
                return File(f"{number}.mp4", whole, Fate.PUBLISHED, at, gesture, shows)
            file = replace(self._picture(at, gesture), caption=self._words("Caption", 0.3))
            if file.caption is None:
                file = replace(file, comment=self._words("Comment", 0.2))
            if gesture is Gesture.RENAMED and file.sidecar:
                return replace(file, gesture=Gesture.ASIDE)
            return file
        if kind < 0.8:
            first = dice.choice(good)
            name = f"copy{number}.{first.name.rsplit('.')[-1]}"
            return File(name, first.content, Fate.PUBLISHED, at, gesture, first.shows)
        if kind < 0.87:
            return self._damaged(f"damaged{number}.png", at, gesture)
        if kind < 0.94:
            broken = MP4 + struct.pack(">I", 8 + 32) + b"free" + dice.randbytes(32)
            return File(f"clip{number}.mp4", broken, Fate.HELD, at, gesture)
        name = dice.choice([f"letter{number}.pdf", f".hidden{number}.jpg"])
        return File(name, PDF + dice.randbytes(8), Fate.IGNORED, at, Gesture.WHOLE)

    def _words(self, what: str, likely: float) -> str | None:
        if self._dice.random() >= likely:
            return None
        return f"{what} {len(self.colours)} of {self._dice.random()}"

    def _picture(self, at: float, gesture: Gesture) -> File:
        """A picture like no other."""
        dice, number = self._dice, len(self.colours)
        self.colours.append(
            tuple(
                (dice.randrange(256), dice.randrange(256), dice.randrange(256))
                for _ in range(GRID * GRID)
            )
        )
        image = dice.choice(["JPEG", "JPEG", "PNG"])
        content = _picture(self.colours[-1], image)
        shows = picture_shown(number)
        return File(f"{number}.{image.lower()}", content, Fate.PUBLISHED, at, gesture, shows)

    def _damaged(self, name: str, at: float, gesture: Gesture) -> File:
        whole = encoded(photo(400, 300, seed=self._dice.randrange(1 << 30)), "PNG")
        middle = len(whole) // 2
        damaged = whole[:middle] + bytes(64) + whole[middle + 64 :]
        return File(name, damaged, Fate.FAILED, at, gesture)


def picture_shown(number: int) -> str:
    """What a picture is recognized as."""
    return f"picture {number}"


def clip_shown(seconds: float) -> str:
    """What a clip of that length is recognized as."""
    return f"clip of {seconds:.1f} s"


def _picture(colours: tuple[tuple[int, int, int], ...], image_format: str) -> bytes:
    small = Image.new("RGB", (GRID, GRID))
    small.putdata(colours)
    buffer = io.BytesIO()
    options = {"quality": 90} if image_format == "JPEG" else {"compress_level": 1}
    small.resize((400, 320), Image.Resampling.NEAREST).save(buffer, image_format, **options)
    return buffer.getvalue()


def recognize(published: bytes, plan: Plan) -> str | None:
    """Which picture of the plan this is, whatever was done to it on the way; None: none."""
    seen = Image.open(io.BytesIO(published)).convert("RGB").resize((GRID, GRID), Image.BOX)
    found = [seen.getpixel((x, y)) for y in range(GRID) for x in range(GRID)]

    def distance(colours: tuple[tuple[int, int, int], ...]) -> int:
        pairs = zip(found, colours, strict=True)
        return sum(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))

    distances = [distance(colours) for colours in plan.colours]
    nearest = min(range(len(distances)), key=distances.__getitem__)
    return picture_shown(nearest) if distances[nearest] < 10 * 3 * GRID * GRID else None

"""Names of files: their parts, and the order that people expect of them."""

from __future__ import annotations

import re
import unicodedata

#: Of the files beside a picture or a video that say what its owner wishes for it.
SIDECARS = (".txt", ".toml", ".json")

_DIGITS = re.compile(r"(\d+)")  # of any script: text and numbers take turns

_Parts = tuple[tuple[int, str], ...]


def split_name(name: str) -> tuple[str, str]:
    """Stem and suffix, the dot with the suffix; a name without a dot has an empty suffix."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem else (name, "")


def stem_of(name: str) -> str:
    """The stem, the same for both ways of writing an accent: a Mac writes a letter and its accent
    as two characters, most others as one (Unicode NFD and NFC)."""
    return composed(split_name(name)[0])


def composed(text: str) -> str:
    """Letters with their accents as one character each."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def natural_key(name: str) -> tuple[_Parts, _Parts, str]:
    """What to sort names by, as the files of a carousel follow one another: text without regard to
    case, digits by their value (``IMG_2`` before ``IMG_10``).

    The suffix counts last, so that ``a.jpg`` stands before ``a (2).jpg``. Names that differ in
    nothing but case or leading zeros are ordered by their characters: the order is always the same.
    """
    stem, suffix = split_name(name)
    return _parts(stem), _parts(suffix), name


def _parts(text: str) -> _Parts:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    pieces = _DIGITS.split(folded)
    return tuple(_number(piece) if at % 2 else (0, piece) for at, piece in enumerate(pieces))


def _number(digits: str) -> tuple[int, str]:
    # Not int(): it takes only so many digits, and a name may be anything.
    value = "".join(str(unicodedata.decimal(digit)) for digit in digits).lstrip("0")
    return len(value), value

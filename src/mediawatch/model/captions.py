"""Captions: made from a template, or given beside the file; checked before any call."""

from __future__ import annotations

import re
from datetime import datetime

from mediawatch.errors import Handling, Rejected

#: Meta: IG User Media. Characters are counted as UTF-16 units, the stricter of two readings.
MAX_CHARACTERS = 2200
MAX_HASHTAGS = 30
MAX_MENTIONS = 20

_SEPARATORS = re.compile(r"[_\-\s]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_HASHTAG = re.compile(r"(?<![\w&])#\w+")
_MENTION = re.compile(r"(?<![\w.@])@[A-Za-z0-9_.]+")


def title(stem: str) -> str:
    """A file's stem as people would write it: ``beach_day-2`` is ``beach day 2``."""
    return _SEPARATORS.sub(" ", stem).strip()


def render(template: str, name: str, when: datetime, hashtags: tuple[str, ...] = ()) -> str:
    """The caption of a file without one of its own, with the hashtags behind it."""
    name = _CONTROLS.sub(" ", name)  # a name may hold them, a text for people does not
    stem = name.rpartition(".")[0] or name
    text = template.format_map(
        {
            "stem": stem,
            "title": title(stem),
            "name": name,
            "date": when.date().isoformat(),
            "time": f"{when.hour:02}:{when.minute:02}",
        }
    ).strip()
    tags = " ".join("#" + tag.lstrip("#") for tag in hashtags if tag.strip("# "))
    return f"{text}\n\n{tags}".strip() if tags else text


def check(caption: str) -> None:
    """Raises Rejected (to be held: a person can shorten it) when Meta would refuse the text."""
    counted = (
        ("characters", len(caption.encode("utf-16-le")) // 2, MAX_CHARACTERS),
        ("hashtags", len(_HASHTAG.findall(caption)), MAX_HASHTAGS),
        ("mentions", len(_MENTION.findall(caption)), MAX_MENTIONS),
    )
    if control := next((c for c in caption if ord(c) < 32 and c not in "\n\r\t"), None):
        raise Rejected(
            f"The caption holds a control character (U+{ord(control):04X}): it is no plain text.",
            code="caption",
            handling=Handling.HOLD,
            remedy="Save the .txt file as UTF-8 text and put it back with its picture.",
        )
    for what, found, limit in counted:
        if found > limit:
            raise Rejected(
                f"The caption has {found} {what}; Instagram takes {limit}.",
                code="caption",
                handling=Handling.HOLD,
                remedy="Shorten it in the .txt file beside the picture and put both back.",
                found=found,
                limit=limit,
            )

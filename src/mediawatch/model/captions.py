"""The words of a post: made from a template, or given beside the file; checked before any call."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime

from mediawatch.errors import Handling, Rejected
from mediawatch.model.dated_names import dated
from mediawatch.model.names import split_name

#: Meta: IG User Media. Characters are counted as UTF-16 units, the stricter of two readings.
MAX_CHARACTERS = 2200
MAX_HASHTAGS = 30
MAX_MENTIONS = 20
#: Meta: IG User Media, since 2025-03-24.
MAX_ALT_TEXT = 1000

#: What a template may name.
FIELDS = ("title", "stem", "name", "folder", "n", "date", "time", "year", "month", "day")

_SEPARATORS = re.compile(r"[_\-\s]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_HASHTAG = re.compile(r"(?<![\w&])#\w+")
_MENTION = re.compile(r"(?<![\w.@])@[A-Za-z0-9_.]+")


def words_of(text: str) -> list[str]:
    """What two texts must have in common to be the same on Instagram: it keeps the words, but
    neither each space and line end nor each way of writing an é."""
    return unicodedata.normalize("NFC", text).split()


def title(stem: str) -> str:
    """A file's stem as people would write it: ``beach_day-2`` is ``beach day 2``."""
    return _SEPARATORS.sub(" ", stem).strip()


def render(
    template: str,
    name: str,
    when: datetime,
    hashtags: Iterable[str] = (),
    *,
    given_title: str | None = None,
    folder: bool = False,
    count: int = 1,
) -> str:
    """The caption of a post without one of its own, with the hashtags behind it.

    ``name``: of its file, or of the ``folder`` that a carousel is, which has no suffix, whatever
    dots it has; ``when``: its date and time on the owner's clock; ``given_title``: one that was
    wished for, instead of the name; ``count``: files of the post.
    A date and time that the name begins with (model/dated_names.py) are no part of its title.
    """
    if not name.isprintable():  # names may hold control characters
        name = _CONTROLS.sub(" ", name)
    stem = name if folder else split_name(name)[0]
    found = dated(name, folder=folder)
    written = title(stem if found is None else found.rest)
    text = template.format_map(
        {
            "stem": stem,
            "title": given_title or written,
            "name": name,
            "folder": written if folder else "",
            "n": str(count),
            "date": when.date().isoformat(),
            "time": f"{when.hour:02}:{when.minute:02}",
            "year": f"{when.year:04}",
            "month": f"{when.month:02}",
            "day": f"{when.day:02}",
        }
    ).strip()
    return with_hashtags(text, hashtags)


def with_hashtags(text: str, hashtags: Iterable[str]) -> str:
    """The text, and behind it those hashtags (with or without ``#``) that it does not hold yet."""
    if not hashtags:
        return text
    held = {tag.casefold() for tag in _HASHTAG.findall(text)}
    added = []
    for word in hashtags:
        tag = "#" + word.strip().lstrip("#")
        if tag.strip("# ") and tag.casefold() not in held:
            held.add(tag.casefold())
            added.append(tag)
    return f"{text}\n\n{' '.join(added)}".strip() if added else text


def check(caption: str) -> None:
    """Raises Rejected (to be held: a person can shorten it) when Meta would refuse the text.

    To be asked of the text as it is sent: with all that the template and the hashtags add to it.
    """
    for found in _wrong(caption):
        raise Rejected(
            f"The caption {found}",
            code="caption",
            handling=Handling.HOLD,
            remedy="Mend it in the file beside the picture, saved as UTF-8, and put both back. If "
            "there is none, mend [publish] caption or hashtags, restart mediawatch, and put the "
            "picture back.",
        )


def check_alt_text(text: str) -> None:
    """As ``check``, for what is read out to those who do not see the picture."""
    for found in (*_unsendable(text), *_too_long(text, MAX_ALT_TEXT)):
        raise Rejected(
            f"The alternative text {found}",
            code="alt-text",
            handling=Handling.HOLD,
            remedy="Shorten alt_text in the file beside the picture and put both back.",
        )


def check_first_comment(text: str) -> None:
    """As ``check``, for the first comment: the app's limits of a comment are those of a caption.

    The 300 characters and 4 hashtags that older pages tell of belong to the API of 2014, which is
    gone; whether Meta still counts so somewhere is not documented.
    """
    for found in _wrong(text):
        raise Rejected(
            f"The first comment {found}",
            code="first-comment",
            handling=Handling.HOLD,
            remedy="Shorten first_comment in the file beside the picture and put both back.",
        )


def _unsendable(text: str) -> Iterator[str]:
    """What no text may hold; each completes "The caption …"."""
    if control := next((c for c in text if ord(c) < 32 and c not in "\n\r\t"), None):
        yield f"holds a control character (U+{ord(control):04X}): it is no plain text."
    if any("\ud800" <= c <= "\udfff" for c in text):
        yield "holds half a character: it cannot be sent."


def _too_long(text: str, limit: int) -> Iterator[str]:
    if (found := units(text)) > limit:
        yield f"has {found} characters; Instagram takes {limit}."


def _too_many_words(text: str) -> Iterator[str]:
    for what, pattern, limit in (
        ("hashtags", _HASHTAG, MAX_HASHTAGS),
        ("mentions", _MENTION, MAX_MENTIONS),
    ):
        if (found := len(pattern.findall(text))) > limit:
            yield f"has {found} {what}; Instagram takes {limit}."


def _wrong(text: str) -> Iterator[str]:
    yield from _unsendable(text)
    yield from _too_long(text, MAX_CHARACTERS)
    yield from _too_many_words(text)


def units(text: str) -> int:
    """Characters as the stricter reading counts them: UTF-16 units, two for most emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

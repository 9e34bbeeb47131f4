"""The last look before a picture is published."""

from __future__ import annotations

import re

import pytest

from mediawatch.errors import Handling, PreparationProblem
from mediawatch.media.verify import require_publishable
from tests.support import metadata, pictures

GOOD = pictures.jpeg(1200, 900)


def test_what_is_right_passes() -> None:
    """A JPEG within the rules; with metadata only if these are wanted."""
    require_publishable(GOOD, (1200, 900), 1440, metadata=False)
    full = pictures.phone_jpeg(1200, 900)
    require_publishable(full, (1200, 900), 1440, metadata=True)


@pytest.mark.parametrize(
    ("told", "data", "size"),
    [
        ("cannot be read", b"\xff\xd8\xff\xe0", (1200, 900)),
        ("cannot be read", pictures.encoded(pictures.photo(1200, 900), "PNG"), (1200, 900)),
        ("MPO", pictures.mpo(), (1200, 900)),
        ("CMYK", pictures.encoded(pictures.photo().convert("CMYK"), "JPEG"), (1200, 900)),
        ("not 1200x901", GOOD, (1200, 901)),
        ("outside the rules", pictures.jpeg(1500, 1000), (1500, 1000)),
        ("outside the rules", pictures.jpeg(300, 300), (300, 300)),
        ("outside the rules", pictures.jpeg(1000, 400), (1000, 400)),
        ("breaks off", pictures.truncated(GOOD), (1200, 900)),
        ("metadata", pictures.jpeg(1200, 900, comment=b"x"), (1200, 900)),
        ("metadata", metadata.FITTING_WITH_EXIF, (600, 450)),
        ("metadata", GOOD + b"tail", (1200, 900)),
        ("8000000 bytes", GOOD.ljust(8_000_000, b"\0"), (1200, 900)),
    ],
)
def test_what_is_not_as_planned_is_never_published(
    told: str, data: bytes, size: tuple[int, int]
) -> None:
    """Whatever went wrong on the way, it is our mistake: tried again, and told."""
    with pytest.raises(PreparationProblem, match=re.escape(told)) as caught:
        require_publishable(data, size, 1440, metadata=False)
    assert caught.value.handling is Handling.RETRY

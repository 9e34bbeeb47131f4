"""Names that begin with a date and a time plan a post; names that cameras write do not."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mediawatch.errors import Handling, Rejected
from mediawatch.model.dated_names import dated, moment_of

PARIS = ZoneInfo("Europe/Paris")
SIX = (2026, 12, 24, 18, 0)

PLANNED = {
    "2026-12-24 18.00 tree.jpg": "tree",
    "2026-12-24 18-00 tree.jpg": "tree",
    "2026-12-24 18:00 tree.jpg": "tree",
    "2026-12-24 18_00 tree.jpg": "tree",
    "2026-12-24 18h00 tree.jpg": "tree",
    "2026-12-24 18H00.jpg": "",
    "2026-12-24 1800 tree.jpg": "tree",
    "2026-12-24_18-00_tree.jpg": "tree",
    "2026-12-24_18.00_the-tree.jpg": "the-tree",
    "2026-12-24-18-00-tree.jpg": "tree",
    "2026-12-24T1800 tree.jpg": "tree",
    "2026-12-24T18-00 tree.jpg": "tree",
    "2026-12-24t18:00.jpg": "",
    "2026-12-24 18.00.jpg": "",
    "2026-12-24 18.00": "",  # a folder: .00 is no suffix
    "2026-12-24 18.00 album": "album",
    "2026-12-24 18.00 tree (1).jpg": "tree (1)",
    "2026-12-24 18.00 3 trees.mp4": "3 trees",
    "2026-12-24 18.00 - tree.jpg": "tree",
    "2026-12-24 18.00_12.jpg": "12",  # not with the sign that stands before the minute
    "2026-12-24 18-00-123.jpg": "123",
    "2026-12-24 06.00 pm tree.jpg": "tree",
    "2026-12-24 06.00PM_tree.jpg": "tree",
    "2026.12.24 18.00 tree.jpg": "tree",
    "2026_12_24_18_00_tree.jpg": "tree",
    "20261224-1800 tree.jpg": "tree",
    "20261224-1800.jpg": "",
    "20261224 1800 tree.jpg": "tree",
    "20261224T1800 tree.jpg": "tree",
    "20261224 18.00 tree.jpg": "tree",
    "20261224_18-00 tree.jpg": "tree",
    "20261224_18.00_tree.heic": "tree",
}
NOT_PLANNED = [
    "IMG_20261224_180012.jpg",  # Android
    "IMG_20261224_1800.jpg",
    "PXL_20261224_180012345.jpg",  # Pixel
    "PXL_20261224_180012345.MP.jpg",
    "20261224_180012.jpg",  # Samsung
    "20261224_180012(0).jpg",
    "20261224_180012_001.jpg",
    "20261224_180012~2.jpg",
    "20261224180012.jpg",  # Sony and others: a run of digits
    "202612241800 tree.jpg",
    "20261224_1800.jpg",  # the 1,800th of the day
    "20261224_0012.jpg",
    "2026-12-24-0012.jpg",
    "2026-12-24_1800_tree.jpg",
    "VID_20261224_180012.mp4",
    "Screenshot 2026-12-24 at 18.00.12.png",  # macOS
    "Screenshot 2026-12-24 18.00.png",
    "Screenshot_20261224-180012_Chrome.jpg",
    "2026-12-24 18.00.12.jpg",  # Dropbox
    "2026-12-24 18.00.12-1.jpg",
    "2026-12-24 18-00-12.mkv",  # OBS
    "2026-12-24_18-00-12_000.jpeg",
    "2026-12-24T18:00:12.jpg",
    "2026-12-24T18_00_12Z.jpg",
    "2026-12-24T1800Z tree.jpg",  # a zone belongs into a sidecar
    "WhatsApp Image 2026-12-24 at 18.00.12.jpeg",
    "IMG-20261224-WA0001.jpg",
    "signal-2026-12-24-180012.jpg",
    "photo_2026-12-24_18-00-12.jpg",  # Telegram
    "26-12-24 18-00-12 1234.jpg",  # Nextcloud
    "DSC_0001.JPG",
    "2026-12-24 tree.jpg",  # a day has many hours
    "2026-12-24.jpg",
    "2026-12-24 18 tree.jpg",
    "2026-12-24-18.jpg",
    "1999-12-24 18.00 old scan.jpg",
    "24-12-2026 18.00 tree.jpg",
    "24.12.2026 18.00 tree.jpg",
    "tree 2026-12-24 18.00.jpg",
    " 2026-12-24 18.00 tree.jpg",
    "2026-12.24 18.00 tree.jpg",
    "2026-12-24 18.00tree.jpg",
    "2026-12-24 9999 balloons.jpg",
    "20269924 18.00 tree.jpg",
    "２０２６-12-24 18.00 tree.jpg",  # noqa: RUF001 - the digits of another script
    "",
    ".jpg",
]


@pytest.mark.parametrize(("name", "rest"), PLANNED.items())
def test_a_date_and_a_time_in_front_plan_the_post(name: str, rest: str) -> None:
    """Whatever stands between their digits; what follows is left as the name of the thing."""
    found = dated(name)

    assert found is not None
    assert (SIX, rest) == (found.written, found.rest)


@pytest.mark.parametrize("name", NOT_PLANNED)
def test_cameras_and_other_names_plan_nothing(name: str) -> None:
    """Seconds are a camera's; a prefix, a date alone, a number of the day plan nothing."""
    assert dated(name) is None


@pytest.mark.parametrize(
    ("written", "hour"), [("12.30 am", 0), ("12.30 pm", 12), ("01.30 PM", 13), ("18.30 pm", 18)]
)
def test_half_days_are_read(written: str, hour: int) -> None:
    """Noon is 12 pm, midnight 12 am."""
    found = dated(f"2026-12-24 {written}.jpg")

    assert found is not None
    assert (hour, 30) == found.written[3:]


@pytest.mark.parametrize(
    "name", ["2026-02-30 18.00 a.jpg", "2026-13-01 18.00.jpg", "2026-12-24 24.00 a.jpg"]
)
def test_what_is_not_in_the_calendar_is_held(name: str) -> None:
    """A slip of the hand is told; it does not publish at once."""
    found = dated(name)

    assert found is not None
    with pytest.raises(Rejected, match="not in the calendar") as caught:
        moment_of(found, PARIS)
    assert Handling.HOLD is caught.value.handling


def test_the_time_is_that_of_the_zone() -> None:
    """The clock on the owner's wall, in summer and in winter."""
    found = dated("2026-12-24 18.00 tree.jpg")

    assert found is not None
    assert datetime(2026, 12, 24, 18, tzinfo=PARIS) == moment_of(found, PARIS).at

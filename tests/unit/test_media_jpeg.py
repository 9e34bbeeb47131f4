"""The segments of a JPEG."""

from __future__ import annotations

import io

from PIL import Image

from mediawatch.media import jpeg
from tests.support import pictures


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def test_metadata_goes_and_pixels_stay() -> None:
    """Stripping is lossless: the decoded pixels are the same, and no private byte is left."""
    data = pictures.phone_jpeg(400, 300)
    clean = jpeg.strip(data)
    assert pixels(data) == pixels(clean)
    assert set(pictures.markers(clean)) == {0xE0, 0xDB, 0xC0, 0xC4}
    for secret in (pictures.COMMENT, b"secret", b"GPS", b"Exif", b"ICC_PROFILE"):
        assert secret in data or secret == b"GPS"
        assert secret not in clean


def test_a_clean_file_is_given_back_itself() -> None:
    """Nothing to strip means nothing copied."""
    data = pictures.jpeg(400, 300)
    assert jpeg.strip(data) is data


def test_what_trails_behind_goes() -> None:
    """The video of a motion photo, a zip file glued on: not part of the picture."""
    data = pictures.jpeg(400, 300)
    assert data == jpeg.strip(data + pictures.MP4)
    assert data + pictures.MP4 == jpeg.strip(data + pictures.MP4, keep_metadata=True)


def test_further_pictures_go_even_if_metadata_stays() -> None:
    """An MPO is refused by Instagram: the index of pictures and the second one go."""
    data = pictures.mpo()
    clean = jpeg.strip(data, keep_metadata=True)
    assert b"MPF\0" not in clean
    assert clean.count(b"\xff\xd9") == 1
    assert pixels(data) == pixels(clean)


def test_a_comment_between_scans_goes() -> None:
    """A progressive file may hide a comment behind its first scan."""
    data = pictures.jpeg(400, 300, progressive=True)
    at = data.rindex(b"\xff\xda")
    note = b"\xff\xfe" + (2 + len(pictures.COMMENT)).to_bytes(2, "big") + pictures.COMMENT
    assert data == jpeg.strip(data[:at] + note + data[at:])


def test_colour_coding_of_adobe_stays() -> None:
    """Without its Adobe segment a file would be decoded with other colours."""
    data = pictures.encoded(pictures.photo(64, 64).convert("CMYK"), "JPEG", comment=b"x")
    clean = jpeg.strip(data)
    assert pixels(data) == pixels(clean)
    assert 0xEE in pictures.markers(clean)


def test_scans_are_counted_up_to_the_end_only() -> None:
    """A bomb is seen; scan markers by chance in a trailing video are not."""
    assert jpeg.exceeds_scans(pictures.scan_bomb(64, 64, scans=101), 100)
    assert not jpeg.exceeds_scans(pictures.scan_bomb(64, 64, scans=90), 100)
    assert not jpeg.exceeds_scans(pictures.jpeg(64, 64) + b"\xff\xda\0\2" * 500, 100)


def test_rare_codings_are_not_plain() -> None:
    """Arithmetic coding is valid, but hardly any reader knows it."""
    plain = pictures.jpeg(64, 64)
    assert jpeg.is_plain(plain)
    assert jpeg.is_plain(pictures.jpeg(64, 64, progressive=True))
    assert not jpeg.is_plain(plain.replace(b"\xff\xc0", b"\xff\xc9", 1))


def test_broken_lengths_end_the_walk() -> None:
    """A segment that says it is longer than the file, or shorter than its length field."""
    assert list(jpeg.segments(b"\xff\xd8\xff\xe1\xff\xff")) == []
    assert list(jpeg.segments(b"\xff\xd8\xff\xe1\0\1\xff\xd9")) == []
    assert not jpeg.has_end(b"\xff\xd8")


def test_the_end_is_where_the_walk_finds_it() -> None:
    """However much of a file is there, its end is found if the walk over its segments ends there:
    neither inside a thumbnail, nor before a scan that is cut off."""
    trailed = pictures.phone_jpeg(64, 64) + b"\xff\xff\x01\xff\xd8 and a video"
    for cut in range(2, len(trailed)):
        data = trailed[:cut]
        walked = any(segment.marker == 0xD9 for segment in jpeg.segments(data))
        assert walked == jpeg.has_end(data)
    assert jpeg.has_end(trailed)

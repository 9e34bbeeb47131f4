"""What a file is, and whether it has its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mediawatch.errors import Rejected
from mediawatch.media.probe import Family, looks_whole, sniff, sniff_file
from tests.support import pictures

JPEG = pictures.jpeg(400, 300)
MOTION_PHOTO = JPEG + pictures.MP4 + b"\xff\xda" * 9


@pytest.mark.parametrize(
    ("image_format", "data"),
    [
        ("JPEG", JPEG),
        ("JPEG", pictures.mpo()),
        ("PNG", pictures.see_through_png(80, 60)),
        ("GIF", pictures.animation("GIF", 2)),
        ("WEBP", pictures.animation("WEBP", 2)),
        ("TIFF", pictures.encoded(pictures.deep_grey(), "TIFF")),
        ("BMP", pictures.encoded(pictures.photo(80, 60), "BMP")),
        ("AVIF", pictures.encoded(pictures.photo(80, 60), "AVIF", speed=10)),
        ("HEIF", pictures.heic(64, 48)),
    ],
)
def test_pictures_are_told_by_content(image_format: str, data: bytes) -> None:
    """Each picture format is known by its first bytes, under Pillow's name."""
    found = sniff(data[:4096])
    assert (Family.IMAGE, image_format) == (found.family, found.format)


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("MP4 video", pictures.MP4),
        ("QuickTime video", b"\0\0\0\x14ftypqt  \0\0\0\0qt  "),
        ("QuickTime video", b"\0\0\0\x08wide\0\0\0\0mdat"),
        ("Matroska or WebM video", b"\x1aE\xdf\xa3\x9f"),
        ("AVI video", b"RIFF\0\0\0\0AVI LIST"),
        ("MPEG transport stream", (b"G" + b"\0" * 187) * 3),
    ],
)
def test_videos_are_told_by_content(label: str, data: bytes) -> None:
    """A video is a video, whatever its name."""
    found = sniff(data)
    assert (Family.VIDEO, "", label) == (found.family, found.format, found.label)


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("empty file", b""),
        ("web page (HTML)", pictures.HTML),
        ("web page (HTML)", b"\xef\xbb\xbf\r\n  <HTML lang=en>"),
        ("SVG drawing", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("XML document", b"<?xml version='1.0'?><Error/>"),
        ("PDF document", pictures.PDF),
        ("PostScript or EPS drawing", pictures.EPS),
        ("ZIP archive or office document", b"PK\3\4"),
        ("playlist", b"#EXTM3U\n"),
        ("playlist", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        ("MPEG-4 audio", b"\0\0\0\x10ftypM4A \0\0\0\0"),
        ("text file", b"BMW is a car, no bitmap"),
        ("unknown kind of file", b"\xff"),
        ("unknown kind of file", bytes(4096)),
    ],
)
def test_what_cannot_be_published_has_a_name(label: str, data: bytes) -> None:
    """People read what the file really is; two letters do not make a text a bitmap."""
    found = sniff(data)
    assert (Family.UNSUPPORTED, "", label) == (found.family, found.format, found.label)


def test_the_name_is_not_asked(tmp_path: Path) -> None:
    """A saved error page called photo.jpg is a web page."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(pictures.HTML)
    assert sniff_file(file).label == "web page (HTML)"


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    """The watcher must be able to tell that a file has gone."""
    with pytest.raises(FileNotFoundError):
        sniff_file(tmp_path / "gone.jpg")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder called photo.jpg is refused by name of what it is."""
    (tmp_path / "photo.jpg").mkdir()
    with pytest.raises(Rejected, match="folder") as caught:
        sniff_file(tmp_path / "photo.jpg")
    assert caught.value.code == "not-a-file"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
@pytest.mark.timeout(10)
def test_pipes_and_links_are_not_opened(tmp_path: Path) -> None:
    """A named pipe without a writer would block for ever; a link may point anywhere."""
    if sys.platform == "win32":
        return
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to("/etc/passwd")
    (tmp_path / "dangling.jpg").symlink_to("/nowhere")
    for name in ("pipe.jpg", "link.jpg", "dangling.jpg"):
        with pytest.raises(Rejected) as caught:
            sniff_file(tmp_path / name)
        assert caught.value.code == "not-a-file"


WHOLE = {
    "jpeg": JPEG,
    "motion photo": MOTION_PHOTO,
    "phone": pictures.phone_jpeg(400, 300),
    "progressive": pictures.jpeg(400, 300, progressive=True),
    "mpo": pictures.mpo(),
    "png": pictures.see_through_png(80, 60),
    "png with a tail": pictures.see_through_png(80, 60) + b"tail",
    "gif": pictures.animation("GIF", 2),
    "webp": pictures.animation("WEBP", 2),
    "bmp": pictures.encoded(pictures.photo(80, 60), "BMP"),
    "avif": pictures.encoded(pictures.photo(80, 60), "AVIF", speed=10),
    "heic": pictures.heic(64, 48),
    "tiff": pictures.encoded(pictures.deep_grey(), "TIFF"),
    "packed tiff": pictures.encoded(pictures.photo(300, 200), "TIFF", compression="tiff_lzw"),
    "mp4": pictures.MP4,
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_looks_whole(tmp_path: Path, name: str) -> None:
    """No file that has its end is kept waiting, whatever trails behind it."""
    file = tmp_path / "x"
    file.write_bytes(WHOLE[name])
    assert looks_whole(file, sniff(WHOLE[name])) is True


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    "name",
    [
        "jpeg",
        "phone",
        "progressive",
        "png",
        "gif",
        "webp",
        "bmp",
        "avif",
        "heic",
        "tiff",
        "packed tiff",
    ],
)
def test_a_part_of_a_file_does_not_look_whole(tmp_path: Path, name: str, share: float) -> None:
    """A file that is still being copied is seen as such."""
    file = tmp_path / "x"
    file.write_bytes(pictures.truncated(WHOLE[name], share))
    assert looks_whole(file, sniff(WHOLE[name])) is False


@pytest.mark.parametrize("name", ["jpeg", "phone", "progressive", "png", "gif"])
def test_zeros_are_no_end(tmp_path: Path, name: str) -> None:
    """A downloader may reserve the whole length first and fill it later."""
    file = tmp_path / "x"
    file.write_bytes(pictures.truncated(WHOLE[name]) + bytes(3 << 20))
    assert looks_whole(file, sniff(WHOLE[name])) is False


@pytest.mark.parametrize(
    "data",
    [pictures.PDF, b"II+\0" + bytes(99), b"\x1aE\xdf\xa3\x9f" * 9],
)
def test_where_no_end_is_known_none_is_claimed(tmp_path: Path, data: bytes) -> None:
    """BigTIFF, Matroska and what we do not publish give None: time alone decides."""
    file = tmp_path / "x"
    file.write_bytes(data)
    assert looks_whole(file, sniff(data)) is None

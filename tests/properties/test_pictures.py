"""Files that claim to be pictures, and what the worker says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from mediawatch.errors import MediawatchError
from mediawatch.media import webp, wire
from mediawatch.media.image import prepare_image
from mediawatch.media.order import ImageOptions, Prepared
from mediawatch.media.probe import Family, looks_whole, sniff, sniff_file
from tests.support import pictures
from tests.support.fuzzing import JSON, awry, examples, mangled

#: Small, so that no header that lies may cost much.
OPTIONS = ImageOptions(max_pixels=1_000_000, max_bytes=1 << 20)
PICTURE = pictures.photo(64, 48)
SEEDS = [
    pictures.jpeg(64, 48),
    pictures.jpeg(64, 48, progressive=True),
    *(pictures.encoded(PICTURE, form) for form in ("PNG", "GIF", "WEBP", "BMP", "TIFF", "MPO")),
    pictures.animation("GIF", 2, (32, 24)),
    pictures.MP4,
    pictures.heic(64, 48),
    pictures.HTML,
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@examples(3)
@given(data=st.data())
def test_any_head_is_told_to_be_something(place: Path, data: st.DataObject) -> None:
    """Every file is of some kind with a name for people; whether its end is there is told, or
    that it cannot be told; nothing is raised."""
    content = mangled(data.draw(st.sampled_from(SEEDS)), data.draw)
    file = place / "a.bin"
    file.write_bytes(content)
    sniffed = sniff_file(file)
    assert sniffed == sniff(content[:4096])
    assert sniffed.label
    whole = looks_whole(file, sniffed)
    assert whole in {True, False, None}
    assert whole is None or sniffed.family is not Family.UNSUPPORTED


@examples(1)
@given(data=st.data(), keep=st.booleans())
def test_any_file_becomes_a_picture_or_a_refusal(
    place: Path, data: st.DataObject, keep: bool
) -> None:
    """A decoder may break in any way it likes: what comes out is a JPEG that Instagram takes, or
    an error of ours with a sentence; never half a file."""
    source, target = place / "source.bin", place / "target.jpg"
    source.write_bytes(mangled(data.draw(st.sampled_from(SEEDS)), data.draw))
    target.unlink(missing_ok=True)
    before = Image.MAX_IMAGE_PIXELS
    options = ImageOptions(max_pixels=1_000_000, max_bytes=1 << 20, keep_metadata=keep)
    try:
        prepared = prepare_image(source, target, options)
    except MediawatchError as refused:
        told = refused.message
        assert told
        assert not target.exists()
        json.loads(wire.failure(refused))
    else:
        assert (prepared.width, prepared.height) == pictures.require_publishable(
            target.read_bytes()
        )
        assert prepared == wire.result(json.loads(wire.success(prepared)))
    finally:
        Image.MAX_IMAGE_PIXELS = before
    assert not place.joinpath("target.jpg.part").exists()


#: What two JPEGs that look the same need not have in common.
UNEQUAL: Any = {"sha256": "", "size": 0}
WEBP = pictures.encoded(pictures.photo(401, 301), "WEBP", quality=50)


@examples(1)
@given(data=st.data())
def test_a_broken_webp_is_judged_alike_on_both_ways(place: Path, data: st.DataObject) -> None:
    """The decoder that mediawatch calls itself accepts what Pillow's does, and nothing else."""
    source, target = place / "source.webp", place / "target.jpg"
    source.write_bytes(mangled(WEBP, data.draw))

    def verdict() -> str | Prepared:
        try:
            return replace(prepare_image(source, target, ImageOptions(max_width=320)), **UNEQUAL)
        except MediawatchError as refused:
            return refused.code

    before = Image.MAX_IMAGE_PIXELS
    try:
        quick = verdict()
        with pytest.MonkeyPatch.context() as without:
            without.setattr(webp, "_library", lambda: None)
            assert verdict() == quick
    finally:
        Image.MAX_IMAGE_PIXELS = before


DONE = {
    "prepared": {
        "sha256": "00" * 32,
        "size": 10,
        "width": 4,
        "height": 3,
        "media_type": "image/jpeg",
        "changes": ["a"],
    }
}
FAILED = {
    "error": {
        "kind": "Rejected",
        "code": "corrupt",
        "message": "It is broken.",
        "remedy": "Save it anew.",
        "details": {"limit": 1},
        "handling": "fail",
    }
}


@examples(3)
@example(answer=[])
@example(answer={"prepared": None})
@example(answer={"error": {**FAILED["error"], "details": {"message": 1}}})
@example(answer={"error": {**FAILED["error"], "kind": "SystemExit"}})
@given(
    answer=st.one_of(
        JSON,
        st.composite(lambda draw: awry(draw(st.sampled_from([DONE, FAILED])), draw))(),
    )
)
def test_any_answer_of_a_worker_is_a_result_or_an_error_of_ours(answer: Any) -> None:
    """A worker that was taken over by a picture, or lost its senses, breaks nothing here."""
    try:
        prepared = wire.result(answer)
    except MediawatchError as error:
        told = error.message
        assert isinstance(told, str)
    else:
        assert isinstance(prepared, Prepared)
        assert isinstance(prepared.size, int)
        assert isinstance(prepared.sha256, str)
        assert all(isinstance(change, str) for change in prepared.changes)


@given(name=st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name))
def test_any_path_goes_through_the_pipe(name: bytes) -> None:
    """Names are bytes; on the way they are one line of ASCII."""
    path = wire.path_from_text(name.decode("latin-1"))
    order = wire.request(path, path, OPTIONS)
    assert 1 == order.count(b"\n")
    assert path == wire.path_from_text(json.loads(order)["source"])

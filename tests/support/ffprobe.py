"""The judge of every video that we make: ffprobe of the system, a stranger to our own code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

_ENTRIES = (
    "stream=codec_type,codec_name,profile,pix_fmt,width,height,field_order,sample_aspect_ratio,"
    "avg_frame_rate,r_frame_rate,color_transfer,start_time,duration,channels,sample_rate,"
    "nb_read_frames,bit_rate:stream_side_data:stream_tags:format_tags:format=format_name,bit_rate"
)
#: What the container itself writes; anything else could be personal.
_HARMLESS_TAGS = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "language",
    "handler_name",
    "vendor_id",
}


def require_ffprobe() -> None:
    """Skip the test where the program is missing, unless all tests are required."""
    if shutil.which("ffprobe") is None:
        reason = "ffprobe is not there: install ffmpeg"
        if os.environ.get("MEDIAWATCH_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def look(path: Path) -> dict[str, Any]:
    """What ffprobe tells of a file after decoding all of it, errors of the decoder included."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", _ENTRIES, "-of", "json", path],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    found["errors"] = done.stderr
    return found


def keyframes(path: Path) -> list[float]:
    """When the key frames are shown, in seconds."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-skip_frame", "nokey", "-select_streams", "v",
         "-show_entries", "frame=pts_time", "-of", "csv=p=0", path],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [float(line.strip(",")) for line in done.stdout.split()]


def faults(path: Path, *, min_seconds: float = 3, max_seconds: float = 900) -> list[str]:
    """Every rule of Meta's that the file breaks; none if it can be published."""
    found = look(path)
    streams = {stream["codec_type"]: stream for stream in found["streams"]}
    if sorted(stream["codec_type"] for stream in found["streams"]) != ["audio", "video"]:
        return [f"streams are {list(streams)}"]
    picture, sound = streams["video"], streams["audio"]
    rate = Fraction(picture["avg_frame_rate"])
    lasts = float(picture["duration"])
    data = path.read_bytes()
    tags = set(found["format"].get("tags", {}))
    for stream in streams.values():
        tags |= set(stream.get("tags", {}))
    rules = {
        "decodes without error": not found["errors"],
        "is an MP4": "mp4" in found["format"]["format_name"],
        "index first": 0 < data.find(b"moov") < data.find(b"mdat"),
        "no edit list": b"elst" not in data[: data.find(b"mdat")],
        "nothing personal": tags <= _HARMLESS_TAGS,
        "H.264": picture["codec_name"] == "h264",
        "a profile that players know": picture["profile"]
        in {"Constrained Baseline", "Baseline", "Main", "High"},
        "4:2:0 in 8 bits": picture["pix_fmt"] in {"yuv420p", "yuvj420p"},
        "progressive": picture.get("field_order") == "progressive",
        "even": picture["width"] % 2 == picture["height"] % 2 == 0,
        "at most 1920 wide": picture["width"] <= 1920,
        "square pixels": picture.get("sample_aspect_ratio", "1:1") in {"1:1", "0:1"},
        "upright": not picture.get("side_data_list"),
        "SDR": picture.get("color_transfer") not in {"smpte2084", "arib-std-b67"},
        "23 to 60 fps": 23 <= rate <= 60,
        "constant frame rate": abs(rate - Fraction(picture["r_frame_rate"])) < Fraction(1, 100),
        "every frame is there": abs(int(picture["nb_read_frames"]) - lasts * rate) < 1.5,
        "starts at once": abs(float(picture["start_time"])) < 0.05,
        "sound starts at once": abs(float(sound["start_time"])) < 0.05,
        "sound as long as the picture": abs(float(sound["duration"]) - lasts) < 0.1,
        "AAC": (sound["codec_name"], sound["profile"]) == ("aac", "LC"),
        "at most 48 kHz": int(sound["sample_rate"]) <= 48_000,
        "mono or stereo": sound["channels"] in {1, 2},
        "long enough": lasts >= min_seconds - 0.05,
        "short enough": lasts <= max_seconds,
        "at most 25 Mbit/s": int(found["format"]["bit_rate"]) <= 25_000_000,
    }
    return [rule for rule, kept in rules.items() if not kept]

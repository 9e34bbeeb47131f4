"""What is told, and what never is."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from mediawatch.config import LogSettings
from mediawatch.errors import StorageProblem
from mediawatch.log import ACTIONS, open_log, size


def told(**settings: str) -> tuple[io.StringIO, LogSettings]:
    return io.StringIO(), LogSettings(**settings)  # type: ignore[arg-type]


def test_a_line_for_people() -> None:
    """An icon, the time, the stage, a sentence, the post, and the remedy below."""
    stream, settings = told(format="console")
    log = open_log(settings, (), stream)

    log.info("image1.jpg is on ftp.example.org.", action="upload", post="abc", remedy="Look.")

    line = stream.getvalue()
    assert line.startswith("✅ [")
    assert "] [UPLOAD] image1.jpg is on ftp.example.org. (abc)\n   → Look.\n" in line


def test_a_line_for_machines_has_the_same_fields() -> None:
    """As a service every line is one JSON object."""
    stream, settings = told()
    open_log(settings, (), stream).bind(post="abc").warning("Hm.", action="wait", seconds=3)

    line = json.loads(stream.getvalue())

    assert ("Hm.", "wait", "abc", 3, "warning") == tuple(
        line[key] for key in ("event", "action", "post", "seconds", "level")
    )


def test_no_secret_is_ever_told() -> None:
    """A known secret is masked wherever it stands, in an exception's text too."""
    stream, settings = told()
    log = open_log(settings, ("hush-hush",), stream)

    log.error(
        "hush-hush!",
        action="fail",
        url="http://x/?t=hush-hush",
        nested={"a": ["hush-hush"]},
        exc_info=ValueError("hush-hush"),
    )

    assert "hush-hush" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_the_vocabulary_is_fixed() -> None:
    """An action that is not in the vocabulary is a mistake of ours, found at once."""
    stream, settings = told()

    with pytest.raises(ValueError, match="unknown action"):
        open_log(settings, (), stream).info("x", action="frobnicate")


def test_libraries_speak_through_the_same_log() -> None:
    """A warning of a library is a line of ours."""
    stream, settings = told()
    open_log(settings, ("hush-hush",), stream)

    logging.getLogger("some.library").warning("it is %s", "hush-hush")

    line = json.loads(stream.getvalue())
    assert ("library", "some.library") == (line["action"], line["library"])
    assert "hush-hush" not in line["event"]


def test_a_name_that_the_terminal_cannot_say() -> None:
    """A strange name is escaped; it never ends the daemon."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    open_log(LogSettings(format="console"), (), stream).info("bad\udcff é", action="claim")
    stream.seek(0)

    assert "bad\\udcff \\xe9" in stream.read()


def test_every_action_has_an_icon_and_a_tag() -> None:
    """The vocabulary is complete."""
    assert all(icon and tag.isupper() for icon, tag in ACTIONS.values())


@pytest.mark.parametrize(
    ("count", "shown"), [(999, "999 B"), (211_900, "212 kB"), (3_400_000, "3.4 MB")]
)
def test_sizes(count: int, shown: str) -> None:
    """Sizes are told as people read them."""
    assert shown == size(count)


class FullDisk(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    """The work goes on without being told."""
    open_log(LogSettings(), (), FullDisk()).info("x", action="claim")


def test_a_log_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """It is a sentence with a remedy, not a traceback."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageProblem, match="open the log file"):
        open_log(LogSettings(file=tmp_path / "file" / "mediawatch.log"))


def test_a_name_cannot_drive_the_terminal() -> None:
    """What would move the cursor or set the title is shown, not done."""
    stream, settings = told(format="console")

    open_log(settings, (), stream).info("a\x1b]0;x\x07\n\u202e.jpg ☀️ é", action="claim")

    assert "a\\x1b]0;x\\x07\\n\\u202e.jpg ☀" in stream.getvalue()
    assert 1 == stream.getvalue().count("\n")

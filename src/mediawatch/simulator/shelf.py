"""The bytes behind what was taken: pictures in memory, videos as files, both bounded."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path


class Shelf:
    """Holds at most ``keep_bytes`` of pictures, and as much of videos; the oldest make room.

    Videos lie in a folder of their own, which is made when the first arrives and goes with
    ``clear``.
    """

    def __init__(self, keep_bytes: int) -> None:
        self._limit = keep_bytes
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._videos: OrderedDict[str, int] = OrderedDict()
        self._kept = {"pictures": 0, "videos": 0}
        self._folder: Path | None = None

    def keep_picture(self, body: bytes) -> str:
        """Hold a picture and give its sha256."""
        digest = hashlib.sha256(body).hexdigest()
        if digest not in self._pictures:
            self._pictures[digest] = body
            self._kept["pictures"] += len(body)
        while self._kept["pictures"] > self._limit:
            self._kept["pictures"] -= len(self._pictures.popitem(last=False)[1])
        return digest

    def picture(self, sha256: str) -> bytes | None:
        """The bytes of a picture, unless they had to make room."""
        return self._pictures.get(sha256)

    def place(self, container_id: str) -> Path:
        """Where a container's video is written while it arrives."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="graph-simulator-"))
        return self._folder / f"{container_id}.part"

    def keep_video(self, path: Path, sha256: str) -> None:
        """Hold the video that lies there; the file is taken away."""
        if sha256 in self._videos:
            path.unlink()
        else:
            self._videos[sha256] = path.stat().st_size
            self._kept["videos"] += self._videos[sha256]
            path.replace(path.with_name(sha256))
        while self._kept["videos"] > self._limit:
            digest, size = self._videos.popitem(last=False)
            self._kept["videos"] -= size
            with suppress(OSError):  # Windows: somebody watches it; the folder goes at the end
                path.with_name(digest).unlink()

    def video(self, sha256: str) -> Path | None:
        """The file of a video, unless it had to make room."""
        if self._folder is None or sha256 not in self._videos:
            return None
        return self._folder / sha256

    def clear(self) -> None:
        """Remove the videos' folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._videos.clear()
        self._kept["videos"] = 0
        self._folder = None

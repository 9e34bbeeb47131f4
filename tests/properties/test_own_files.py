"""Files of our own that somebody, or a crash, has written into."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediawatch.hosts.ftp_tls import TlsMemory
from mediawatch.journal.ownership import Owner, Ownership, running
from mediawatch.journal.witness import Witness
from mediawatch.pipeline.filing import write_note
from tests.support.fuzzing import JSON, awry, examples, mangled
from tests.support.scripted_ftp import ScriptedFtp

CARD = {"pid": 4711, "since": 1.8e9, "folder": "/in", "url": "http://127.0.0.1:8001"}
DEEP = b"[" * 100_000


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that a daemon owns."""
    root = tmp_path_factory.mktemp("owned")
    (root / "in").mkdir()
    with Ownership(root / "data", root / "in", now=0.0):
        yield root / "data"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def _documents(document: object) -> st.SearchStrategy[bytes]:
    """Bytes near to this document: one value awry, or some bytes lost."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        near = awry(document, draw) if draw(st.booleans()) else document
        return mangled(json.dumps(near).encode(), draw)

    return st.one_of(made(), st.binary(max_size=80), JSON.map(json.dumps).map(str.encode))


@example(content=DEEP)
@example(content=b'{"pid": "x", "since": [], "folder": {}, "url": 5}')
@given(content=_documents(CARD))
def test_the_card_of_the_running_daemon(owned: Path, content: bytes) -> None:
    """Whatever it holds: an owner with all that belongs to one, or nobody."""
    (owned / "daemon.json").write_bytes(content)
    owner = running(owned)
    if owner is not None:
        assert isinstance(owner, Owner)
        assert str(owner)
        assert isinstance(owner.pid, int)
        assert isinstance(owner.since, int | float)
        assert isinstance(owner.folder, str)
        assert isinstance(owner.url, str)


@example(content=DEEP)
@example(content=b'{"a": 1e999}')
@given(content=_documents({"17841400000000001": 7, "17841400000000002": 0}))
def test_the_witness_of_what_was_asked(place: Path, content: bytes) -> None:
    """Numbers for each account, or None: that it cannot be read is never taken for nothing."""
    file = place / "asked.json"
    file.write_bytes(content)
    found = Witness(file).asks()
    assert found is None or all(type(count) is int for count in found.values())
    assert found != {} or content.strip() == b"{}" or json.loads(content) == {}


@example(content=b"\xff\xfe")
@given(
    content=st.one_of(
        st.binary(max_size=80),
        st.lists(st.sampled_from([b"127.0.0.1:21", b"h\xe9:21", b"127.0.0.1:2"])).map(b"\n".join),
    )
)
def test_the_memory_of_tls(place: Path, content: bytes) -> None:
    """Other bytes in it hide no host that is in it, and stop no start."""
    file = place / "tls_seen.json"
    file.write_bytes(content)
    fake = ScriptedFtp()
    fake.port = 21
    assert (b"127.0.0.1:21" in content.splitlines()) <= TlsMemory(file, fake.settings()).seen


TEXT = st.one_of(st.text(st.characters(), max_size=40), st.binary(max_size=40).map(os.fsdecode))


@examples(0.4)
@given(
    note=st.dictionaries(TEXT, st.one_of(TEXT, st.none(), st.floats(), st.integers()), max_size=5)
)
def test_a_note_can_be_read_whatever_is_written_into_it(
    place: Path, note: dict[str, object]
) -> None:
    """Half emoji, names that are not UTF-8, control characters: JSON in UTF-8 comes of it."""
    file = place / "a.jpg.mediawatch.json"
    write_note(file, note)
    read = json.loads(file.read_text(encoding="utf-8"))
    assert repr(note) == repr(read) or len(note) >= len(read)
    assert [file.name] == [path.name for path in place.glob("*.mediawatch.json")]

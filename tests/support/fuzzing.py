"""What the property tests share: how many examples, and near-valid input for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

#: JSON as no sane server writes it, but a parser lets it through.
NUMBERS: SearchStrategy[Any] = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 10**400, -(10**400), 2**63, 2**64, 1e308, float("nan"), True]),
)
#: Any text, half emoji among it; names and words of ours do not keep to UTF-8.
ANY_TEXT = st.text(st.characters(), max_size=40)
JSON: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


def examples(share: float) -> settings:
    """So many examples, as a share of the profile's number: what is slow gets fewer."""
    return settings(max_examples=max(5, int(settings.default.max_examples * share)))


def awry(document: Any, draw: Callable[[SearchStrategy[Any]], Any]) -> Any:
    """A JSON document with one of its values replaced, or left out: right but for one place."""
    if isinstance(document, dict) and document and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(document)))
        rest = {name: value for name, value in document.items() if name != key}
        if draw(st.integers(0, 4)):
            rest[key] = awry(document[key], draw)
        return rest
    if isinstance(document, list) and document and draw(st.integers(0, 3)):
        return [awry(document[0], draw), *document[1:]]
    return draw(JSON)


def mangled(data: bytes, draw: Callable[[SearchStrategy[Any]], Any]) -> bytes:
    """Bytes with a few places overwritten, cut out, doubled, or the end cut off."""
    made = bytearray(data)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(made)))
        span = draw(st.integers(0, 16))
        match draw(st.sampled_from(["write", "cut", "insert", "end"])):
            case "write":
                made[at : at + span] = draw(st.binary(min_size=span, max_size=span))
            case "cut":
                del made[at : at + span]
            case "insert":
                made[at:at] = draw(st.binary(max_size=64)) * draw(st.integers(1, 8))
            case "end":
                del made[at:]
    return bytes(made)


@asynccontextmanager
async def answering(data: bytes, *, hold: bool = False) -> AsyncIterator[int]:
    """A server that reads a request's head and answers with these bytes, whatever they are.

    Then it hangs up, or holds the line if ``hold``. Gives its port.
    """
    lines: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(data)
            await writer.drain()
        except (OSError, EOFError):
            pass  # the client went away
        finally:
            if not hold:
                writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for line in lines:
            line.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)


class Loop:
    """One event loop for all examples of a test."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        """Whatever still runs is cancelled."""
        self._runner.close()

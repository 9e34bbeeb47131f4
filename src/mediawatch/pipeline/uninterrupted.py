"""The one call that must not be cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uninterrupted(step: Coroutine[Any, Any, T], *, limit: float) -> T:
    """Run ``step`` to its end even when the caller is cancelled, for ``limit`` seconds more.

    The cancellation is then passed on. After the limit the step is cancelled too: its intent is
    durable, and the next start asks what came of it.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task}, timeout=limit)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise

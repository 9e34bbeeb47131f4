"""How far each long conversion is: in memory alone, for those who look on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file of a post that is being converted. ``percent``: how much of it is done."""

    post: str
    file: str
    percent: int


class Converting:
    """What is being converted now, and how far it is; pictures are too quick for that.

    ``changed`` hears of every whole percent.
    """

    def __init__(self, changed: Callable[[Conversion], None] = lambda _: None) -> None:
        self._changed = changed
        self._by_post: dict[str, Conversion] = {}

    @property
    def now(self) -> tuple[Conversion, ...]:
        """All that are under way, in the order in which they began."""
        return tuple(self._by_post.values())

    def of(self, post: str) -> Conversion | None:
        """That of one post, which converts one file at a time."""
        return self._by_post.get(post)

    @contextmanager
    def file(self, post: str, name: str) -> Iterator[Callable[[float], None]]:
        """While the context lasts, the share that is done, 0 to 1, may be told."""

        def tell(share: float) -> None:
            known = Conversion(post, name, int(share * 100))
            if self._by_post.get(post) != known:
                self._by_post[post] = known
                self._changed(known)

        try:
            yield tell
        finally:
            self._by_post.pop(post, None)

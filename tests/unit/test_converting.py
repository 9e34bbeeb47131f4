"""How far conversions are, for those who look on."""

from __future__ import annotations

from contextlib import suppress

from mediawatch.pipeline.converting import Conversion, Converting


def test_every_whole_percent_is_told_once() -> None:
    """A stream that carries it is not flooded, and what is over is under way no more."""
    told: list[Conversion] = []
    converting = Converting(told.append)
    with converting.file("1", "a.mov") as tell:
        assert () == converting.now
        for share in (0.0, 0.001, 0.421, 0.428, 0.5, 1.0):
            tell(share)
            assert converting.of("1") == told[-1]
    assert [0, 42, 50, 100] == [each.percent for each in told]
    assert converting.of("1") is None


def test_each_post_is_told_apart() -> None:
    """One that fails takes only itself away."""
    converting = Converting()
    with converting.file("1", "a.mov") as first:
        first(0.1)
        with suppress(ValueError), converting.file("2", "b.mov") as second:
            second(0.2)
            assert ["a.mov", "b.mov"] == [each.file for each in converting.now]
            raise ValueError
        assert (Conversion("1", "a.mov", 10),) == converting.now

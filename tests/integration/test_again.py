"""A repetition that was cut off is forgotten; what got further is not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mediawatch.actions import again
from mediawatch.config import PublishSettings, WatchSettings
from mediawatch.config.inboxes import inboxes
from mediawatch.journal import attempts, post_items, posts
from mediawatch.journal.attempts import Attempt
from mediawatch.log import silent
from mediawatch.model.lifecycle import Stage, State
from tests.support.publishing import bench


@pytest.mark.parametrize(("where", "forgotten"), [("work", True), ("held", False)])
async def test_only_copies_are_discarded(tmp_path: Path, where: str, forgotten: bool) -> None:
    """One that was held meanwhile, and whose original its owner took away, costs nobody a file."""
    async with bench(tmp_path) as river:
        post_id = await river.post(stage=Stage.CONVERT, state=State.RUNNING)
        post = await river.find(post_id)
        known = inboxes(WatchSettings(folder=tmp_path / "in"), PublishSettings())
        work = known.first.watch.work_folder
        folder = work / post_id if where == "work" else tmp_path / "held"
        folder.mkdir(parents=True)
        (folder / "another.jpg").write_bytes(b"picture")
        item = dataclasses.replace(post.items[0], source=folder / "gone.jpg")
        line = Attempt(Stage.CONVERT, attempts.WANTED_AGAIN, "", river.time.now)
        await river.journal.apply([post_items.record_item(item), attempts.add(post, line)])

        await again.forget_cut_off(river.journal, silent(), known)

        assert forgotten is (await posts.find(river.journal, post_id) is None)
        assert forgotten is not (folder / "another.jpg").exists()

"""What a person says of a post counts: confirm, deny, once more; and its story can be read."""

from __future__ import annotations

import json
import shutil

from tests.support.pictures import jpeg
from tests.support.river import River


async def test_a_post_in_doubt_is_confirmed(river: River) -> None:
    """Two media may be it: held as published; the owner names one, and it is filed."""
    first = river.drop("same.jpg", jpeg(400, 320, seed=1))
    async with river.daemon():
        await river.arrived({"same.jpg": first})
    shutil.rmtree(river.data)  # so the first is a stranger's
    river.processed.joinpath("same.jpg").unlink()
    river.simulator.script({"on": "media_publish", "do": "drop-after", "times": 1})
    river.drop("same.jpg", jpeg(400, 320, seed=2))
    async with river.daemon():
        held = await river.post("same.jpg", state="held")
        media = river.simulator.state.publications[-1].id

        wrong = await river.run("posts", "deny", held.id)
        assert 1 == wrong.code
        assert "not in doubt" in wrong.err
        confirmed = await river.run("posts", "confirm", held.id[:6], "--media", media)

        assert (0, True) == (confirmed.code, "counts as published" in confirmed.out)
        await river.post("same.jpg", state="done", media_id=media)
        await river.until(lambda: list(river.filed()) == ["same.jpg"])
        assert ["same", "same"] == river.captions()
        shown = (await river.run("posts", "show", held.id)).out
    for word in ("converted", "uploaded", "media_publish", "held", "vouch", "filed"):
        assert word in shown, shown
    assert shown.index("uploaded") < shown.index("media_publish") < shown.index("vouch")


async def test_wanted_twice(river: River) -> None:
    """The same bytes are a duplicate, with date and link; `--again` publishes a copy of them."""
    original = river.drop("a.jpg", jpeg(400, 320))
    async with river.daemon():
        await river.arrived({"a.jpg": original})
        river.drop("b.jpg", original)
        note = river.duplicate / "b.jpg.mediawatch.json"
        await river.until(note.exists)
        told = json.loads(note.read_text(encoding="utf-8"))
        post = await river.post("a.jpg")
        assert str(post.permalink) in told["why"]
        assert "since 20" in told["why"]
        assert f"posts publish {post.id} --again" in told["what_to_do"]

        refused = await river.run("posts", "publish", post.id)
        assert (1, True) == (refused.code, "--again" in refused.err)
        wanted = await river.run("posts", "publish", post.id, "--again")

        assert (0, True) == (wanted.code, "once more" in wanted.out)
        await river.until(lambda: river.captions() == ["a", "a"])
        await river.until(lambda: len(river.filed()) == 2 and not river.leftovers())
    assert {original} == set(river.filed().values())


async def test_decided_while_no_daemon_runs(river: River) -> None:
    """The order is written down, and is followed at the next start."""
    original = river.drop("a.jpg", jpeg(400, 320))
    async with river.daemon():
        await river.arrived({"a.jpg": original})
    post = await river.post("a.jpg")

    wanted = await river.run("posts", "publish", post.id, "--again")

    assert (0, True) == (wanted.code, "at the next start" in wanted.out)
    async with river.daemon():
        await river.until(lambda: river.captions() == ["a", "a"])
        await river.until(lambda: len(river.filed()) == 2)


async def test_an_older_journal_put_back(river: River) -> None:
    """What was published after the copy is not published again: it is held, and said."""
    river.simulator.script({"on": "create", "do": "error", "code": 2, "times": 3})
    river.configure(publish={"retry_delays": [600]})
    river.drop("a.jpg", jpeg(400, 320))
    async with river.daemon():
        waiting = await river.post("a.jpg", state="waiting")
    copy = river.root / "copy.db"
    shutil.copy(river.data / "journal.db", copy)
    for beside in ("journal.db-wal", "journal.db-shm"):
        if (river.data / beside).exists():
            shutil.copy(river.data / beside, river.root / beside.replace("journal", "copy"))
    async with river.daemon():
        await river.run("posts", "retry", waiting.id)
        await river.post("a.jpg", state="done")
    for file in river.data.glob("journal.db*"):
        file.unlink()
    for file in river.root.glob("copy.db*"):
        shutil.move(file, river.data / file.name.replace("copy", "journal"))

    async with river.daemon():
        held = await river.post("a.jpg", state="held")
        assert "journal-restored" == held.reason
        assert ["a"] == river.captions()
        assert 0 == (await river.run("posts", "confirm", held.id)).code
        await river.post("a.jpg", state="done")
    assert ["a"] == river.captions()

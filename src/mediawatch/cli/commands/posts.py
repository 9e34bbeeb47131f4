"""``posts …``."""

from __future__ import annotations

from typing import Annotated

import typer

from mediawatch.cli.commands.options import AsJson, Config, Post

app = typer.Typer(help="List and show posts, and say what becomes of them.", no_args_is_help=True)


@app.command("list")
def list_posts(
    config: Config = None,
    json: AsJson = False,
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only posts in this state: held, waiting, ready, running, done, …"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List posts, newest first."""
    from mediawatch.cli.posts import list_posts

    list_posts(config, as_json=json, states=state or [], limit=limit)


@app.command("show")
def show_post(
    post: Post,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Show a post with everything that was asked of Meta for it."""
    from mediawatch.cli.posts import show_post

    show_post(config, post, as_json=json)


@app.command("retry")
def retry_posts(
    post: Annotated[
        str | None, typer.Argument(help="The post's id, or its first digits.", show_default=False)
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every post that is held, failed or waits for a person.")
    ] = False,
    config: Config = None,
) -> None:
    """Try a post again now. What may be published already is asked after first."""
    from mediawatch.cli.orders import retry_posts

    retry_posts(config, post, every=all_)


@app.command("release")
def release_posts(
    post: Annotated[
        str | None, typer.Argument(help="The post's id, or its first digits.", show_default=False)
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every file that is held back since the first start.")
    ] = False,
    config: Config = None,
) -> None:
    """Let a held post go on, or all files that were in the folder at the first start."""
    from mediawatch.cli.withheld import release_posts

    release_posts(config, post, every=all_)


@app.command("confirm")
def confirm_post(
    post: Post,
    media: Annotated[
        str | None, typer.Option(help="Which media it is, if more than one may be it.")
    ] = None,
    config: Config = None,
) -> None:
    """You looked, and the post is on Instagram: it is filed, and never sent again."""
    from mediawatch.cli.orders import confirm_post

    confirm_post(config, post, media)


@app.command("deny")
def deny_post(post: Post, config: Config = None) -> None:
    """You looked, and the post is not on Instagram: it is published."""
    from mediawatch.cli.orders import deny_post

    deny_post(config, post)


@app.command("publish")
def publish_post(
    post: Post,
    again: Annotated[
        bool, typer.Option("--again", help="Also if it is published already: it is there twice.")
    ] = False,
    config: Config = None,
) -> None:
    """Publish a post now."""
    from mediawatch.cli.orders import publish_post

    publish_post(config, post, again_too=again)

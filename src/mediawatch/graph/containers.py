"""What is sent to Meta for each kind of container (Meta: IG User Media). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mediawatch.model.posts import Item, Post, PostKind

Params = dict[str, str]


def of_post(post: Post, item: Item) -> Params:
    """The container of a post of one item."""
    params = {**_media(item), "caption": post.caption}
    match post.kind:
        case PostKind.STORY:
            del params["caption"]  # Meta takes none for stories
            return {**params, "media_type": "STORIES"}
        case PostKind.REEL:
            return {**params, "media_type": "REELS"}
        case _:
            return params


def of_child(item: Item) -> Params:
    """The container of one item of a carousel; its words are those of the whole."""
    params = {**_media(item), "is_carousel_item": "true"}
    return {**params, "media_type": "VIDEO"} if item.is_video else params


def of_carousel(post: Post, children: Sequence[str]) -> Params:
    """The container of a carousel, out of the ids of its children's containers, in order."""
    return {"media_type": "CAROUSEL", "children": ",".join(children), "caption": post.caption}


def _media(item: Item) -> Params:
    return {"video_url" if item.is_video else "image_url": item.public_url or ""}

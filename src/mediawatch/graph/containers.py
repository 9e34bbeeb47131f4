"""What is sent to Meta for each kind of container (Meta: IG User Media). Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mediawatch.model.kinds import PostKind
from mediawatch.model.posts import Item, Post

Params = dict[str, str]


def of_post(post: Post, item: Item) -> Params:
    """The container of a post of one item."""
    match post.kind:
        case PostKind.STORY:  # it has no words, no place and no partners
            return {**_media(item), "media_type": "STORIES", **_people(post, item)}
        case PostKind.REEL:
            return {
                **_media(item),
                "media_type": "REELS",
                **_words(post),
                **_people(post, item),
                **_reel(post),
            }
        case _:
            return {**_media(item), **_words(post), **_alt_text(post, item), **_people(post, item)}


def of_child(post: Post, item: Item) -> Params:
    """The container of one item of a carousel; its words are those of the whole."""
    params = {**_media(item), "is_carousel_item": "true"}
    if item.is_video:
        return {**params, "media_type": "VIDEO"}
    return {**params, **_alt_text(post, item), **_people(post, item)}


def of_carousel(post: Post, children: Sequence[str]) -> Params:
    """The container of a carousel, out of the ids of its children's containers, in order."""
    return {"media_type": "CAROUSEL", "children": ",".join(children), **_words(post)}


def _media(item: Item) -> Params:
    if item.is_video and item.public_url is None:
        return {"upload_type": "resumable"}  # it is sent to the container itself
    return {"video_url" if item.is_video else "image_url": item.public_url or ""}


def _words(post: Post) -> Params:
    wishes = post.wishes
    params = {"caption": post.caption}
    if wishes.location_id is not None:
        params["location_id"] = wishes.location_id
    if wishes.collaborators:
        params["collaborators"] = json.dumps(wishes.collaborators)
    return params


def _alt_text(post: Post, item: Item) -> Params:
    text = post.wishes.alt_text_for(item.name)
    return {} if text is None else {"alt_text": text}


def _people(post: Post, item: Item) -> Params:
    """Who is in it: with the place in pictures, by name alone in videos (Meta: ``user_tags``)."""
    tags: list[dict[str, str | float]] = []
    for tag in post.wishes.user_tags or ():
        placed = not item.is_video and tag.x is not None and tag.y is not None
        place = {"x": tag.x, "y": tag.y} if placed else {}
        tags.append({"username": tag.username, **{k: v for k, v in place.items() if v is not None}})
    return {"user_tags": json.dumps(tags)} if tags else {}


def _reel(post: Post) -> Params:
    wishes = post.wishes
    params = {}
    if wishes.share_to_feed is not None:
        params["share_to_feed"] = "true" if wishes.share_to_feed else "false"
    if post.cover is not None:
        params["cover_url"] = post.cover.public_url or ""
    if wishes.cover is not None and wishes.cover.offset_ms is not None:
        params["thumb_offset"] = str(wishes.cover.offset_ms)
    return params

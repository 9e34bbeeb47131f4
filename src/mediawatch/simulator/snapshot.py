"""The truth in JSON, for tests in other processes and for the log file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .containers import Container, Details, Item, Media, Video


def describe_container(container: Container, now: float) -> dict[str, Any]:
    """A container for the state that tests read; ``failure`` is the subcode of a bad video."""
    return {
        "id": container.id,
        "user": container.user,
        "kind": str(container.kind),
        "video": container.is_video,
        "status": str(container.status(now)),
        "failure": container.failure,
        "why": container.why,
        "caption": container.caption,
        "details": describe_details(container.details),
        "created_at": container.created_at,
        "uris": list(container.uris),
        "items": [describe_item(item) for item in container.items],
        "received": container.upload.received if container.upload else None,
        "children": [child.id for child in container.children],
        "media": container.media.id if container.media else None,
        "publish_calls": container.publish_calls,
        "republish_calls": container.republish_calls,
    }


def describe_media(media: Media) -> dict[str, Any]:
    """A publication for the state that tests read and for the log file."""
    container = media.container
    return {
        "number": media.number,
        "time": media.published_at,
        "user": container.user,
        "container": container.id,
        "media": media.id,
        "kind": str(container.kind),
        "caption": container.caption,
        "details": describe_details(container.details),
        "children": [
            {"id": child_id, "details": describe_details(child.details)}
            for child_id, child in media.children
        ],
        "republished": media.republished,
        "sha256": [item.sha256 for item in container.items],
        "items": [describe_item(item) for item in container.items],
        "pictures": [describe_item(picture) for picture in container.pictures],
        "comments": [
            {"id": comment.id, "text": comment.text, "time": comment.created_at}
            for comment in media.comments
        ],
    }


def describe_details(details: Details) -> dict[str, Any]:
    """What was said about the media, under the names of Graph's parameters."""
    told = asdict(details)
    del told["caption"]
    told["cover"] = describe_item(details.cover) if details.cover else None
    return told


def describe_item(item: Item) -> dict[str, Any]:
    """A picture, or a video with its length in ``seconds``."""
    told: dict[str, Any] = {
        "uri": item.uri,
        "sha256": item.sha256,
        "bytes": item.size,
        "width": item.width,
        "height": item.height,
        "content_type": item.content_type,
    }
    if isinstance(item, Video):
        told |= {
            "seconds": item.seconds,
            "frame_rate": item.frame_rate,
            "codec": item.codec,
            "audio": item.audio,
            "warnings": list(item.warnings),
        }
    return told

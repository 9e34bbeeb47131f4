"""What was published, for people: a profile at ``/``, each post at ``/p/{shortcode}/``."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from aiohttp import web

from .containers import Details, Item, Kind, Media, Picture, Video
from .document import document, headers
from .options import SimulatorOptions
from .reading import item_path, path_of
from .state import State

_PER_PAGE = 60
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_LABELS = {Kind.CAROUSEL: "Carousel", Kind.STORY: "Story", Kind.REEL: "Reel"}


class Pages:
    """The pages over one state."""

    def __init__(self, options: SimulatorOptions, state: State) -> None:
        self._options = options
        self._state = state

    async def profile(self, request: web.Request) -> web.Response:
        """The newest posts first, 60 to a page (``?page=2`` …)."""
        number = request.query.get("page", "1")
        page = max(1, int(number)) if number.isascii() and number.isdecimal() else 1
        newest = self._state.publications[::-1]
        shown = newest[(page - 1) * _PER_PAGE : page * _PER_PAGE]
        tiles = "".join(self._tile(media) for media in shown)
        body = f'<div class="grid">{tiles}</div>' if shown else _EMPTY
        count = len(newest)
        return document(
            "Simulated Instagram",
            f'<main data-count="{count}">{self._header(count)}{body}{_pager(page, count)}</main>',
        )

    async def post(self, request: web.Request) -> web.Response:
        """One post: its pictures, its words, its facts."""
        media = self._state.shortcodes.get(request.match_info["shortcode"])
        if media is None:
            return document("Not found", f"<main>{_NOT_FOUND}</main>", status=404)
        return document(media.container.caption[:60] or "Post", f"<main>{self._post(media)}</main>")

    async def picture(self, request: web.Request) -> web.Response:
        """The bytes of a published picture."""
        body = self._state.picture(request.match_info["sha256"])
        if body is None:
            raise web.HTTPNotFound
        return web.Response(
            body=body,
            content_type="image/jpeg",
            headers={"Cache-Control": "max-age=86400, immutable"},
        )

    async def video(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a published video, or the part that a player asks for."""
        path = self._state.video(request.match_info["sha256"])
        if path is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "max-age=86400, immutable", "Content-Type": "video/mp4"}
        return web.FileResponse(path, headers=headers)

    async def asset(self, request: web.Request) -> web.Response:
        """The style sheet, the script and the icon that the pages use."""
        name = request.match_info["name"]
        if name not in _ASSETS:
            raise web.HTTPNotFound
        text = files(__package__).joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=_ASSETS[name], headers=headers())

    def _header(self, count: int) -> str:
        posted = (media.container.user for media in self._state.publications)
        users = dict.fromkeys([*self._options.users, *posted])
        names = ", ".join(self._state.username(user) for user in users)
        posts = "1 post" if count == 1 else f"{count} posts"
        return (
            '<header><div class="ring"><img src="/_simulator/icon.svg" alt=""></div>'
            f"<div><h1>{escape(names)}</h1><p><strong>{posts}</strong>"
            ' <span class="pill">Simulator</span>'
            ' <a href="/_simulator/apps">Apps with access</a></p>'
            "<p class=quiet>A stand-in for Instagram on this machine."
            " Nothing shown here was sent anywhere.</p></div></header>"
        )

    def _tile(self, media: Media) -> str:
        container = media.container
        label = _LABELS.get(container.kind, "")
        badge = f'<span class="badge">{label}</span>' if label else ""
        caption = escape(container.caption) or "<span class=quiet>No caption</span>"
        owner = ""
        if len(self._state.cast.accounts) > 1:
            owner = f"{escape(self._state.username(container.user))} · "
        return (
            f'<article><a href="{path_of(media)}"><div class="frame">'
            f"{_image(_still(container.items[0]), _alt(media), lazy=True)}{badge}</div>"
            f'<p class="caption">{caption}</p></a>'
            f'<p class="quiet">{owner}{_time(media)}<br>{_measures(container.items)}</p>'
            "</article>"
        )

    def _post(self, media: Media) -> str:
        container = media.container
        shown = "".join(_shown(item, _alt(media)) for item in container.items)
        several = len(container.items) > 1
        stage = '<div class="stage">'
        if several:
            stage = '<div class="stage strip" tabindex="0" role="group" aria-label="Items">'
        facts = [
            ("Published", _time(media)),
            ("Kind", str(container.kind).capitalize()),
            ("Media id", media.id),
            ("Container id", container.id),
        ]
        facts += _details(container.details)
        for index, item in enumerate(container.items, 1):
            name = "Video" if isinstance(item, Video) else "Picture"
            facts.append((f"{name} {index}" if several else name, _facts_of(item)))
        facts += [("Comment", escape(comment.text)) for comment in media.comments]
        rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
        caption = escape(container.caption) or "<span class=quiet>No caption</span>"
        return (
            '<p><a class="back" href="/">← All posts</a></p><article class="post">'
            f'{stage}{shown}</div><div class="words">'
            f"<h1>{escape(self._state.username(container.user))}</h1>"
            f'<p class="whole">{caption}</p><dl>{rows}</dl></div></article>'
        )


_EMPTY = (
    '<div class="empty"><h2>No posts yet</h2>'
    "<p>As soon as something is published, it appears here by itself.</p></div>"
)
_NOT_FOUND = (
    '<div class="empty"><h2>This post does not exist</h2>'
    '<p>The simulator forgets its posts when it stops.</p><p><a href="/">All posts</a></p></div>'
)


def _pager(page: int, count: int) -> str:
    links = []
    if page > 1:
        links.append(f'<a href="/?page={page - 1}">← Newer</a>')
    if page * _PER_PAGE < count:
        links.append(f'<a href="/?page={page + 1}">Older →</a>')
    return f'<nav aria-label="Pages">{"".join(links)}</nav>' if links else ""


def _image(picture: Picture, alt: str, *, lazy: bool = False) -> str:
    loading = ' loading="lazy"' if lazy else ""
    return (
        f'<img src="{item_path(picture)}" alt="{escape(alt)}"'
        f' width="{picture.width}" height="{picture.height}"{loading}>'
    )


def _alt(media: Media) -> str:
    return media.container.alt_text or media.container.caption or "Published media"


def _time(media: Media) -> str:
    moment = datetime.fromtimestamp(media.published_at, UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%d %b %Y, %H:%M} UTC</time>'


def _still(item: Item) -> Picture:
    return item.cover if isinstance(item, Video) else item


def _shown(item: Item, alt: str) -> str:
    if not isinstance(item, Video):
        return _image(item, alt)
    return (
        f'<video controls preload="none" src="{item_path(item)}" poster="{item_path(item.cover)}"'
        f' aria-label="{escape(alt)}" width="{item.width}" height="{item.height}"></video>'
    )


def _details(details: Details) -> list[tuple[str, str]]:
    """The facts that were told with a post, each with its name."""
    told = [
        ("Alternative text", details.alt_text),
        ("Place", details.location_id),
        ("People", ", ".join(str(tag["username"]) for tag in details.user_tags)),
        ("Collaborators", ", ".join(details.collaborators)),
        ("Sound", details.audio_name),
        ("Shown in the feed", "no" if details.share_to_feed is False else ""),
    ]
    return [(name, escape(value)) for name, value in told if value]


def _measures(items: tuple[Item, ...]) -> str:
    first = items[0]
    total = sum(item.size for item in items)
    things = "items" if any(isinstance(item, Video) for item in items) else "pictures"
    count = f"{len(items)} {things} · " if len(items) > 1 else ""
    length = f"{first.seconds:.1f} s · " if isinstance(first, Video) else ""
    return f"{count}{length}{first.width} × {first.height} · {_bytes(total)}"  # noqa: RUF001


def _facts_of(item: Item) -> str:
    kind = escape(item.content_type) or "no Content-Type"
    source = f"from {escape(item.uri)}" if item.uri else "uploaded"
    return f"{_measures((item,))} · {kind}<br>{source}<br>sha256 <code>{item.sha256}</code>"


def _bytes(size: int) -> str:
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"

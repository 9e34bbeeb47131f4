"""The frame of every page: head, style, and what the browser may load and send from it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from aiohttp import web


def headers(forms: Sequence[str] = ()) -> dict[str, str]:
    """The headers of a page; ``forms`` are the origins that its forms may lead to."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self';"
            " script-src 'self'; connect-src 'self'; base-uri 'none';"
            f" form-action {' '.join(forms) or chr(39) + 'none' + chr(39)}"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def document(
    title: str, body: str, *, status: int = 200, forms: Sequence[str] = ()
) -> web.Response:
    """A page in the look of the simulator. ``body`` is HTML."""
    text = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>"
        '<link rel="icon" href="/_simulator/icon.svg">'
        '<link rel="stylesheet" href="/_simulator/page.css">'
        '<script src="/_simulator/page.js" defer></script>'
        f"</head><body>{body}</body></html>"
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=headers(forms))

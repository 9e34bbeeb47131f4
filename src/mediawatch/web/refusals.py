"""The one form of an error: code, message, remedy, details."""

from __future__ import annotations

from aiohttp import web

#: Codes with a status of their own; the rest of our errors are 503: try again later.
STATUS = {
    "no-such-post": 404,
    "no-such-account": 404,
    "no-such-user": 404,
    "no-such-key": 404,
    "no-such-session": 404,
    "bad-setup-link": 404,
    "not-possible": 409,
    "user-not-possible": 409,
    "already-running": 409,
    "not-connected": 409,
    "account-in-settings": 409,
    "account-taken": 409,
    "token-not-refreshed": 409,
    "choose-account": 409,
    "no-app": 409,
    "other-address": 409,
    "needs-browser": 409,
    "login-failed": 409,
    "login-cancelled": 409,
    "bad-state": 400,
    "bad-signature": 400,
    "no-such-deletion": 404,
    "token-refused": 409,
    "token": 409,
    "permission": 409,
    "personal-account": 409,
    "missing-permissions": 409,
    "page-role": 409,
    "no-linked-account": 409,
    "not-allowed": 403,
    "wrong-password": 401,
    "too-many-logins": 429,
    "weak-password": 422,
    "bad-input": 422,
    "key-without-owner": 422,
}


def refusal(status: int, code: str, message: str, remedy: str) -> web.Response:
    """An error without details."""
    body = {"error": {"code": code, "message": message, "remedy": remedy, "details": {}}}
    return web.json_response(body, status=status)

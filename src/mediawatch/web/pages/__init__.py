"""The pages: made on the server, of use without JavaScript."""

from __future__ import annotations

from aiohttp import web

from mediawatch.web.login_limits import LoginLimits

LOGIN_LIMITS = web.AppKey("LOGIN_LIMITS", LoginLimits)

"""The pages: made on the server, of use without JavaScript."""

from __future__ import annotations

import asyncio

from aiohttp import web

from mediawatch.web.login_limits import LoginLimits

#: Passwords that are looked at side by side: each takes 64 MB and a core for a while.
PASSWORDS = web.AppKey("PASSWORDS", asyncio.Semaphore)
LOGIN_LIMITS = web.AppKey("LOGIN_LIMITS", LoginLimits)

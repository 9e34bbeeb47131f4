"""Who keeps services on this machine."""

from __future__ import annotations

import sys

from mediawatch.service.base import ServiceControl


def service_control() -> ServiceControl:
    """The one of this platform."""
    # The type checker leaves out the branches of other platforms only in one chain of them.
    if sys.platform == "win32":
        from mediawatch.service.windows import WindowsService

        return WindowsService()
    elif sys.platform == "darwin":  # noqa: RET505 - as it says above
        from mediawatch.service.launchd import LaunchdService

        return LaunchdService()
    else:
        from mediawatch.service.systemd_service import SystemdService

        return SystemdService()

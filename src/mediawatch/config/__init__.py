"""Settings: read once, checked whole, frozen, and passed down. No module reads them again later."""

from mediawatch.config.inboxes import Inbox, Inboxes
from mediawatch.config.limits import LimitSettings
from mediawatch.config.publish import PublishSettings
from mediawatch.config.sources import (
    GUIDE_NAMES,
    Loaded,
    default_config_file,
    load,
    load_with_origins,
)
from mediawatch.config.tables import (
    AlertSettings,
    FtpSettings,
    InstagramSettings,
    LogSettings,
    MediaSettings,
    Settings,
    StorageSettings,
    WebSettings,
)
from mediawatch.config.watch import InboxSettings, WatchSettings

__all__ = [
    "GUIDE_NAMES",
    "AlertSettings",
    "FtpSettings",
    "Inbox",
    "InboxSettings",
    "Inboxes",
    "InstagramSettings",
    "LimitSettings",
    "Loaded",
    "LogSettings",
    "MediaSettings",
    "PublishSettings",
    "Settings",
    "StorageSettings",
    "WatchSettings",
    "WebSettings",
    "default_config_file",
    "load",
    "load_with_origins",
]

"""Settings: read once, checked whole, frozen, and passed down. No module reads them again later."""

from mediawatch.config.limits import LimitSettings
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
    PublishSettings,
    Settings,
    StorageSettings,
    WatchSettings,
    WebSettings,
)

__all__ = [
    "GUIDE_NAMES",
    "AlertSettings",
    "FtpSettings",
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

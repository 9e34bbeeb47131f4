"""What the service does: the same as the foreground, stopped by Windows and not by a signal.

A failure ends it with code 1, and Windows starts it again. Settings that cannot be used end it with
code 0: starting again would mend nothing; the log and the Event Log tell what is wrong.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from mediawatch import config
from mediawatch.config import LogSettings, Settings
from mediawatch.errors import ConfigError, MediawatchError
from mediawatch.log import Log
from mediawatch.service import foreground
from mediawatch.service.base import ServiceProblem

if sys.platform != "win32":
    raise ImportError("only Windows has services of this kind")

from mediawatch.service.windows_drives import require_own_drives
from mediawatch.service.windows_log import open_service_log, tell_event_log

_FAILED, _NOT_TO_BE_REPEATED = 1, 0


class Work:
    """One life of the service. ``at_work`` is called when it watches; ``leave`` ends the process
    with a code, when stopping takes too long."""

    def __init__(
        self,
        file: Path,
        data_dir: Path,
        *,
        at_work: Callable[[], None],
        leave: Callable[[int], object],
    ) -> None:
        self._file, self._data_dir = file, data_dir
        self._at_work, self._leave = at_work, leave
        self._under_way: tuple[asyncio.AbstractEventLoop, asyncio.Event, Log] | None = None

    def run(self) -> int:
        """Work until ``stop``; the code to end with. Raises nothing."""
        try:
            log = open_service_log(LogSettings())
        except MediawatchError as error:
            tell_event_log("error", f"{error.message}\n{error.remedy}")
            return _FAILED
        try:
            settings = settings_of_service(self._file, self._data_dir)
            require_own_drives(settings)
            log = open_service_log(settings.log, settings.secret_values())
            foreground.spare_the_collector()
            asyncio.run(self._until_told(settings, log))
        except (ConfigError, ServiceProblem) as error:
            log.error(error.message, action="crash", remedy=error.remedy)
            return _NOT_TO_BE_REPEATED
        except MediawatchError as error:
            log.error(error.message, action="crash", remedy=error.remedy)
            return _FAILED
        except BaseException as error:
            log.error("The service broke down.", action="crash", exc_info=error)
            return _FAILED
        foreground.threads_hang()
        return 0

    def stop(self) -> None:
        """Have ``run`` drain and return; from another thread. Before it is at work, Windows asks
        for nothing."""
        if self._under_way is not None:
            loop, stop, log = self._under_way
            foreground.deadline(log, self._leave)()
            loop.call_soon_threadsafe(stop.set)

    async def _until_told(self, settings: Settings, log: Log) -> None:
        stop = asyncio.Event()
        self._under_way = (asyncio.get_running_loop(), stop, log)
        await foreground.live_until(stop, settings, log, self._at_work)


def settings_of_service(file: Path, data_dir: Path) -> Settings:
    """The settings in force; ``data_dir`` where they name none. Raises ConfigError."""
    settings = config.load(file)
    if "data_dir" in settings.storage.model_fields_set:
        return settings
    storage = settings.storage.model_copy(update={"data_dir": data_dir})
    return settings.model_copy(update={"storage": storage})

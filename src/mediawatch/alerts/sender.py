"""Sends a message to one address, through Apprise, in a thread that nobody waits for for ever.

Apprise is imported when the first message is due: it is heavy, and most days there is none. What
it and the libraries below it say in their logs may hold the address, so none of it goes further;
of why a message did not go only what cannot hold a secret is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading

from mediawatch.alerts.addresses import Address
from mediawatch.model.alerts import Message

#: Seconds after which a delivery counts as failed, whatever its thread still does.
LIMIT = 30.0
_TALKATIVE = ("apprise", "urllib3", "requests")
_STATUS = re.compile(r"\berror[=: ]+([1-5]\d\d)\b")
_UNKNOWN = "Apprise does not know this kind of address, or something in it is missing"


class Sender:
    """One delivery at a time for each address: one that hangs is not piled upon."""

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._under_way: set[str] = set()

    async def send(self, address: Address, message: Message) -> str:
        """Send it; why it did not go, or nothing if it did. Raises nothing but cancellation."""
        if address.digest in self._under_way:
            return "an earlier message is still on its way"
        self._under_way.add(address.digest)
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()

        def tell(why: str) -> None:
            self._under_way.discard(address.digest)
            if not ended.done():
                ended.set_result(why)

        def work() -> None:
            why = _deliver(address.url.get_secret_value(), message)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                loop.call_soon_threadsafe(tell, why)

        # A thread that hangs must not keep the daemon from ending, as one of a pool would.
        threading.Thread(target=work, name="alert", daemon=True).start()
        try:
            async with asyncio.timeout(self._limit):
                return await ended
        except TimeoutError:
            return f"it was not through after {self._limit:.0f} s"


class _Hearsay(logging.Handler):
    """What is said in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.said.append(record.getMessage())


def _deliver(url: str, message: Message) -> str:
    hearsay = _Hearsay()
    for name in _TALKATIVE:
        logging.getLogger(name).propagate = False
    logger = logging.getLogger(_TALKATIVE[0])
    logger.addHandler(hearsay)
    try:
        import apprise
        from apprise.conversion import convert_between

        # Not by Apprise.notify: it works in threads of a pool, and one that hangs there would keep
        # the daemon from ending.
        way = apprise.Apprise.instantiate(url)
        if way is None:
            return _UNKNOWN
        # So that a name with "<" or "*" in it stays what it is, in HTML and Markdown too.
        plain = apprise.NotifyFormat.TEXT
        taken = way.resolve_format(plain)
        body = convert_between(plain, taken, message.body)  # type: ignore[no-untyped-call]
        kind = apprise.NotifyType.SUCCESS if message.good else apprise.NotifyType.WARNING
        if way.notify(body=body, title=message.title, notify_type=kind, body_format=taken):
            return ""
        return _why(hearsay.said)
    except Exception as error:  # of a stranger's plug-in; its words may hold the address
        return f"Apprise broke off ({type(error).__name__})"
    finally:
        logger.removeHandler(hearsay)


def _why(said: list[str]) -> str:
    text = " ".join(said)
    if status := _STATUS.search(text):
        return f"it was refused with {status[1]}"
    if "onnection" in text:
        return "it cannot be reached"
    return "it was not accepted"

"""When a host may be tried again."""

from __future__ import annotations

from mediawatch.clock import SystemClock
from mediawatch.config import FtpSettings
from mediawatch.hosts.base import CredentialsRefused, HostUnavailable
from mediawatch.hosts.ftp_connection import HostKnowledge
from mediawatch.hosts.ftp_dialer import Dialer
from mediawatch.hosts.ftp_tls import TlsMemory


def a_dialer() -> Dialer:
    settings = FtpSettings.model_validate(
        {"host": "localhost", "user": "u", "password": "p", "public_url": "http://localhost/"}
    )
    return Dialer(settings, HostKnowledge(TlsMemory(None, settings)), SystemClock())


def test_a_person_ends_the_pause() -> None:
    """After a failure the host is left alone for a while, unless a person asks for it."""
    dialer = a_dialer()
    for _ in range(5):
        dialer.failed(HostUnavailable("Away."))
    assert dialer.pause() > 0

    dialer.end_pause()

    assert dialer.pause() == 0


def test_a_refused_password_is_not_tried_again() -> None:
    """Hosts ban who tries a wrong password often: only a restart tries it again."""
    dialer = a_dialer()
    dialer.failed(CredentialsRefused("Wrong."))

    dialer.end_pause()

    assert dialer.pause() == float("inf")

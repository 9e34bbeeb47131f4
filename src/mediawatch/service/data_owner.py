"""Root at work where a service keeps its data: what may be done there, and what not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mediawatch.config.tables import MACHINE_DATA
from mediawatch.doctor.service_account import installed_account
from mediawatch.errors import StorageProblem
from mediawatch.service.spoken import by_administrator, this_program


def require_own(data_dir: Path) -> None:
    """Refuse root who would publish out of somebody else's data folder: all that is made on the
    way, down to the pictures that are filed, would be root's.

    Raises StorageProblem. Blocks.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    name = _owner(data_dir)
    if name is None:
        return
    import shlex

    raise StorageProblem(
        f"The data folder {data_dir} belongs to {name}, who could not use what root makes.",
        code="data-of-another",
        remedy=f"The service does it: {by_administrator('service', 'start')}"
        if name == installed_account()
        else f"Say it as that user: sudo -u {name} {shlex.join([*this_program(), *sys.argv[1:]])}",
    )


def make_for_service(data_dir: Path) -> None:
    """If the data folder is not there yet, and an installed service will use it, make it for its
    user before root makes it. Raises OSError. Blocks."""
    if sys.platform == "win32" or os.geteuid() != 0 or data_dir.exists():
        return
    import pwd

    name = _owner(data_dir)
    if name is not None:
        account = pwd.getpwnam(name)
        data_dir.mkdir(parents=True)
        os.chown(data_dir, account.pw_uid, account.pw_gid)
        data_dir.chmod(0o700)


def _owner(data_dir: Path) -> str | None:
    """The user who has the data folder, or will have it; None for root, or if nobody is known."""
    if sys.platform == "win32":
        return None
    import pwd

    if not data_dir.exists():
        service = installed_account() if data_dir == MACHINE_DATA else None
        return None if service == "root" else service
    user = data_dir.stat().st_uid
    try:
        return None if user == 0 else pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"  # as sudo takes a user without a name

"""Telling a share from a local disk by the table of mounts."""

from __future__ import annotations

import pytest

from mediawatch.watch.shares import share_in_mountinfo

TABLE = r"""21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:25 / /mnt rw - tmpfs tmpfs rw
31 30 0:26 / /mnt/my\040nas rw shared:5 - cifs //nas/photos rw
32 30 0:27 / /mnt/home rw - nfs4 nas:/home rw
33 30 0:28 / /mnt/cloud rw - fuse.rclone remote: rw
34 32 8:2 / /mnt/home/local rw - ext4 /dev/sdb1 rw
35 21 8:3 / /over rw - nfs nas:/x rw
36 21 8:3 / /over rw - xfs /dev/sdc1 rw
garbage
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/home/me/inbox", None),
        ("/mnt/my nas/inbox", "cifs"),
        ("/mnt/home", "nfs4"),
        ("/mnt/homestead", None),
        ("/mnt/home/local/inbox", None),
        ("/mnt/cloud/a", "fuse.rclone"),
        ("/over/inbox", None),
    ],
)
def test_the_nearest_mount_decides(folder: str, expected: str | None) -> None:
    """The longest mount point that holds the folder counts, the last one of equals."""
    assert expected == share_in_mountinfo(folder, TABLE)

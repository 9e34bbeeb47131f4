#!/bin/bash
# A real systemd as PID 1 of namespaces of its own, on a machine whose own PID 1 may be another.
# usage: boot.sh NAME SECONDS UNITS KEPT...    (root; ends by itself after SECONDS)
#
# What systemd and `service install` change lies in memory: /etc is a copy, /run, /tmp, /var/tmp,
# /var/lib and the system's own units are others. KEPT are folders that stay as they are although
# they lie in one of those places. Its control groups lie below one called NAME.
set -eu
name=$1 limit=$2 units=$3
shift 3
# PID 1 takes no SIGTERM from inside, and dies with the one who made its namespace.
exec timeout --kill-after=1 "$limit" unshare --kill-child=KILL --pid --fork --mount --mount-proc \
    --ipc --uts bash -euc '
mount --make-rprivate /
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
# Two machines in one group would take each other for their own services.
group=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)/$1
mkdir "$group"
echo 0 > "$group/cgroup.procs"
shift
exec unshare --cgroup bash -euc "$0" boot "$@"
' '
units=$1
shift
mount --make-rshared /  # systemd moves the mount with the credentials in from a helper
umount /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/systemd/system /run/lock /run/etc /run/kept
cp -a /etc/. /run/etc
cp -a "$units" /run/units
number=0
for kept in "$@"; do
    number=$((number + 1))
    mkdir "/run/kept/$number"
    mount --bind "$kept" "/run/kept/$number"
done
mount --bind /run/etc /etc
rm -rf /etc/systemd/system
mkdir /etc/systemd/system
mount --bind /run/units /usr/lib/systemd/system
for memory in /tmp /var/tmp; do mount -t tmpfs -o mode=1777 none "$memory"; done
mount -t tmpfs -o mode=755 none /var/lib
number=0
for kept in "$@"; do
    number=$((number + 1))
    mkdir -p "$kept"
    mount --bind "/run/kept/$number" "$kept"
    umount "/run/kept/$number"
done
export container=nspawn
exec /lib/systemd/systemd --system --unit=ready.target --log-level=info --log-target=console \
    --show-status=no
' "$name" "$units" "$@"

#!/usr/bin/env bash
# Unpack the FTP servers that most hosts run into .cache/ftp-servers, for tests on loopback.
# Debian lets only one of them be installed at a time; unpacked, they live side by side, and
# none is started by the system. Needs Debian 12; root or sudo only for libraries that lack.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/.cache/ftp-servers
binaries=("$root"/usr/sbin/{vsftpd,proftpd,pure-ftpd} "$root/usr/bin/pure-pw")
libraries=(libwrap0 libhiredis0.14 libmemcached11 libmemcachedutil2 libpcre2-posix3 libsodium23)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
linked() { local found; found=$(ldd "${binaries[@]}") && [[ $found != *"not found"* ]]; }
update() { as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq; }

if linked 2>/dev/null; then exit 0; fi

packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
fetch() {
  (cd "$packages" && apt-get download -qq -o APT::Sandbox::User=root \
    vsftpd proftpd-core proftpd-mod-crypto pure-ftpd)
}
fetch 2>/dev/null || { update && fetch; }
mkdir -p "$root"
for package in "$packages"/*.deb; do dpkg-deb -x "$package" "$root"; done
if ! linked; then
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${libraries[@]}" >/dev/null
fi
linked

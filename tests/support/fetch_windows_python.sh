#!/usr/bin/env bash
# Make a real Windows CPython 3.11 that runs under Wine, in .cache/windows-python, with mediawatch
# from this checkout and its locked dependencies in a virtual environment. Takes its parts from
# Debian and from the package index alone. Needs Debian 12 and Python 3.11; root or sudo only
# for packages that lack. Run again, it makes anew only what changed.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/.cache/windows-python
base=$root/base
venv=$root/venv
site=$venv/Lib/site-packages
compiler=x86_64-w64-mingw32-gcc
export WINEPREFIX=$root/prefix WINEDEBUG=-all

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    wine wine64 gcc-mingw-w64-x86-64-win32 >/dev/null
}
windows_path() { printf 'Z:%s' "${1//\//\\}"; }
# Done already with the same ingredients: `fresh NAME INGREDIENT...` and then `done_with NAME`.
fresh() {
  local name=$1; shift
  digest=$(cat "$@" "$0" | sha256sum)
  [ "$(cat "$root/$name.done" 2>/dev/null)" = "$digest" ]
}
done_with() { printf '%s' "$digest" >"$root/$1.done"; }

if ! { command -v wine && command -v wineboot && command -v $compiler; } >/dev/null; then
  install 2>/dev/null || { as_root apt-get update -qq && install; }
fi

# The standard library's Python half is taken from here, so it must be a 3.11 too.
for python in .venv/bin/python python3.11 python3; do
  if $python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then break; fi
  python=
done
[ -n "$python" ] || { echo "The Windows tests need a Python 3.11 on this machine." >&2; exit 1; }
pip=("$python" -m pip --quiet --quiet --disable-pip-version-check)
windows=(--only-binary=:all: --platform win_amd64 --python-version 3.11 --implementation cp --no-deps)

mkdir -p "$root"
if ! fresh base tests/windows/{interpreter.txt,unpack.py,python.c,launcher.c,bcryptprimitives.c}; then
  rm -rf "$base" "$root/wheels"
  "${pip[@]}" download "${windows[@]}" --require-hashes -r tests/windows/interpreter.txt \
    --dest "$root/wheels"
  "$python" tests/windows/unpack.py "$root"/wheels/*.whl "$base"
  $compiler -municode -O2 -s -o "$base/python.exe" tests/windows/python.c
  # python3.dll, the stable interface, passes every call on.
  x86_64-w64-mingw32-objdump --private-headers "$base/python311.dll" \
    | awk 'BEGIN { print "LIBRARY python3\nEXPORTS" } /^\t*\[ *[0-9]+\] [Py_]/ { print $NF " = python311." $NF }' \
    >"$root/python3.def"
  $compiler -shared -nostdlib -Wl,--entry=0 -o "$base/python3.dll" "$root/python3.def"
  $compiler -shared -O2 -s -o "$base/bcryptprimitives.dll" tests/windows/bcryptprimitives.c
  $compiler -municode -O2 -s -o "$root/launcher.exe" tests/windows/launcher.c \
    -DBASE="L\"$(windows_path "$base/python.exe" | sed 's/\\/\\\\/g')\""
  rm -r "$root/wheels"
  done_with base
fi

if ! fresh venv requirements/{run,test}.txt tests/windows/locked.py "$root/base.done"; then
  rm -rf "$venv"
  mkdir -p "$site" "$venv/Scripts"
  cp "$root/launcher.exe" "$venv/Scripts/python.exe"
  printf 'home = %s\nversion = 3.11.9\n' "$(windows_path "$base")" >"$venv/pyvenv.cfg"
  "$python" tests/windows/locked.py requirements/run.txt requirements/test.txt >"$root/locked.txt"
  "${pip[@]}" install "${windows[@]}" --require-hashes -r "$root/locked.txt" --target "$site"
  windows_path "$PWD/src" >"$site/mediawatch.pth"
  done_with venv
fi

if ! fresh prefix /dev/null; then
  rm -rf "$WINEPREFIX"
  wineboot --init </dev/null >/dev/null 2>&1
  wineserver --wait # a service that is made during the set-up would vanish with it
  done_with prefix
fi

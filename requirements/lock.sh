#!/usr/bin/env bash
# Resolve pyproject.toml into requirements files with hashes that hold on every platform and
# every supported Python, and that name no index host.
set -euo pipefail
cd "$(dirname "$0")/.."
resolve() { # resolve NAME GROUP...
  local name=$1; shift
  local groups=()
  for group in "$@"; do groups+=(--group "$group"); done
  uv pip compile pyproject.toml "${groups[@]}" --universal --python-version 3.11 \
    --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --quiet \
    --custom-compile-command "make lock" --output-file "requirements/$name.txt"
}
resolve run build
resolve test build test
resolve check build test check

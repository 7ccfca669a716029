#!/usr/bin/env bash
# Every benchmark in turn; each prints one JSON line.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh" "[dev]"
for script in bench/*.py; do
    grep -q __main__ "$script" || continue
    echo "# $script" >&2
    .venv/bin/python "$script"
done

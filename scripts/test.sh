#!/usr/bin/env bash
# Sets up boardlake with what its tests need, and runs all checks; arguments go to pytest instead.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
servers=()
case " $* " in "  " | *web*) servers+=(web) ;; esac
case " $* " in "  " | *ingest*) servers+=(sources) ;; esac
# Meanwhile, for the network is what both wait for.
[ "${#servers[@]}" -eq 0 ] || bash scripts/servers.sh "${servers[@]}" &
source scripts/setup.sh "[dev]"
if [ $# -gt 0 ]; then
    wait
    exec .venv/bin/python -m pytest "$@"
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check .
wait
types=$(mktemp)
.venv/bin/mypy > "$types" 2>&1 &
typing=$!
# A file stays with one process: its tests share lakes and servers. In order: once a browser was started, a process has a
# loop of asyncio that runs, and the prompt of the command line cannot have its own. One process more than there are
# cores, for tests wait as well: for a page to settle, a server to start, a client to give up.
processes=$(($(nproc) + 1))
.venv/bin/python -m pytest -n "$((processes < 4 ? processes : 4))" --dist loadfile --no-loadscope-reorder --durations 25 || failed=1
wait "$typing" || failed=1
cat "$types"
rm -f "$types"
exit "${failed:-0}"

#!/usr/bin/env bash
# Sets up boardlake, reads the logs below the given directories (or sample logs that go on growing),
# and serves them. With --no-serve or BOARDLAKE_NO_SERVE=1 it ends after reading.
start=$PWD
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh" "${BOARDLAKE_EXTRAS:-}"
boardlake=$PWD/.venv/bin/boardlake
if [ "$*" = --no-serve ]; then
    export BOARDLAKE_NO_SERVE=1
    shift
fi
if [ $# -gt 0 ]; then
    cd "$start"
    exec "$boardlake" up "$@"
fi
if [ ! -e samples/boardlake.toml ]; then
    echo "writing and reading sample logs of three machines, once ..."
    "$boardlake" demo samples --quiet
fi
cd samples
echo
if [ "${BOARDLAKE_NO_SERVE:-0}" = 0 ]; then
    # What writes on ends with the server, which holds the other end of its pipe.
    exec "$boardlake" up 3> >(exec "$boardlake" demo . --live --behind)
fi
"$boardlake" ingest
"$boardlake" runs --columns 'machine, project, name, state, points, hp.lr, min("val/loss") as best' --limit 12
echo
"$boardlake" sql "SELECT project, count(*) AS runs, sum(points) AS points FROM runs GROUP BY project ORDER BY points DESC"
echo
echo "More: cd samples, then $boardlake up, or $boardlake --help"

#!/usr/bin/env bash
# Sets up boardlake and ingests the logs below the given directories, or sample logs if none is given.
start=$PWD
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh" "${BOARDLAKE_EXTRAS:-}"
boardlake=$PWD/.venv/bin/boardlake
if [ $# -gt 0 ]; then
    cd "$start"
    exec "$boardlake" up "$@"
fi
[ -e samples/boardlake.toml ] || "$boardlake" demo samples
cd samples
echo
"$boardlake" runs --columns 'machine, project, name, state, points, hp.lr, min("val/loss") as best' --limit 12
echo
"$boardlake" sql "SELECT project, count(*) AS runs, sum(points) AS points FROM runs GROUP BY project ORDER BY points DESC"
echo
echo "More: cd samples, then $boardlake --help"

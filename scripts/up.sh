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
"$boardlake" runs --limit 12
"$boardlake" sql "SELECT tag, count(*) AS points, avg(value) AS mean FROM scalars GROUP BY tag ORDER BY points DESC LIMIT 8"
echo "More: cd samples, and $boardlake --help"

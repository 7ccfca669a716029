# Makes .venv with boardlake in it, editable; sourced by the other scripts with the extras to install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=""
for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "boardlake needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3" >&2
    exit 1
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
# Installed anew only when what it depends on has changed.
want="$1 $(cat setup.cfg pyproject.toml | cksum)"
if [ "$(cat .venv/installed 2>/dev/null)" != "$want" ]; then
    echo "setting up .venv (a minute or two the first time) ..." >&2
    pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
    if ! { pip install --upgrade "pip>=24" && pip install -e ".$1"; } > .venv/setup.log 2>&1; then
        tail -n 30 .venv/setup.log >&2
        echo "setting up failed: the whole log is $PWD/.venv/setup.log" >&2
        exit 1
    fi
    echo "$want" > .venv/installed
fi

#!/usr/bin/env bash
# Installs Debian's chromium, which browser tests drive; without it they are skipped, which is said.
set -uo pipefail
browser=/usr/bin/chromium
[ -x "$browser" ] && exit 0
skipped() {
    echo "browser tests will be skipped: $1" >&2
    exit 0
}
command -v apt-get > /dev/null || skipped "there is no $browser and no apt-get to install it with"
root=()
if [ "$(id -u)" -ne 0 ]; then
    # Nobody may be there to type a password.
    sudo -n true 2> /dev/null || skipped "there is no $browser: sudo apt-get install chromium"
    root=(sudo -n)
fi
log=$(mktemp)
install() {
    local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends chromium fonts-liberation
}
echo "installing chromium for the browser tests ..." >&2
for try in 1 2; do
    if install < /dev/null > "$log" 2>&1 && [ -x "$browser" ]; then
        rm -f "$log"
        exit 0
    fi
    [ "$try" = 2 ] || sleep 5
done
tail -n 5 "$log" >&2
skipped "chromium could not be installed (the whole log is $log)"

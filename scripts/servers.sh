#!/usr/bin/env bash
# Installs what tests drive or read from: Debian's chromium (its shell without a desktop) and servers of files, buckets, machines and clusters, azurite
# from npm. "web" and "sources" name a part; without arguments both. What is missing is said, and its tests are skipped.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
azurite=.venv/azurite/node_modules/.bin/azurite-blob
log=$(mktemp)
need=()
# A program that has to be there, and the packages it comes with.
want() {
    local program=$1
    shift
    command -v "$program" > /dev/null || need+=("$@")
}
sources() {
    want sshd openssh-server
    want busybox busybox
    want nginx nginx-light
    want rclone rclone
    want munged munge
    want slurmctld slurm-wlm
    want slurmdbd slurmdbd
    want mariadbd mariadb-server
    want radosgw ceph-mon ceph-osd ceph-mgr radosgw
    [ -x "$azurite" ] || want npm nodejs npm
}
case " $* " in "  " | *" web "*) want chromium-headless-shell chromium-headless-shell fonts-liberation ;; esac
case " $* " in "  " | *" sources "*) sources ;; esac

root=()
as_root() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive "$@"; }
apt() { as_root apt-get -qq -o DPkg::Lock::Timeout=120 "$@" < /dev/null >> "$log" 2>&1; }
kept=""
skipped() { kept=yes; echo "their tests will be skipped: $1" >&2; }
# Debian starts and enables services when it installs them; tests start servers of their own, in folders of their own.
policy=/usr/sbin/policy-rc.d
quietly() {
    local ours="" package unit status
    if [ ! -e "$policy" ]; then
        ours=yes
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
    fi
    apt install -y --no-install-recommends "${need[@]}"
    status=$?
    [ -z "$ours" ] || as_root rm -f "$policy"
    if command -v systemctl > /dev/null; then
        for package in "${need[@]}"; do
            for unit in $(dpkg -L "$package" 2> /dev/null | sed -n 's|^.*/lib/systemd/system/\([^/]*[^@]\.\(service\|target\|socket\)\)$|\1|p'); do
                as_root systemctl disable "$unit" < /dev/null >> "$log" 2>&1
            done
        done
    fi
    return "$status"
}
packages() {
    local names="${need[*]}" try
    command -v apt-get > /dev/null || { skipped "there is no apt-get to install $names with"; return; }
    if [ "$(id -u)" -ne 0 ]; then
        # Nobody may be there to type a password.
        sudo -n true 2> /dev/null || { skipped "sudo apt-get install $names"; return; }
        root=(sudo -n)
    fi
    echo "installing $names for the tests ..." >&2
    for try in 1 2; do
        apt update && quietly && return
        [ "$try" = 2 ] || sleep 5
    done
    tail -n 5 "$log" >&2
    skipped "$names could not be installed (the whole log is $log)"
}
[ "${#need[@]}" -eq 0 ] || packages
case " $* " in "  " | *" sources "*)
    if [ ! -x "$azurite" ] && command -v npm > /dev/null; then
        echo "installing azurite for the tests ..." >&2
        npm install --prefix .venv/azurite --no-audit --no-fund --loglevel=error azurite@3 < /dev/null >> "$log" 2>&1 ||
            { tail -n 5 "$log" >&2; skipped "azurite could not be installed (the whole log is $log)"; }
    fi
    ;;
esac
[ -n "$kept" ] || rm -f "$log"
exit 0

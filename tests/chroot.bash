# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Debian systems to change into, for tests/on-debian-13 and tests/packages, which read this file.
#
# Whoever does has set `root` to the checkout, and calls itself with --in-namespace FUNCTION ARGUMENT… for
# what is done in mount and process namespaces of its own, which leave nothing behind.

this=tests/$(basename "$0")
: "${root:?}"

missing() {
    echo "$this: $*" >&2
    exit 77
}

# ---- In the namespaces ----------------------------------------------------------------------------

# mount_kernel SYSTEM: what programs expect of a kernel.
mount_kernel() {
    mount -t proc proc "$1/proc"
    mount -t sysfs -o ro sysfs "$1/sys"
    mount --rbind /dev "$1/dev"
}

# mount_read_only SYSTEM SCRATCH: it stays as it is, with folders to write to that are in SCRATCH.
mount_read_only() {
    local system=$1 scratch=$2 name
    mount --bind "$system" "$system"
    mount -o remount,bind,ro "$system"
    mount_kernel "$system"
    for name in root tmp var/tmp; do
        mkdir -p "$scratch/$name"
        chmod 1777 "$scratch/$name"
        mount --bind "$scratch/$name" "$system/$name"
    done
    mount -t tmpfs tmpfs "$system/run"
}

# within [--as USER] SYSTEM COMMAND…: with an environment as of somebody who has just logged in.
within() {
    local name
    local -a as=() environment=(HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    if [ "$1" = --as ]; then
        as=("--userspec=$2:$2")
        environment+=("HOME=/tmp/home-of-$2" "USER=$2")
        shift 2
    fi
    local system=$1
    shift
    for name in http_proxy https_proxy no_proxy ALTCLIP_MUTANTS CI TERM; do
        [ -z "${!name-}" ] || environment+=("$name=${!name}")
    done
    chroot "${as[@]}" "$system" /usr/bin/env -i "${environment[@]}" "$@" </dev/null
}

# bootstrap SUITE SYSTEM MIRROR: the least that there is of a Debian.
bootstrap() {
    local suite=$1 system=$2 mirror=$3
    debootstrap --variant=minbase "$suite" "$system" "$mirror"
    # The disk need not have it before the next step: what is cut short is made anew.
    echo force-unsafe-io >"$system/etc/dpkg/dpkg.cfg.d/unsafe-io"
    printf '#!/bin/sh\nexit 101\n' >"$system/usr/sbin/policy-rc.d"
    chmod +x "$system/usr/sbin/policy-rc.d"
    # As this system reaches its packages.
    cp -L /etc/resolv.conf /etc/hosts "$system/etc/"
    apt-config dump | grep -E '^Acquire::(https?::|Check-Valid-Until|Check-Date|ForceIPv)' \
        >"$system/etc/apt/apt.conf.d/90host" || true
}

# ---- Outside --------------------------------------------------------------------------------------

# need_chroots WHAT: or nothing can be done here.
need_chroots() {
    local log
    [ "$(id -u)" -eq 0 ] || missing "needs root, to make $1 and change into it"
    if ! command -v debootstrap >/dev/null; then
        if command -v apt-get >/dev/null; then
            log=$(mktemp)
            { apt-get update && apt-get install --yes --no-install-recommends debootstrap; } >"$log" 2>&1 </dev/null \
                || tail -n 5 "$log" >&2
            rm -f "$log"
        fi
        command -v debootstrap >/dev/null || missing "needs debootstrap: apt-get install debootstrap"
    fi
    unshare --mount --pid --fork mount -t tmpfs tmpfs /mnt 2>/dev/null \
        || missing "needs to mount, which root may not here: in a container, run it with --privileged"
}

# in_namespace FUNCTION ARGUMENT…: whatever it starts or mounts is gone when it ends, or when this does.
child=
in_namespace() {
    local status=0
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$root/$this" --in-namespace "$@" </dev/null &
    child=$!
    wait "$child" || status=$?
    child=
    return "$status"
}

# Deletes a folder of ours, once nothing is mounted in it.
delete() {
    local at
    [ -e "$1" ] || return 0
    at=$(realpath "$1")
    if awk '{ print $5 }' /proc/self/mountinfo | grep -qF "$at/"; then
        echo "$this: something is mounted in $at, which stays as it is" >&2
        return 1
    fi
    rm -rf --one-file-system "$at"
}

# use_cache FOLDER NAME: makes `cache`, and in it `scratch`, which is deleted when this ends; one run at a time.
use_cache() {
    mkdir -p "$1"
    cache=$(realpath "$1")
    scratch=$cache/$2scratch
    exec 9>"$cache/$2lock"
    if ! flock --nonblock 9; then
        echo "Waiting for another run in $cache"
        flock 9
    fi
    trap finish_with_cache EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    # What a run that was killed left there.
    delete "$scratch"
    mkdir "$scratch"
}

finish_with_cache() {
    local status=$?
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill -KILL "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    delete "$scratch" || true
    exit "$status"
}

# Where this Debian's packages come from.
mirror() {
    local found
    # shellcheck disable=SC2016  # apt-get's variables
    found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null \
        | awk '$2 !~ /-/ { print $1; exit }')
    case $found in
        */debian/ | */debian) echo "$found" ;;
        *) echo http://deb.debian.org/debian ;;
    esac
}

# copy_checkout TO: what git has or would have; all but what was built where there is no git.
copy_checkout() {
    local git=(git -c "safe.directory=$root" -C "$root")
    if [ -e "$root/.git" ] && command -v git >/dev/null; then
        comm -z -23 <("${git[@]}" ls-files -z --cached --others --exclude-standard | sort -zu) \
            <("${git[@]}" ls-files -z --deleted | sort -zu)
    else
        (cd "$root" && find . -mindepth 1 -maxdepth 1 ! -name 'build*' ! -name '.git' -print0)
    fi | tar -C "$root" --null --files-from=- -c | tar -C "$1" --no-same-owner -x
}

# Roots: a bare Debian of a suite, and the same with what a build needs. Sourced by tests/box/run.
#
# They are made once, from the mirrors and with the apt settings that this machine has, and kept as layers in $box.
# shellcheck shell=bash

box=${ONECALL_BOX:-/var/tmp/onecall-box}

# A throwaway root on top of layers: mount_root <name> <lower layer>[:<lower layer>...]; prints its path.
mount_root() {
    local here="$box/run/$1"
    drop_root "$1"
    mkdir -p "$here"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$here/upper,workdir=$here/work" "$here/root" || return 1
    echo "$here/root"
}

drop_root() { # unmount it, and only then remove it
    local here="$box/run/$1"
    if mountpoint -q "$here/root"; then umount "$here/root" || return 1; fi
    rm -rf --one-file-system "$here"
}

# Run a command in a root that is not booted. With the network of this machine: for apt.
enter_online() { # root, command...
    local root=$1
    shift
    systemd-nspawn --quiet --register=no --keep-unit --console=pipe --resolv-conf=replace-host \
        --setenv=DEBIAN_FRONTEND=noninteractive --setenv=LC_ALL=C.UTF-8 --setenv=PATH="$debian_path" \
        --bind="$box/archives:/var/cache/apt/archives" --directory="$root" "$@" </dev/null
}
debian_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The same with no network but a loopback of its own.
enter_offline() { # root, nspawn options and command...
    local root=$1
    shift
    systemd-nspawn --quiet --register=no --keep-unit --console=pipe --private-network --resolv-conf=off \
        --setenv=DEBIAN_FRONTEND=noninteractive --setenv=LC_ALL=C.UTF-8 --setenv=PATH="$debian_path" \
        --directory="$root" "$@" </dev/null
}

# This machine's Debian mirrors, as lines "URI release" of a suite: deb.example/debian trixie-updates ...
mirrors() { # suite
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016  # apt's own variables
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v from="$codename" -v to="$1" '$3 == "main" && $2 ~ "^" from "(-updates|-security)?$" {
            sub("^" from, to, $2); if (!seen[$0]++) print $1, $2 }'
}

make_base() { # suite: a bare Debian with systemd, as debootstrap makes it
    local base="$box/$1/base" mirror
    [ ! -e "$base.done" ] || return 0
    rm -rf --one-file-system "$base"
    mkdir -p "$box/archives/partial" "$base"
    mirror=$(mirrors "$1" | awk -v suite="$1" '$2 == suite { print $1; exit }')
    [ -n "$mirror" ] || { echo "apt of this machine names no Debian mirror" >&2; return 1; }
    debootstrap --variant=minbase --include=systemd,systemd-sysv,ca-certificates,procps \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --cache-dir="$box/archives" \
        "$1" "$base" "$mirror" || return 1
    mirrors "$1" | sed 's/^/deb /; s/$/ main/' >"$base/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(Check-|http|https|ftp|Retries)' >"$base/etc/apt/apt.conf.d/90machine"
    echo 'APT::Keep-Downloaded-Packages "true";' >"$base/etc/apt/apt.conf.d/91keep"
    echo 'Dpkg::Use-Pty "false"; APT::Sandbox::User "root";' >"$base/etc/apt/apt.conf.d/92box"
    echo force-unsafe-io >"$base/etc/dpkg/dpkg.cfg.d/box"
    rm -f "$base/etc/machine-id" "$base/var/lib/dbus/machine-id"
    enter_online "$base" apt-get -q update && enter_online "$base" apt-get -qy dist-upgrade || return 1
    touch "$base.done"
}

make_builder() { # suite: with the packages that debian/control asks for, kept as a layer over the bare one
    local layer="$box/$1/builder" key root
    key=$(sha256sum <debian/control)
    [ "$(cat "$layer.done" 2>/dev/null)" != "$key" ] || return 0
    root=$(mount_root "$1-builder" "$box/$1/base") || return 1
    mkdir -p "$root/build/debian"
    cp debian/control "$root/build/debian/"
    enter_online "$root" apt-get -qy --no-install-recommends install build-essential lintian &&
        enter_online "$root" apt-get -qy --no-install-recommends build-dep /build || return 1
    rm -rf "$root/build"
    umount "$root" && rm -rf --one-file-system "$layer" && mv "$box/run/$1-builder/upper" "$layer" || return 1
    drop_root "$1-builder"
    echo "$key" >"$layer.done"
}

# A machine: a root booted with systemd, alone with a loopback. Sourced by tests/box/run.
# shellcheck shell=bash disable=SC2154  # what roots.sh sets

boot() { # suite: a throwaway root over the bare Debian, and the machine on it
    local root
    root=$(mount_root "$1-machine" "$box/$1/base") || return 1
    mkdir -p "$root/root/box"
    cp "$box/$1"/built/onecall_*.deb "$root/root/box/onecall.deb"
    cp tests/box/probe.py tests/box/revision.py "$root/root/box/"
    # apt finds in its cache what it would fetch: the machine itself has no network.
    enter_online "$root" sh -c 'apt-get -qy --download-only install /root/box/onecall.deb whiptail perl debconf-i18n sudo tmux autopkgtest' >/dev/null || return 1
    power_on "$1"
}

power_on() { # suite: $nspawn is the process that keeps it, $machine its first one
    # A mount namespace of its own: Debian 13's systemd wants the unified control groups alone.
    # shellcheck disable=SC2016
    unshare --mount --propagation private sh -c '
        if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
            umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
        fi
        exec systemd-nspawn --boot --quiet --register=no --keep-unit --private-network --resolv-conf=off \
            --console=read-only --machine="onecall-$1" --bind="$2:/var/cache/apt/archives" --directory="$3"
        ' sh "$1" "$box/archives" "$box/run/$1-machine/root" >"$box/log/$1-boot.log" 2>&1 </dev/null &
    nspawn=$!
    wait_until 90 booted
}

booted() { # nspawn's child is the machine's first process; its job is done when systemd waits for nothing more
    machine=$(pgrep -P "$nspawn" | head -n 1)
    [ -n "$machine" ] && case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) ;; *) false ;; esac
}

inside() { # command... in the machine, as root
    nsenter --target "$machine" --mount --uts --ipc --net --pid --root --wdns=/ \
        env -i PATH="$debian_path" HOME=/root LANG=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive "$@"
}

power_off() { # in order; by force after 20 s
    [ -n "${nspawn:-}" ] || return 0
    kill "$nspawn" 2>/dev/null
    timeout 20 tail --pid="$nspawn" -f /dev/null || kill -9 "$nspawn"
    nspawn='' machine=''
}

troubles() { # what one needs to know to understand a failure
    inside systemctl --no-pager --plain list-units --all 'onecall*'
    inside timeout 10 onecall calls --lang en
    inside journalctl --no-pager --quiet --boot --lines=40 --unit='onecall*'
}

halt() { # and throw the root away
    power_off
    drop_root "$1-machine"
}

wait_until() { # seconds, command...: as soon as it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

# The package: built in a root of its suite, without network, and looked at by lintian. Sourced by tests/box/run.
# shellcheck shell=bash disable=SC2154  # what roots.sh sets

source_tree() { # into a folder: what git knows of, and what is new beside it, as it is now; or of BOX_COMMIT
    mkdir -p "$1"
    if [ -n "${BOX_COMMIT:-}" ]; then
        git archive "$BOX_COMMIT" | tar -x -C "$1"
    else
        git ls-files -z --cached --others --exclude-standard --deduplicate | xargs -0 ls -d 2>/dev/null |
            tar -c -T - | tar -x -C "$1"
    fi
    mkdir -p "$1/build"
    cp -r build/wheels "$1/build/wheels"
}

build_package() { # suite: leaves the .deb and .changes in $box/<suite>/built
    local suite=$1 root
    rm -rf "$box/$suite/built"
    mkdir -p "$box/$suite/built"
    root=$(mount_root "$suite-build" "$box/$suite/builder:$box/$suite/base") || return 1
    source_tree "$root/build/onecall"
    enter_offline "$root" --chdir=/build/onecall dpkg-buildpackage -b -us -uc -rfakeroot --no-check-builddeps ||
        return 1
    cp "$root"/build/onecall*.{deb,changes,buildinfo} "$box/$suite/built/"
}

check_package() { # suite: lintian finds nothing
    local root="$box/run/$1-build/root" said
    said=$(enter_offline "$root" sh -c 'lintian --fail-on none --allow-root --tag-display-limit 0 /build/onecall*.changes' 2>&1)
    echo "$said"
    ! grep -qE '^[EW]:' <<<"$said"
}

pieces() { # suite: installed and purged once more, in a copy of the bare root, where nothing is started
    piuparts --distribution="$1" --existing-chroot="$box/$1/base" --keep-sources-list --no-eatmydata \
        --no-upgrade-test --no-adequate --do-not-verify-signatures --warn-on-leftovers-after-purge \
        --log-file="$box/log/$1-piuparts.log" "$box/$1"/built/onecall_*.deb >/dev/null 2>&1 ||
        { tail -n 30 "$box/log/$1-piuparts.log" && false; }
}

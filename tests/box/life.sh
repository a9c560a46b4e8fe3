# A machine in its life: its journal, a stop that waits, the store through an upgrade and back. Sourced by tests/box/run.
# shellcheck shell=bash disable=SC2154,SC2016

told() { # the journal has the lines of one call, with its legs and its queue, and no number of a caller
    local contact lines kind
    contact=$(probe talking) || return
    contact=${contact%% *}
    wait_until 90 over "$contact" || return
    lines=$(inside journalctl --quiet --output=cat "ONECALL_CONTACT=$contact")
    echo "$contact: $lines"
    for kind in contact.offered service.entered leg.answered contact.bridged contact.unbridged contact.ended; do
        grep "^$kind" <<<"$lines" >/dev/null || { echo "$kind is missing"; return 1; }
    done
    # No "grep -q" behind a pipe: who is not listened to until he has said all ends by SIGPIPE.
    inside journalctl --quiet --output=cat "ONECALL_CONTACT=$contact" ONECALL_QUEUE=service | grep '^queue\.' &&
        inside journalctl --quiet --output=verbose "ONECALL_CONTACT=$contact" | grep ONECALL_LEG= >/dev/null &&
        ! grep -E '1[3-9][0-9]{9}' <<<"$lines"
}

over() { inside journalctl --quiet --output=cat "ONECALL_CONTACT=$1" | grep '^contact.ended'; }

plugin_beside() { # docs/plugins.md's example, as a package of its own: its service can be reached, and no file of ours is another
    local root=$box/run/$suite-machine/root/root/time folder
    folder=$root/usr/lib/onecall
    ! inside onecall numbers add 99001 time:now || return
    mkdir -p "$folder"/onecall_time/prompts "$folder"/onecall_time-1.0.dist-info "$root/DEBIAN"
    awk '/^```python/ { inside = 1; next } /^```/ { if (inside) exit } inside' docs/plugins.md >"$folder/onecall_time/plugin.py"
    touch "$folder/onecall_time/__init__.py"
    echo 'now = "现在是{time}。"' >"$folder/onecall_time/prompts/zh.toml"
    echo 'now = "It is {time}."' >"$folder/onecall_time/prompts/en.toml"
    printf 'Metadata-Version: 2.1\nName: onecall-time\nVersion: 1.0\n' >"$folder/onecall_time-1.0.dist-info/METADATA"
    printf '[onecall.plugins]\ntime = onecall_time.plugin\n' >"$folder/onecall_time-1.0.dist-info/entry_points.txt"
    printf '%s\n' 'Package: onecall-time' 'Version: 1.0' 'Architecture: all' 'Depends: onecall' \
        'Maintainer: somebody else <else@site.invalid>' 'Description: tells callers the time' >"$root/DEBIAN/control"
    inside dpkg-deb --root-owner-group --build /root/time /root/time.deb && inside apt-get -qy install /root/time.deb &&
        inside systemctl restart onecall-control.service && probe up || return
    inside onecall numbers add 99001 time:now && inside onecall numbers --lang en && [ -z "$(inside dpkg --verify onecall)" ] || return
    inside onecall numbers remove 99001 && inside apt-get -qy purge onecall-time &&
        inside systemctl restart onecall-control.service && probe ready
}

drained() { # a stop with drain_s waits until the calls that are up have ended as they would have
    local contacts stop
    inside sed -i 's/^drain_s = .*/drain_s = 120.0/' /etc/onecall/onecall.toml
    inside systemctl restart onecall-control.service && rate 1200 12 14 && contacts=$(probe talking) || return
    inside systemctl kill --kill-whom=main --signal=USR1 onecall-sim.service # no new callers
    contacts=$(probe talking) || return
    inside systemctl stop onecall-control.service onecall-line.service onecall-phone.service &
    stop=$!
    wait_until 10 stopping && probe still ${contacts%% *} && active line || return
    echo "it stops, and calls are up: $contacts"
    wait $stop || return
    # shellcheck disable=SC2086  # one word a contact
    probe ended $contacts || return
    inside sed -i 's/^drain_s = .*/drain_s = 0.0/' /etc/onecall/onecall.toml
    inside systemctl start onecall.target && inside systemctl restart onecall-sim.service && probe ready
}

stopping() { [ "$(inside systemctl show --property=ActiveState --value onecall-control.service)" = deactivating ]; }

migrated() { # the package of the next version has brought a revision more: it ran once, its copy is kept, nothing is lost
    probe migrated before-99.0 && inside systemctl restart onecall-control.service && probe ready &&
        probe migrated before-99.0
}

way_back() { # the version before, installed after a removal, refuses the newer store; with the kept copy it serves
    local said copy
    inside apt-get -qy -o Dpkg::Options::=--force-confold install /root/box/onecall.deb
    wait_until 60 refuses || return
    said=$(inside onecall doctor --lang en)
    grep -A 1 store.file <<<"$said" && grep 'was written by a newer version' <<<"$said" || { echo "$said"; return 1; }
    copy=$(inside sh -c 'ls /var/lib/onecall/onecall.db.before-99.0-*') && grep -qF "${copy##*/}" <<<"$said" || return
    inside systemctl stop onecall.target onecall-control.service
    inside sh -c "rm -f /var/lib/onecall/onecall.db-* && cp -p $copy /var/lib/onecall/onecall.db"
    inside systemctl start onecall.target && probe agents && inside apt-get -qy remove onecall
}

refuses() { inside journalctl --quiet --boot --unit=onecall-control.service | grep 'was written by a newer version'; }

own_tests() { # the package's own tests, by the runner that Debian has for them
    inside apt-get -qy install autopkgtest >/dev/null || return
    source_tree "$box/run/$suite-machine/root/root/box/tree"
    # Run in place; that systemd has booted what is thrown away afterwards is more than its runner "null" knows.
    inside autopkgtest --no-built-binaries --ignore-restrictions=isolation-container \
        /root/box/onecall.deb /root/box/tree -- null
}

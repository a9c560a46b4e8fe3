# What is proved of the package, in order. Sourced by tests/box/run.
# shellcheck shell=bash disable=SC2154,SC2016  # what roots.sh sets; what a shell inside the machine expands

prove() { # suite: ends at the first failure that makes the rest pointless
    arrives "$1" && serves && comes_back && grows || return
    # What follows is the same on every suite, or takes long: on one of them.
    [ "$suite" != "$last" ] || asks
}

arrives() { # suite
    step "the wheels are fetched, each with its hash" scripts/fetch-wheels || return
    step "a bare root is there" make_base "$1" || return
    step "a root with the build's packages is there" make_builder "$1" || return
    step "the package is built without network" build_package "$1" || return
    step "lintian finds no error and no warning" check_package "$1"
    if command -v piuparts >/dev/null; then
        step "piuparts finds nothing left behind" pieces "$1"
    fi
    step "a bare machine boots" boot "$1" || return
    step "apt installs the package alone" install || return
    step "the three services and the simulator are ready" services_active || return
    step "the simulated site is whole: trunk up, phones registered" probe ready
}

serves() {
    local unit
    step "the default call rate is left behind for one that a test can wait for" rate 1500 4 7
    step "callers and agents hear each other, live and in the recordings" hear || return
    for unit in line phone control sim; do
        step "systemd-analyze security onecall-$unit: at most $(exposure "$unit")" secure "$unit"
    done
    step "the line process ticks with SCHED_FIFO and is heard" realtime
    step "who is not in the group is told what to do" stranger
    step "a member of the group may ask" member
    step "the console opens" console
    step "the journal knows who speaks, and has no traceback" journal
    step "completion and man pages are there" helped
    [ "$suite" = "$first" ] || return 0
    step "the journal has the lines of a call, its legs and its queue" told # requirement: A9.06
    step "another's plugin, a package beside ours, brings a service; no file of ours is changed" plugin_beside # requirement: A9.11
    step "a stop waits for calls that are up as long as drain_s says" drained # requirement: A9.10
}

comes_back() {
    local unit
    for unit in line phone control sim; do
        step "onecall-$unit is killed and comes back" killed "$unit"
    done
    for unit in line phone control; do
        step "onecall-$unit hangs and the watchdog brings it back" hung "$unit"
    done
    step "the site is whole again" probe ready || return
    step "an admin edits settings and a conffile" edit
    if [ "$suite" = "$first" ] && command -v qemu-system-x86_64 >/dev/null; then
        step "under a kernel of its own, LimitRTPRIO gives the line process SCHED_FIFO" own_kernel
    fi
    step "the machine is started anew, and the site is whole by itself" reboot
}

grows() {
    step "an upgrade keeps what the admin has edited and calls that are up" upgrade || return # requirement: A9.10
    step "the line process is restarted when no call is up" restarted
    step "the store is migrated once, and kept as it was before" migrated # requirement: A9.10
    step "a downgrade is refused with a sentence" downgrade # requirement: A9.10
    step "a backup is made while it runs, and restored" backup
    step "remove keeps the site's data" remove || return
    if [ "$suite" = "$last" ]; then
        step "the version before refuses the newer store, and serves with the copy from before" way_back # requirement: A9.10
    fi
    step "a second install finds the site as it was" reinstall
    step "purge leaves nothing behind" purge
}

asks() {
    step "a terminal's programs are installed" terminal_programs || return
    step "the first install asks by dialogs, in Chinese, until answers are right; they land in the files" first_install || return
    step "reconfiguring asks by lines, in English, until answers are right; they land in the files" reconfigured
    step "the console asks before it changes lines; who may not is told what to type" lines_refused
    step "the console puts a card's lines in the simulator's place, and the services restart" lines_to_card
    step "the console puts the simulator back, and the site is whole again" lines_to_simulator
    step "the package's own tests pass under autopkgtest" own_tests
}

probe() { inside /usr/lib/onecall/python /root/box/probe.py "$@"; }
active() { inside systemctl is-active --quiet "onecall-$1.service"; }
pid_of() { inside systemctl show --property=MainPID --value "onecall-$1.service"; }
exposure() { case $1 in line) echo 2.0 ;; *) echo 1.5 ;; esac; }

install() {
    inside apt-get -qy install /root/box/onecall.deb && ! inside systemctl is-failed 'onecall*' >/dev/null
}

services_active() {
    local unit
    for unit in line phone control sim; do active $unit || { inside systemctl status "onecall-$unit"; return 1; }; done
    [ "$(inside systemctl is-enabled onecall.target)" = enabled ]
}

rate() { # calls an hour, least and most seconds of talk: starts the simulator with it, and notes when
    inside sh -c "mkdir -p /etc/systemd/system/onecall-sim.service.d && cat >/etc/systemd/system/onecall-sim.service.d/box.conf" <<END
[Service]
ExecCondition=
ExecCondition=/usr/lib/onecall/python -m appliance.demo.installed --out /run/onecall/sim.toml --calls-per-hour $1 --talk $2 $3
ExecStart=
ExecStart=/usr/lib/onecall/python -m hw.sim --config /run/onecall/sim.toml --level warning --report /run/onecall/sim-report.json
END
    inside systemctl daemon-reload
    began=$(date +%s)
    inside systemctl restart onecall-sim.service && probe ready
}

hear() { # let some calls go by, end the simulator, which writes its report, and compare
    probe talking && sleep "${1:-22}"
    inside systemctl stop onecall-sim.service
    probe idle && probe audio "$began"
    local verdict=$?
    inside systemctl start onecall-sim.service
    return $verdict
}

secure() {
    local limit
    limit=$(exposure "$1")
    inside systemd-analyze security --no-pager --threshold="${limit/./}" "onecall-$1.service"
}

realtime() { # LimitRTPRIO= allows it; where not even root of this machine may raise a limit, systemd asks itself
    if [ "$(inside sh -c 'ulimit -r 50 2>/dev/null; ulimit -r')" = 0 ]; then
        echo "no limit can be raised on this machine (CAP_SYS_RESOURCE); with CPUSchedulingPolicy= instead"
        inside sh -c 'mkdir -p /run/systemd/system/onecall-line.service.d &&
            printf "[Service]\nCPUSchedulingPolicy=fifo\nCPUSchedulingPriority=10\n" \
                >/run/systemd/system/onecall-line.service.d/box.conf'
        inside systemctl daemon-reload
        inside systemctl restart onecall-line.service
    fi
    inside chrt --pid "$(pid_of line)" | grep SCHED_FIFO && probe ready
}

stranger() {
    inside useradd --create-home stranger
    ! said=$(inside runuser -u stranger -- onecall status --lang en 2>&1) && echo "$said" &&
        grep -q 'usermod -aG onecall' <<<"$said"
}

member() {
    inside usermod -aG onecall stranger
    inside runuser -u stranger -- onecall status --json | grep '"version"' >/dev/null
}

console() { # on a terminal of its own, until it has drawn itself: on the first steps, the zone among them
    inside env TERM=xterm-256color timeout 10 script -qc 'stty rows 40 cols 120; timeout --foreground 6 onecall admin' /root/box/screen
    inside grep -aq 中国大陆 /root/box/screen
}

helped() {
    inside bash -c '. /usr/share/bash-completion/completions/onecall && COMP_WORDS=(onecall sta) COMP_CWORD=1 &&
        _onecall && [ "${COMPREPLY[*]}" = status ]' &&
        inside test -s /usr/share/man/man1/onecall.1.gz -a -s /usr/share/man/man5/onecall.toml.5.gz
}

journal() {
    inside journalctl --quiet SYSLOG_IDENTIFIER=onecall-control PRIORITY=6 | grep 'the control process is up' && ! inside journalctl -u 'onecall-*' | grep -A 30 Traceback
}

killed() {
    local before
    before=$(pid_of "$1")
    inside kill -9 "$before"
    wait_until 20 back "$1" "$before" && probe up
}

hung() {
    local before
    before=$(pid_of "$1")
    inside kill -STOP "$before"
    wait_until 30 back "$1" "$before" && probe up && inside journalctl -u "onecall-$1" | grep -i watchdog
}

back() { # unit, process before
    active "$1" && [ "$(pid_of "$1")" != "$2" ]
}

edit() {
    inside sed -i 's/^site = .*/site = "Box"/' /etc/onecall/onecall.toml &&
        inside sh -c 'echo "# edited" >>/etc/onecall/queues.toml' && inside onecall setup --zone hk --yes --lang en &&
        inside systemctl restart onecall.target && probe ready && said=$(inside onecall doctor --lang en || true) &&
        grep 'zone: hk (Hong Kong)' <<<"$said"
}

own_kernel() { # the machine's files, switched off, in a virtual machine; nothing is changed
    power_off
    python3 tests/box/kernel.py "$box/run/$suite-machine/root"
}

reboot() { power_off && power_on "$suite" && probe ready; }

# The same package with another version, a changed conffile and a changed settings file, and a revision of the store more.
newer() { # version
    inside sh -c 'rm -rf /tmp/newer && dpkg-deb -R /root/box/onecall.deb /tmp/newer && cd /tmp/newer &&
        sed -i "s/^Version: .*/Version: '"$1"'/" DEBIAN/control usr/lib/onecall/onecall-*.dist-info/METADATA &&
        cd usr/lib/onecall/appliance/store/migrations/versions && head=$(ls core_*.py | tail -n 1) &&
        sed "s/@BEFORE@/${head%.py}/" /root/box/revision.py >core_9999.py && cd /tmp/newer && echo "# of the next version" >>etc/onecall/queues.toml &&
        echo "# of the next version" >>etc/onecall/menus/main.toml &&
        echo "# of the next version" >>usr/share/onecall/onecall.toml &&
        dpkg-deb --root-owner-group -b . /root/newer.deb' >/dev/null
}

upgrade() {
    local line contacts control
    newer 99.0 && rate 1200 33 36 && contacts=$(probe talking) || return 1
    sleep 4
    contacts=$(probe talking)
    inside systemctl kill --kill-whom=main --signal=USR1 onecall-sim.service # no new callers
    line=$(pid_of line) control=$(pid_of control)
    echo "$line" >"$box/run/line-before"
    inside apt-get -qy -o Dpkg::Options::=--force-confold install /root/newer.deb || return 1
    probe ready || return 1
    sleep 5
    # shellcheck disable=SC2086  # one word a contact
    probe still $contacts && [ "$(pid_of line)" = "$line" ] && [ "$(pid_of control)" != "$control" ] || return 1
    inside grep -q '^site = "Box"' /etc/onecall/onecall.toml && inside grep -q '^zone = "hk"' /etc/onecall/onecall.toml &&
        inside grep -q '^# edited' /etc/onecall/queues.toml && inside grep -q 'of the next version' /etc/onecall/menus/main.toml &&
        [ "$(inside dpkg-query -W -f '${Version}' onecall)" = 99.0 ]
}

restarted() { # a caller whose menu begins anew with the control process lets it ask three times more: over a minute
    if ! wait_until 180 back line "$(cat "$box/run/line-before")"; then
        inside onecall calls --json
        inside onecall agents --lang en
        inside systemctl --no-pager status 'onecall*'
        inside journalctl --no-pager -u 'onecall*' -n 100
        return 1
    fi
    probe ready
}

downgrade() {
    ! said=$(inside apt-get -qy --allow-downgrades install /root/box/onecall.deb 2>&1) && echo "$said" &&
        grep -q 'is older than 99.0' <<<"$said" && probe ready
}

backup() {
    inside onecall backup /root/site.tar.gz && inside systemctl stop onecall.target onecall-control.service &&
        inside rm /var/lib/onecall/onecall.db && inside onecall restore --yes /root/site.tar.gz &&
        inside systemctl start onecall.target && probe agents
}

remove() {
    inside apt-get -qy remove onecall && ! inside test -e /usr/bin/onecall && ! inside pgrep -f /usr/lib/onecall &&
        inside test -s /var/lib/onecall/onecall.db -a -s /etc/onecall/onecall.toml -a -s /etc/onecall/queues.toml
}

reinstall() {
    inside apt-get -qy -o Dpkg::Options::=--force-confold install /root/newer.deb && services_active && probe agents &&
        inside grep -q '^site = "Box"' /etc/onecall/onecall.toml
}

purge() {
    inside rm -rf /etc/systemd/system/onecall-sim.service.d /run/systemd/system/onecall-line.service.d
    inside apt-get -qy purge onecall || return 1
    local left
    left=$(inside sh -c 'ls -d /etc/onecall /var/lib/onecall /run/onecall* /usr/lib/onecall /usr/share/onecall 2>/dev/null
        find /etc /var /usr /run -xdev -iname "*onecall*" -not -path "/var/lib/apt/*" -not -path "/var/log/*" \
            -not -path "/var/cache/*" 2>/dev/null')
    echo "left: $left"
    [ -z "$left" ]
}

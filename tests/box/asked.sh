# What is asked on a terminal: by the installation, and by the console's first steps. Sourced by tests/box/run.
# shellcheck shell=bash disable=SC2016

# What an ordinary machine has and the bare one has not: whiptail draws debconf's dialogs, perl's modules its lines,
# debconf-i18n brings its languages.
terminal_programs() {
    inside apt-get -qy install whiptail perl debconf-i18n sudo tmux &&
    inside useradd --create-home clerk && inside useradd --create-home deputy
}

first_install() { # dialogs in Chinese; a wrong number and a wrong user are asked for again, more than once
    on_terminal 'env DEBIAN_FRONTEND=dialog LANGUAGE=zh_CN apt-get -y install /root/box/onecall.deb; echo "ended with $?"; exec sleep 1000'
    sees 提示音和服务的语言 && keys Down && keys Enter || return # from Chinese, which is offered, to English
    sees 客户拨打的号码 && answer 12a || return
    sees 号码无效 && keys Enter && sees 客户拨打的号码 && answer 123456789012345678901 || return
    sees 号码无效 && keys Enter && sees 客户拨打的号码 && answer 88001 || return
    sees 第一位管理员 && answer nobody-of-ours || return
    sees 没有这个用户 && keys Enter && sees 第一位管理员 && answer clerk || return
    sees 'ended with 0' && closed
    answers en 88001 && groups_of clerk && services_active
}

reconfigured() { # lines to type in English; what is not asked again stays
    on_terminal 'env --unset=DEBIAN_FRONTEND dpkg-reconfigure --frontend=readline onecall; echo "ended with $?"; exec sleep 1000'
    sees 'Language of prompts and of the service' && types 1 && keys Enter || return
    sees 'First administrator' && answer nobody-of-ours || return
    sees 'The administrator must be a user of this system' && answer deputy || return
    sees 'ended with 0' && closed
    answers zh 88001 && groups_of deputy && services_active
}

answer() { # in place of what stands in the field
    keys C-u
    types "$1" && keys Enter
}

answers() { # language, number: they stand in the files
    inside grep -E '^(language|outside_caller) =|^"[0-9]+" =' /etc/onecall/onecall.toml /etc/onecall/site.toml
    inside grep -q "^language = \"$1\"" /etc/onecall/onecall.toml &&
        inside grep -q "^outside_caller = \"$2\"" /etc/onecall/onecall.toml &&
        inside grep -q "^\"$2\" =" /etc/onecall/site.toml
}

groups_of() {
    local groups
    groups=$(inside id -nG "$1")
    echo "$1: $groups" # not by "tee /dev/stderr", which begins the file anew
    grep -w onecall <<<"$groups"
}

# The console's step "Lines": from the simulator to a card and back. The machine has no card, and the line process says so.
lines_refused() { # a member who may not use sudo is told what to type, and nothing is changed
    first_steps stranger && lines_step "Use the card's lines?" || return
    sees 'It can be done in a terminal' && sees 'sudo onecall lines use dahdi' || return
    keys Escape
    closed
    [ "$(drivers)" = sim ]
}

lines_to_card() { # a member who may use sudo
    local before
    before=$(pid_of line)
    inside sh -c 'echo "stranger ALL=(root) NOPASSWD: ALL" >/etc/sudoers.d/box && chmod 440 /etc/sudoers.d/box'
    first_steps stranger && lines_step "Use the card's lines?" n && [ "$(drivers)" = sim ] || return
    lines_step "Use the card's lines?" || return
    wait_until 90 on_card "$before" && [ "$(drivers)" = dahdi ] && closed
}

lines_to_simulator() { # root; from then on the site is whole again, by itself
    first_steps root && lines_step 'Use the simulator?' || return
    wait_until 90 active sim && probe ready && [ "$(drivers)" = sim ]
    local verdict=$?
    closed
    return $verdict
}

first_steps() { # user: his console, on the first steps
    on_terminal "exec runuser -u $1 -- env TERM=xterm-256color onecall admin --lang en"
    keys 8 && sees 'Set up' && sees '; found:'
}

lines_step() { # question, and the answer to it
    keys Home && keys Down && keys Enter && sees "$1" && sees 'calls that are up end' && keys "${2:-y}"
}

drivers() { inside sed -n 's/^driver = "\(.*\)".*/\1/p' /etc/onecall/onecall.toml; }

on_card() { # process before: it is gone, its successors look for the card; nobody plays the exchange; the others are up
    [ "$(pid_of line)" != "$1" ] && ! active sim && active phone && active control &&
        inside journalctl --quiet --boot --unit=onecall-line.service | grep -F "span 1: there is no /dev/dahdi/ctl"
}

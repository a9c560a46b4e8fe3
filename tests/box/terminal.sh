# A terminal inside the machine, as a person has one: tmux draws it, keys are typed, the screen is read. Sourced by
# tests/box/run.
# shellcheck shell=bash

on_terminal() { tmux_inside kill-server 2>/dev/null; tmux_inside new-session -d -x 110 -y 40 "$1"; } # command line

tmux_inside() { inside env TERM=xterm-256color SHELL=/bin/sh tmux -L box -f /dev/null "$@"; }

screen() { tmux_inside capture-pane -p -t 0; }

shown() { screen | grep -F -- "$1"; }

sees() { # text: within 90 s it is on the screen; else tells what is there
    wait_until 90 shown "$1" && return
    echo "not on the terminal: $1"
    screen
    return 1
}

keys() { # names of keys, as tmux has them
    tmux_inside send-keys -t 0 "$@"
    sleep 0.3 # a person's fingers; what comes at once is a paste to some programs
}

types() { tmux_inside send-keys -t 0 -l -- "$1"; }

closed() { tmux_inside kill-server; }

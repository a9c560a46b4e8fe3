"""``python tests/box/kernel.py ROOT``: boots ROOT's systemd in a virtual machine, on a kernel that is its own.

A container's root may not raise a resource limit where the machine around it may not; here systemd is the first program
of a kernel, so that ``LimitRTPRIO=`` is what the unit says. Ends with 0 when the line process runs with SCHED_FIFO.
Nothing in ROOT is changed. The kernel is the DAHDI gate's, which is built when it is not there.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dahdi"))

from machine import MachineError, boot, build

_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
#: Emulated, it takes some 60 s on two cores that do nothing else.
_LIMIT_S = 300.0
_UNIT = """[Unit]
Wants=onecall-line.service
After=onecall-line.service
[Service]
Type=oneshot
StandardOutput=tty
TTYPath=/dev/ttyS0
ExecStart=/bin/sh /etc/look
"""
_LOOK = """
line=$(systemctl show --property=MainPID --value onecall-line.service)
echo "looked: $(chrt --pid "$line" | tr "\\n" " ")"
echo "looked: $(grep "realtime priority" "/proc/$line/limits")"
echo "looked: unit: $(systemctl show --property=LimitRTPRIO,CPUSchedulingPolicy onecall-line.service | tr "\\n" " ")"
echo "looked: $(systemctl is-active onecall-line.service)"
systemctl --force --force poweroff
"""
_INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
{{insmods}}
mount -t 9p -o trans=virtio,ro,version=9p2000.L,msize=512000,cache=fscache host /host
mkdir -p /over /new; mount -t tmpfs tmpfs /over; mkdir /over/upper /over/work
mount -t overlay overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work /new
cat >/new/etc/systemd/system/look.service <<'END'
{_UNIT}END
cat >/new/etc/look <<'END'
{_LOOK}END
umount /proc /sys; mount --move /dev /new/dev
exec switch_root /new /lib/systemd/systemd --unit=look.service --show-status=no
"""


def main() -> int:
    """Print what the machine says; 0 when the line process has its priority by the unit's limit."""
    looked = ""
    try:
        build()
        for line in boot(Path(sys.argv[1]).resolve(), _INIT, _MODULES, _LIMIT_S):
            print(line, flush=True)
            looked += line + "\n" if "looked:" in line else ""
    except MachineError as error:
        print(error)
        return 1
    return 0 if "SCHED_FIFO" in looked and "LimitRTPRIO=50 CPUSchedulingPolicy=0" in looked else 1


if __name__ == "__main__":
    sys.exit(main())

"""Builds and runs the machine of the DAHDI gate: Debian's kernel, DAHDI's modules, the host's files read-only.

Another root than the host's can be booted with the same kernel (``boot``).

Everything comes from Debian packages, which are downloaded and unpacked, not installed, into ONECALL_DAHDI_CACHE
(~/.cache/onecall-dahdi). Needs apt, dpkg, gcc, make and QEMU.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

CACHE = Path(os.environ.get("ONECALL_DAHDI_CACHE") or Path.home() / ".cache/onecall-dahdi")
ROOT = CACHE / "root"
_SOURCE = ROOT / "usr/src/modules/dahdi"
#: With these, what they depend on.
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "dahdi_dynamic_loc", "dahdi_echocan_mg2")
_BUILT = ("CONFIG_DAHDI", "CONFIG_DAHDI_DYNAMIC", "CONFIG_DAHDI_DYNAMIC_LOC", "CONFIG_DAHDI_ECHOCAN_MG2")
_MEMORY_MB = 768
#: Inside the machine: the first program. DAHDI's own default leaves spans without a number.
_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
{insmods}
mount -t 9p -o trans=virtio,ro,version=9p2000.L,msize=512000,cache=fscache host /host
mkdir -p /dev/shm /dev/pts; mount -t tmpfs tmpfs /dev/shm
for folder in dev proc sys; do mount --bind /$folder /host/$folder; done
mount -t tmpfs tmpfs /host/run
export TMPDIR=/run
ifconfig lo 127.0.0.1 up
chroot /host /bin/sh -c '{command}'
echo "machine: the program ended with $?"
poweroff -f
"""


class MachineError(Exception):
    """The machine cannot be built or run; the text says why."""


def build() -> None:
    """Make the machine, unless it is there for the packages of today. Raises ``MachineError``."""
    kernel = _depends("linux-image-amd64", r"linux-image-(\S+)")
    headers = f"linux-headers-{kernel}"
    packages = [
        f"linux-image-{kernel}", headers, *_all_depends(headers, r"(linux-(?:headers|kbuild|compiler)\S+)"),
        "dahdi-source", "dahdi", _depends("dahdi", r"(libtonezone\S+)"), "busybox-static",
    ]  # fmt: skip
    versions = _run("apt-cache", "policy", *packages)
    key = hashlib.sha256((versions + Path(__file__).read_text()).encode()).hexdigest()
    stamp = CACHE / "built"
    if stamp.exists() and stamp.read_text() == key:
        return
    shutil.rmtree(CACHE, ignore_errors=True)
    (CACHE / "packages").mkdir(parents=True)
    _run("apt-get", "download", "-q", *packages, cwd=CACHE / "packages")
    for package in sorted((CACHE / "packages").iterdir()):
        _run("dpkg", "-x", str(package), str(ROOT))
    shutil.rmtree(CACHE / "packages")
    _modules(kernel)
    (CACHE / "kernel").write_text(kernel)
    stamp.write_text(key)


def header() -> Path:
    """The folder that has ``dahdi/user.h`` of the package."""
    return _SOURCE / "include"


def run(command: str, limit_s: float) -> Iterator[str]:
    """Boot, run ``command`` in a shell on the host's files (/run is its own and empty), give each line that it prints.

    Raises ``MachineError`` when it does not end in time.
    """
    quoted = command.replace("'", "'\\''")
    return boot(Path("/"), _INIT.replace("{command}", quoted), _MODULES, limit_s)


def boot(root: Path, init: str, modules: Sequence[str], limit_s: float) -> Iterator[str]:
    """Boot with ``init`` as the first program, a shell script whose ``{insmods}`` loads ``modules``; each line printed.

    The files below ``root`` are the 9p share ``host``, read-only. Raises ``MachineError`` when it does not end in time.
    """
    initrd = _initrd(init, modules)
    words = [
        "timeout", str(limit_s), "qemu-system-x86_64", *_processor(),
        "-smp", "2", "-m", str(_MEMORY_MB), "-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio",
        "-kernel", str(ROOT / f"boot/vmlinuz-{(CACHE / 'kernel').read_text()}"), "-initrd", str(initrd),
        "-virtfs", f"local,path={root},mount_tag=host,security_model=none,readonly=on,multidevs=remap",
        "-append", "console=ttyS0 quiet panic=-1",
    ]  # fmt: skip
    machine = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", text=True
    )
    assert machine.stdout is not None
    try:
        for line in machine.stdout:
            yield line.rstrip()
    finally:
        machine.terminate()
        if machine.wait() == 124:
            raise MachineError(f"the machine did not end within {limit_s:.0f} s")


def _processor() -> list[str]:
    """Software emulation runs everywhere; ONECALL_DAHDI_KVM=1 is for machines whose KVM is known to work."""
    if os.environ.get("ONECALL_DAHDI_KVM"):
        return ["-accel", "kvm", "-cpu", "max,-arch-capabilities"]
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


def _modules(kernel: str) -> None:
    """Build those of DAHDI's modules that are needed."""
    _run("tar", "xf", "dahdi.tar.bz2", cwd=ROOT / "usr/src")
    build = ROOT / f"usr/src/linux-headers-{kernel}"
    makefile = build / "Makefile"
    makefile.write_text(makefile.read_text().replace("include /usr/src/", f"include {ROOT}/usr/src/"))
    sources = _SOURCE / "drivers/dahdi"
    # The makefile offers everything as DAHDI_BUILD_ALL; left empty, only what is named is built.
    _run(
        "make", "-C", str(build), f"M={sources}", f"KBUILD_EXTMOD={sources}", f"DAHDI_INCLUDE={_SOURCE}/include",
        "DAHDI_BUILD_ALL=", "HOTPLUG_FIRMWARE=yes", *(f"{name}=m" for name in _BUILT), "-j2", "modules",
    )  # fmt: skip


def _initrd(init: str, modules: Sequence[str]) -> Path:
    """The first files of the machine: busybox, modules in the order in which they are loaded, and the program."""
    folder = CACHE / "initrd"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "modules", "proc", "sys", "dev", "host"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "bin/busybox", folder / "bin/busybox")
    insmods = []
    for module in _in_order(modules):
        shutil.copy(module, folder / "modules")
        _run("strip", "-g", str(folder / "modules" / module.name))
        insmods.append(f"insmod /modules/{module.name}{' auto_assign_spans=1' * (module.name == 'dahdi.ko')}")
    program = folder / "init"
    program.write_text(init.replace("{insmods}", "\n".join(insmods)))
    program.chmod(0o755)
    archive = CACHE / "initrd.gz"
    pack = f"find . | {shlex.quote(str(ROOT / 'bin/busybox'))} cpio -o -H newc | gzip -1 > {shlex.quote(str(archive))}"
    _run("sh", "-c", pack, cwd=folder)
    return archive


def _in_order(modules: Sequence[str]) -> list[Path]:
    """The files of modules, each behind those it depends on."""
    files = [*(ROOT / "lib/modules").rglob("*.ko"), *(_SOURCE / "drivers/dahdi").glob("dahdi*.ko")]
    by_name = {path.stem.replace("-", "_"): path for path in files}
    order: dict[str, Path] = {}

    def need(name: str) -> None:
        depends = re.search(rb"\0depends=([^\0]*)\0", by_name[name].read_bytes())
        for other in depends[1].decode().split(",") if depends and depends[1] else ():
            need(other.replace("-", "_"))
        order.setdefault(name, by_name[name])

    for name in modules:
        need(name)
    return list(order.values())


def _depends(package: str, pattern: str) -> str:
    return _all_depends(package, pattern)[0]


def _all_depends(package: str, pattern: str) -> list[str]:
    found = re.findall(rf"Depends: {pattern}\n", _run("apt-cache", "depends", package))
    if not found:
        raise MachineError(f"the Debian package {package} is not known, or depends on nothing like {pattern}")
    return found


def _run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise MachineError(f"{' '.join(words)} failed:\n{done.stdout[-3000:]}")
    return done.stdout

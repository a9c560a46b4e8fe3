"""Build the native parts in place: ``python -m hw.build``.

A native part is a ``*_build.py`` with an ``ffibuilder`` (cffi, API mode); C that is longer than a few lines stands
beside it. It is built when its extension for this Python is missing or older than what it is made from; when nothing
changed this is a look at some files' times. Two builds at once wait for each other.
"""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: What the compiler misses, and the Debian package (12 and 13) that has it.
PACKAGES = (
    (r"libpri\.h|-lpri\b", "libpri-dev"),
    (r"\bre(/re)?\.h|-lre\b", "libre-dev"),
    (r"spandsp\.h|-lspandsp\b", "libspandsp-dev"),
    (r"openssl/|-lssl\b|-lcrypto\b", "libssl-dev"),
    (r"Python\.h", "python3-dev"),
    (r"No module named '(setuptools|distutils)", "python3-setuptools"),
    (r"(command|unable to execute|directory:) '\S*gcc'|cannot execute .?(cc1|as|ld)", "gcc"),
    (r"(std\w+|string|errno|unistd|assert|limits)\.h|crti\.o|-lc\b", "libc6-dev"),
)
_MISSING = re.compile(
    r"^.*(No such file or directory|cannot find -l|No module named|unable to execute|cannot execute).*$", re.MULTILINE
)
_MODULE = re.compile(r"""set_source\(\s*["']([\w.]+)["']""")
# What a child does: the sources' paths and the extension's place are meant from the tree's root.
_COMPILE = "import runpy, sys; runpy.run_path(sys.argv[1])['ffibuilder'].compile(tmpdir='.', verbose=True)"


class BuildError(Exception):
    """A native part that could not be built; the text says which, why, and what would help."""


def parts(root: Path) -> Iterator[tuple[Path, str]]:
    """Every build file below ``root``/hw with the module that it makes. Raises ``BuildError``."""
    for file in sorted(root.glob("hw/**/*_build.py")):
        found = _MODULE.search(file.read_text(encoding="utf-8"))
        if found is None:
            raise BuildError(f'{file}: no set_source("package._module", ...) in it')
        yield file, found[1]


def is_stale(root: Path, file: Path, module: str) -> bool:
    """Whether the extension is missing for this Python, or older than the build file or the C beside it."""
    extension = _extension(root, module)
    if not extension.exists():
        return True
    inputs = [file, *file.parent.glob("[!_]*.c"), *file.parent.glob("[!_]*.h")]  # _*.c is what cffi writes
    return any(path.stat().st_mtime > extension.stat().st_mtime for path in inputs)


def compile_part(root: Path, file: Path, module: str) -> None:
    """Build one extension in a process of its own, quietly. Raises ``BuildError``."""
    _extension(root, module).unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE, str(file)],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode or not _extension(root, module).exists():
        raise BuildError(f"{module} could not be built.\n{explain(done.stdout)}")


def explain(output: str) -> str:
    """What a build's output means: the missing Debian packages with the line that installs them, or the end of it."""
    missing = [line[0].strip() for line in _MISSING.finditer(output)]
    wanted = {package: line for pattern, package in PACKAGES for line in missing if re.search(pattern, line)}
    if not wanted:
        compiler = output.partition("Traceback (most recent call last)")[0].strip()
        return "\n".join((compiler or output.strip()).splitlines()[-20:])
    return "\n".join([*wanted.values(), "On Debian this helps:", f"    apt-get install {' '.join(wanted)}"])


def build(root: Path = ROOT) -> list[str]:
    """Build what is stale below ``root``; returns the modules built. Raises ``BuildError``."""
    stale = [(file, module) for file, module in parts(root) if is_stale(root, file, module)]
    if not stale:
        return []
    (root / "build").mkdir(exist_ok=True)
    with (root / "build" / "native.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stale = [(file, module) for file, module in stale if is_stale(root, file, module)]  # another may have built it
        for file, module in stale:
            print(f"building {module}", file=sys.stderr, flush=True)
            compile_part(root, file, module)
    return [module for _, module in stale]


def _extension(root: Path, module: str) -> Path:
    return root.joinpath(*module.split(".")[:-1], module.rpartition(".")[2] + EXTENSION_SUFFIXES[0])


def main() -> int:
    """The command: 0 when everything is built, 1 with the reason on stderr."""
    try:
        build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

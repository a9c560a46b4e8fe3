"""Native parts are built when they are stale and only then, and a missing Debian package is named."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw.build import BuildError, build, explain, is_stale, parts

BUILD_FILE = """
from cffi import FFI
ffibuilder = FFI()
ffibuilder.cdef("int twice(int);")
ffibuilder.set_source("hw.part._twice", '#include "twice.h"', sources=["hw/part/twice.c"], include_dirs=["hw/part"])
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    part = tmp_path / "hw" / "part"
    part.mkdir(parents=True)
    (tmp_path / "hw" / "__init__.py").touch()  # before any other hw on the path
    (part / "twice_build.py").write_text(BUILD_FILE)
    (part / "twice.h").write_text("int twice(int);\n")
    (part / "twice.c").write_text('#include "twice.h"\nint twice(int n) { return 2 * n; }\n')
    return tmp_path


def twice(tree: Path, n: int) -> int:
    code = f"from hw.part._twice import lib; print(lib.twice({n}))"
    command = [sys.executable, "-c", code]
    return int(subprocess.run(command, cwd=tree, env={"PYTHONPATH": "."}, stdout=subprocess.PIPE, check=True).stdout)


def test_a_part_is_built_in_place_once_and_again_when_its_c_changes(tree: Path) -> None:
    assert build(tree) == ["hw.part._twice"]
    assert twice(tree, 21) == 42
    assert build(tree) == []
    source = tree / "hw/part/twice.c"
    source.write_text(source.read_text().replace("2 * n", "2 * n + 1"))
    later = time.time() + 1
    os.utime(source, (later, later))
    assert build(tree) == ["hw.part._twice"]
    assert twice(tree, 21) == 43


def test_an_extension_of_another_python_does_not_count(tree: Path) -> None:
    (tree / "hw/part/_twice.cpython-39-x86_64-linux-gnu.so").touch()
    assert [is_stale(tree, file, module) for file, module in parts(tree)] == [True]


def test_a_missing_header_names_its_debian_package(tree: Path) -> None:
    (tree / "hw/part/twice.h").write_text("#include <nowhere/libpri.h>\n")
    with pytest.raises(BuildError) as told:
        build(tree)
    assert "hw.part._twice could not be built" in str(told.value)
    assert "apt-get install libpri-dev" in str(told.value)


def test_a_failed_build_leaves_nothing_that_could_be_loaded(tree: Path) -> None:
    build(tree)
    source = tree / "hw/part/twice.c"
    source.write_text("this is not C\n")
    later = time.time() + 1
    os.utime(source, (later, later))
    with pytest.raises(BuildError, match="error:"):
        build(tree)
    assert not list(tree.glob("hw/part/*.so"))


@pytest.mark.parametrize(
    ("output", "package"),
    [
        ("shim.c:1:10: fatal error: re/re.h: No such file or directory", "libre-dev"),
        ("x.c:3:10: fatal error: openssl/ssl.h: No such file or directory", "libssl-dev"),
        ("/usr/bin/ld: cannot find -lpri: No such file or directory", "libpri-dev"),
        ("_x.c:50:14: fatal error: Python.h: No such file or directory", "python3-dev"),
        ("/usr/include/limits.h:26:10: fatal error: stdlib.h: No such file or directory", "libc6-dev"),
        ("error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "gcc"),
        ("error: command 'gcc' failed: No such file or directory", "gcc"),
        ("cffi.VerificationError: CompileError: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'", "gcc"),
    ],
)
def test_what_the_compiler_misses_is_one_package(output: str, package: str) -> None:
    assert f"apt-get install {package}" in explain(f"gcc -c x.c\n{output}\ncompilation terminated.").splitlines()[-1]
    assert explain(output).splitlines()[-1].split()[2:] == [package]


def test_a_build_file_that_makes_no_module_is_told(tree: Path) -> None:
    (tree / "hw/part/odd_build.py").write_text("ffibuilder = None\n")
    with pytest.raises(BuildError, match=r"odd_build\.py: no set_source"):
        build(tree)

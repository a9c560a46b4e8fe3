"""Builds ``hw.line.switch._native``: RTP packets and jitter buffers in C, called once a tick without the GIL."""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

_HERE = Path(__file__).parent
_HEADER = (_HERE / "rtp.h").read_text()
_INCLUDES = """
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
"""

ffibuilder = FFI()
ffibuilder.cdef(_HEADER)
ffibuilder.set_source(
    "hw.line.switch._native",
    _INCLUDES + _HEADER + (_HERE / "jitter.c").read_text() + (_HERE / "rtp.c").read_text(),
    extra_compile_args=["-O2", "-Wall"],
    define_macros=[("_GNU_SOURCE", "1")],
)

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_HERE.parents[2]), verbose=False)

"""Makes a backup of the site while it runs: the store by SQLite's online backup, the rest file by file."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from attrs import field, frozen

from appliance.backup.manifest import FORMAT, MANIFEST, SUMS, BackupError, Manifest, to_json
from appliance.settings import ControlSettings
from appliance.store import sqlite

#: Octets done and in all.
Progress = Callable[[int, int], None]

#: Folders of ``var`` that the service makes anew from what is backed up.
MADE_ANEW = frozenset({"prompts"})


@frozen
class Made:
    """What came out of it. ``gone``: files that were removed while the backup was made."""

    file: str
    bytes: int
    files: int
    gone: tuple[str, ...]
    sha256: dict[str, str] = field(repr=False)


def backup(config: Path, settings: ControlSettings, target: Path, progress: Progress = lambda *_: None) -> Made:
    """Write the tar file (compressed when its name ends in .gz or .tgz); blocks.

    Raises ``BackupError``; then no file of that name has been made or changed.
    """
    if not settings.store.exists():
        raise BackupError(f"{settings.store}: is not there: has OneCall been started with {config}?")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+b") as file:
            made = _write(config, settings, target, file, progress)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except PermissionError as error:
        raise BackupError(f"{error.filename}: permission denied: run this as root") from None
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(f"{target}: the backup cannot be made: {error}") from None
    finally:
        part.unlink(missing_ok=True)
    return made


def parts(config: Path, settings: ControlSettings) -> dict[str, Path]:
    """Where each part belongs on this machine."""
    etc, var = settings.etc.resolve(), settings.var.resolve()
    found = {"etc": etc, "store": settings.store.resolve(), "var": var}
    if not config.resolve().is_relative_to(etc):
        found["config"] = config.resolve()
    if not settings.recordings.resolve().is_relative_to(var):
        found["recordings"] = settings.recordings.resolve()
    return found


def _write(config: Path, settings: ControlSettings, target: Path, file: IO[bytes], progress: Progress) -> Made:
    with tempfile.TemporaryDirectory(dir=settings.store.parent, prefix=".backup-") as folder:
        store = Path(folder) / "store.db"
        sqlite.copy(settings.store, store)  # before the rest: what it names is there
        places = parts(config, settings)
        found = [("store", store)] + [
            (f"{part}/{path.relative_to(place).as_posix()}" if path != place else part, path)
            for part, place in places.items()
            if part != "store"
            for path in _files(part, place, settings.store.resolve())
        ]
        total = sum(path.stat().st_size for _, path in found if path.is_file())
        count = sum(path.is_file() for _, path in found)
        manifest = Manifest(
            FORMAT, version("onecall"), datetime.now().astimezone().isoformat(timespec="seconds"),
            socket.gethostname(), {part: str(place) for part, place in sorted(places.items())}, count, total,
        )  # fmt: skip
        mode = "w:gz" if target.name.endswith((".gz", ".tgz")) else "w"
        with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT, **_fast(mode)) as tar:  # type: ignore[call-overload]
            _add(tar, MANIFEST, to_json(manifest))
            sums, gone, done = {MANIFEST: hashlib.sha256(to_json(manifest)).hexdigest()}, [], 0
            for name, path in found:
                try:
                    if path.is_dir():
                        tar.add(path, name, recursive=False)
                        continue
                    sums[name], size = _add_file(tar, name, path)
                except FileNotFoundError:
                    gone.append(str(path))
                    continue
                done += size
                progress(min(done, total), total)
            _add(tar, SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode())
    return Made(str(target), os.fstat(file.fileno()).st_size, count - len(gone), tuple(gone), sums)


def _fast(mode: str) -> dict[str, int]:
    return {"compresslevel": 1} if mode == "w:gz" else {}


def _files(part: str, place: Path, store: Path) -> Iterator[Path]:
    """The folders and whole files of a part: no sockets, links, unfinished files, nor the live database."""
    if place.is_file():
        yield place
        return
    for folder, folders, names in os.walk(place):
        here = Path(folder)
        if part == "var" and here == place:
            folders[:] = [name for name in folders if name not in MADE_ANEW]
        folders[:] = sorted(name for name in folders if not name.startswith((".backup-", ".restore-")))
        if here != place:
            yield here
        for name in sorted(names):
            path = here / name
            live = path.parent == store.parent and name.startswith(store.name)
            if not live and not name.endswith(".part") and path.is_file() and not path.is_symlink():
                yield path


class _Summed:
    """A file that is read once, into the tar file and the sum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sum.update(data)
        return data


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> tuple[str, int]:
    """Sum and size of a file, which is as long as it was when it was opened."""
    with path.open("rb") as file:
        info = tar.gettarinfo(arcname=name, fileobj=file)
        if info.islnk():  # two names of one file: each is a file of its own in the backup
            info.type, info.linkname, info.size = tarfile.REGTYPE, "", os.fstat(file.fileno()).st_size
        summed = _Summed(file)
        tar.addfile(info, summed)
        return summed.sum.hexdigest(), info.size


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(data), 0o600, int(time.time())
    tar.addfile(info, io.BytesIO(data))

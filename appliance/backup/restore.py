"""Restores a backup: everything is unpacked beside its place and checked first, then put in place by renaming."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from attrs import frozen

from appliance.backup.make import MADE_ANEW, Progress
from appliance.backup.manifest import MANIFEST, SUMS, BackupError, Manifest, from_json, member_place
from appliance.store import migrations, sqlite
from appliance.store.migrations import MigrationError

_STAGING = ".restore-new"
_REPLACED = ".restore-replaced"


@frozen
class Restored:
    """What was put in place."""

    file: str
    manifest: Manifest
    files: int


def look(file: Path) -> Manifest:
    """What a backup says about itself; nothing is checked but that. Raises ``BackupError``."""
    try:
        with tarfile.open(file) as tar:
            return _manifest(tar, file)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BackupError(f"{file}: cannot be read: {error}") from None


def restore(
    file: Path,
    folders: Sequence[Path] = (),
    progress: Progress = lambda *_: None,
    *,
    running: Callable[[], bool] = lambda: False,
    check_only: bool = False,
) -> Restored:
    """Put the site of a backup in the place where it was; blocks. ``folders`` are the plugins' migrations.

    Nothing of the site is touched before all sums and the database's version are checked; what is replaced is kept
    until all is in place, and put back when that fails. ``running``: whether the service answers. Raises
    ``BackupError``.
    """
    manifest = look(file)
    with ExitStack() as stack:
        store = Path(manifest.parts["store"])
        if check_only:  # only the database has to be looked into, anywhere
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            staged = {"store": _Staged("store", folder / store.name, store)}
        else:
            _lock(store, running, stack)
            _check_room(manifest)
            staged = {part: _Staged(part, Path(place), store) for part, place in manifest.parts.items()}
        for one in staged.values():
            stack.callback(one.remove)
        try:
            count = _unpack(file, manifest, staged, progress)
            migrations.check(staged["store"].new, folders)
            if not check_only:
                _swap(list(staged.values()))
        except PermissionError as error:
            raise BackupError(f"{error.filename}: permission denied: run this as root") from None
        except (OSError, EOFError, tarfile.TarError) as error:
            raise BackupError(f"{file}: nothing was restored: {error}") from None
        except MigrationError as error:
            raise BackupError(f"{file}: nothing was restored: {error}") from None
    return Restored(str(file), manifest, count)


class _Staged:
    """One part: its place, what is to be there, and what was there before. All on one file system: renames only."""

    def __init__(self, part: str, place: Path, store: Path) -> None:
        self.place = place
        self.folder = part in ("etc", "var", "recordings")
        self.base = place if self.folder else place.parent
        self.new = self.base / (_STAGING if self.folder else f"{_STAGING}-{place.name}")
        self._part = part
        self._store = store
        self._replaced = self.base / (_REPLACED if self.folder else f"{_REPLACED}-{place.name}")
        self._put: list[Path] = []
        self.base.mkdir(parents=True, exist_ok=True)
        self.remove()

    def target(self, below: Path) -> Path:
        """Where a file of the part is unpacked to."""
        return self.new / below if self.folder else self.new

    def put(self) -> None:
        """Move what is there aside and what is new in."""
        self._replaced.mkdir()
        for path in self._there():
            path.rename(self._replaced / path.name)
        new = sorted(self.new.iterdir()) if self.folder and self.new.exists() else []
        for path in new if self.folder else [self.new]:
            target = self.place / path.name if self.folder else self.place
            path.rename(target)
            self._put.append(target)

    def back(self) -> None:
        """As it was, however far ``put`` came."""
        for path in self._put:
            _remove(path)
        if self._replaced.exists():
            for path in self._replaced.iterdir():
                path.rename(self.base / path.name)

    def remove(self) -> None:
        """Remove what was unpacked and what was replaced."""
        _remove(self.new)
        _remove(self._replaced)

    def _there(self) -> list[Path]:
        """What the part has now: of the store also the files beside it; what is made anew stays."""
        if self.folder:
            return [path for path in self.place.iterdir() if not self._stays(path)]
        ends = ("", "-wal", "-shm") if self._part == "store" else ("",)
        return [path for end in ends if (path := self.place.with_name(self.place.name + end)).exists()]

    def _stays(self, path: Path) -> bool:
        """The store with its lock and copies has a part of its own."""
        store = path.parent == self._store.parent and path.name.startswith(self._store.name)
        return store or path.name.startswith(".restore-") or (self._part == "var" and path.name in MADE_ANEW)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _check_room(manifest: Manifest) -> None:
    """Raise ``BackupError`` when there is no room for the site twice."""
    place = next(up for up in Path(manifest.parts["var"], "x").parents if up.exists())
    if (free := shutil.disk_usage(place).free) < manifest.bytes:
        raise BackupError(f"{place}: {free >> 20} MB are free, the backup needs {manifest.bytes >> 20} MB")


def _lock(store: Path, running: Callable[[], bool], stack: ExitStack) -> None:
    """Keep the service from being started meanwhile. Raises ``BackupError`` when it runs."""
    stop = "stop it first: systemctl stop onecall.target"
    if running():
        raise BackupError(f"OneCall is running; {stop}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        stack.callback(sqlite.FileLock(store).release)
        sqlite.keep_owner(store.with_name(store.name + ".lock"), store.parent)
    except BlockingIOError:
        raise BackupError(f"{store}: is in use by OneCall; {stop}") from None
    except OSError as error:
        raise BackupError(f"{store}: {error.strerror}: run this as root") from None


def _manifest(tar: tarfile.TarFile, file: Path) -> Manifest:
    first = tar.next()
    data = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if data is None:
        raise BackupError(f"{file}: is no backup of OneCall: it does not begin with {MANIFEST}")
    manifest = from_json(data.read(1 << 20), str(file))
    if missing := {"etc", "store", "var"} - set(manifest.parts):
        raise BackupError(f"{file}: {MANIFEST}: has no place for {', '.join(sorted(missing))}")
    return manifest


def _unpack(file: Path, manifest: Manifest, staged: dict[str, _Staged], progress: Progress) -> int:
    """Unpack into the new places; how many files. Raises ``BackupError`` for a sum that is not right."""
    sums: dict[str, str] = {}
    wanted: dict[str, str] = {}
    done = 0
    with tarfile.open(file) as tar:
        for info, name in _members(tar, file):
            if info.isdir():
                part, below = member_place(name, str(file), manifest.parts)
                if part in staged:
                    (folder := staged[part].target(Path(below))).mkdir(parents=True)
                    _own(folder, info, staged[part])
                continue
            if name == SUMS:
                wanted = dict(_sums(b"".join(_copy(tar, info, None)).decode(), file))
                continue
            digest = hashlib.sha256()
            place = None
            if name != MANIFEST:
                part, below = member_place(name, str(file), manifest.parts)
                place = staged[part].target(Path(below)) if part in staged else None
            for data in _copy(tar, info, place):
                digest.update(data)
                done += len(data)
                progress(min(done, manifest.bytes), manifest.bytes)
            sums[name] = digest.hexdigest()
            if place is not None:
                _own(place, info, staged[part])
    if not wanted:
        raise BackupError(f"{file}: is not whole: it has no {SUMS}")
    if wrong := sorted(name for name in {*sums, *wanted} if sums.get(name) != wanted.get(name)):
        raise BackupError(f"{file}: nothing was restored: damaged or missing: {', '.join(wrong[:5])}")
    return len(sums) - 1


def _members(tar: tarfile.TarFile, file: Path) -> Iterator[tuple[tarfile.TarInfo, str]]:
    for info in tar:
        if not info.isfile() and not info.isdir():
            raise BackupError(f"{file}: member {info.name!r} is no plain file and no folder")
        yield info, info.name


def _copy(tar: tarfile.TarFile, info: tarfile.TarInfo, place: Path | None) -> Iterator[bytes]:
    """The member's octets, written to ``place`` as they come."""
    source = tar.extractfile(info)
    assert source is not None  # a plain file
    if place is None:
        while data := source.read(1 << 20):
            yield data
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as target:
        while data := source.read(1 << 20):
            target.write(data)
            yield data
        target.flush()
        os.fsync(target.fileno())


def _own(place: Path, info: tarfile.TarInfo, staged: _Staged) -> None:
    """Mode and time of the member; the owner as it was by name, else that of the part's folder."""
    place.chmod(info.mode & (0o7777 if info.isdir() else 0o777))
    os.utime(place, (info.mtime, info.mtime))
    if os.geteuid() != 0:
        return
    base = staged.base.stat()
    os.chown(place, _id(pwd.getpwnam, info.uname, base.st_uid), _id(grp.getgrnam, info.gname, base.st_gid))


def _id(find: Callable[[str], Sequence[object]], name: str, otherwise: int) -> int:
    """The number of a user or group of this machine (the third field of its entry)."""
    try:
        return int(str(find(name)[2]))
    except KeyError:
        return otherwise


def _sums(text: str, file: Path) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        digest, two, name = line.partition("  ")
        if not two or len(digest) != 64:
            raise BackupError(f"{file}: {SUMS}: {line!r} is no sum")
        yield name, digest


def _swap(parts: list[_Staged]) -> None:
    """All in place, or all as before."""
    try:
        for part in parts:
            part.put()
    except BaseException:
        for part in parts:
            part.back()
        raise

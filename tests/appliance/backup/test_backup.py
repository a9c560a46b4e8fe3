"""Backup and restore of a whole site: taken while it runs, whole or not there, put back only when it is right."""

import asyncio
import io
import json
import os
import pwd
import shutil
import sqlite3
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.backup import restore as restoring
from appliance.backup.make import Made, backup
from appliance.backup.manifest import BackupError
from appliance.backup.restore import look, restore
from appliance.events.log import EventLog
from appliance.people.directory import Directory
from appliance.settings import ControlSettings, load
from appliance.store import tables
from appliance.store.store import Store


class Site:
    """A site's files, as the service leaves them."""

    def __init__(self, base: Path) -> None:
        self.etc, self.var = base / "etc", base / "var"
        self.config, self.file = self.etc / "onecall.toml", base / "site.tar.gz"
        for folder in (self.etc / "menus", self.var / "recordings" / "2026", self.var / "prompts"):
            folder.mkdir(parents=True)
        self.config.write_text(
            f'[control]\nstore = "{self.var}/onecall.db"\netc = "{self.etc}"\nvar = "{self.var}"\n'
            f'recordings = "{self.var}/recordings"\n'
        )
        (self.etc / "menus" / "main.toml").write_text("# 菜单\n")
        (self.var / "first-secrets.toml").write_text('[pins]\n1001 = "1"\n')
        (self.var / "first-secrets.toml").chmod(0o600)
        (self.var / "recordings" / "2026" / "c1-1.wav").write_bytes(bytes(range(256)) * 1000)
        (self.var / "recordings" / "2026" / "c2-1.wav.part").write_bytes(b"not whole")
        (self.var / "prompts" / "cache.wav").write_bytes(b"made anew")

    @property
    def settings(self) -> ControlSettings:
        return load(self.config)

    def backup(self) -> Made:
        return backup(self.config, self.settings, self.file)

    async def people(self, *add: str) -> list[str]:
        """The agents there are, after adding some; the store is opened and closed as by the service."""
        store = await Store.open(self.settings.store)
        try:
            people = await Directory.open(store, await EventLog.open(store), "onecall")
            for number in add:
                await people.add_agent(number, f"agent {number}")
            return [row["number"] for row in await store.rows(select(tables.agent))]
        finally:
            await store.close()

    def contents(self) -> dict[str, bytes]:
        files = [path for folder in (self.etc, self.var) for path in sorted(folder.rglob("*")) if path.is_file()]
        return {str(path): path.read_bytes() for path in files if ".db" not in path.name}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    asyncio.run(made.people("1001"))
    return made


@pytest.mark.requirement("A9.10")
def test_a_site_is_put_back_as_it_was(site: Site) -> None:
    before = site.contents()
    made = site.backup()
    assert stat.S_IMODE(site.file.stat().st_mode) == 0o600
    assert made.gone == ()
    asyncio.run(site.people("1002"))
    (site.etc / "menus" / "main.toml").write_text("changed")
    (site.etc / "menus" / "other.toml").write_text("new")
    (site.var / "recordings" / "2026" / "c1-1.wav").unlink()
    (site.var / "first-secrets.toml").chmod(0o644)
    steps: list[tuple[int, int]] = []
    done = restore(site.file, progress=lambda now, whole: steps.append((now, whole)))
    after = site.contents()
    unfinished = str(site.var / "recordings" / "2026" / "c2-1.wav.part")
    assert after == {path: content for path, content in before.items() if path != unfinished}
    assert asyncio.run(site.people()) == ["1001"]
    assert stat.S_IMODE((site.var / "first-secrets.toml").stat().st_mode) == 0o600
    assert done.files == made.files
    assert steps[-1][0] == steps[-1][1] > 256_000
    assert [path.name for path in (*site.etc.iterdir(), *site.var.iterdir()) if ".restore" in path.name] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_the_service_does_so_again_and_it_can_enter_its_folders(site: Site) -> None:
    nobody = pwd.getpwnam("nobody")
    for folder, folders, files in os.walk(site.var):
        for name in (*folders, *files, "."):
            os.chown(Path(folder, name), nobody.pw_uid, nobody.pw_gid)
    (site.etc / "menus").chmod(0o755)
    (site.var / "recordings").chmod(0o2750)
    site.settings.store.with_name("onecall.db.lock").unlink()

    def owners() -> dict[str, tuple[int, int, int]]:
        paths = [site.etc / "menus", *(p for p in site.var.rglob("*") if p.suffix not in (".part", ".lock"))]
        return {str(p): ((s := p.stat()).st_uid, s.st_gid, stat.S_IMODE(s.st_mode)) for p in paths}

    before = owners()
    site.backup()
    old = os.umask(0o077)
    try:
        restore(site.file)
    finally:
        os.umask(old)
    assert owners() == before
    lock = site.settings.store.with_name("onecall.db.lock")
    assert lock.stat().st_uid == nobody.pw_uid


def test_it_is_taken_while_the_service_writes(site: Site) -> None:
    async def work() -> None:
        store = await Store.open(site.settings.store)
        try:
            people = await Directory.open(store, await EventLog.open(store), "onecall")
            taking = asyncio.create_task(asyncio.to_thread(site.backup))
            for number in range(2000, 2020):
                await people.add_agent(str(number), "during")
            await taking
        finally:
            await store.close()

    asyncio.run(work())
    restore(site.file)
    agents = asyncio.run(site.people())
    assert agents[0] == "1001"
    assert agents[1:] == [str(2000 + n) for n in range(len(agents) - 1)]


def test_its_sums_can_be_checked_with_the_systems_own_tools(site: Site, tmp_path: Path) -> None:
    site.backup()
    (tmp_path / "open").mkdir()
    subprocess.run(["tar", "xzf", site.file, "-C", tmp_path / "open"], check=True)
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "open")
    assert checked.returncode == 0
    assert json.loads((tmp_path / "open" / "manifest.json").read_text())["parts"]["etc"] == str(site.etc)


def test_a_check_writes_nothing_to_the_site(site: Site) -> None:
    made = site.backup()
    shutil.rmtree(site.etc)
    shutil.rmtree(site.var)
    assert restore(site.file, check_only=True).files == made.files
    assert not site.etc.exists()
    assert not site.var.exists()
    rewritten(site, {"etc/menus/main.toml": b"damaged"})
    with pytest.raises(BackupError, match=r"damaged or missing: etc/menus/main\.toml"):
        restore(site.file, check_only=True)


def test_a_running_service_is_not_restored_over(site: Site) -> None:
    site.backup()

    async def work() -> None:
        store = await Store.open(site.settings.store)
        try:
            with pytest.raises(BackupError, match="is in use by OneCall; stop it first"):
                restore(site.file)
        finally:
            await store.close()

    asyncio.run(work())
    with pytest.raises(BackupError, match="OneCall is running; stop it first"):
        restore(site.file, running=lambda: True)


def rewritten(site: Site, change: dict[str, bytes | None], *, add: tarfile.TarInfo | None = None) -> None:
    """The backup with members changed or left out."""
    with tarfile.open(site.file) as old, tarfile.open(site.file.with_name("new.tar"), "w") as new:
        for info in old:
            if info.isdir():
                new.addfile(info)
                continue
            data = change.get(info.name, old.extractfile(info).read())  # type: ignore[union-attr]
            if data is not None:
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
        if add is not None:
            new.addfile(add, io.BytesIO(bytes(add.size)))
    site.file.with_name("new.tar").replace(site.file)


@pytest.mark.parametrize(
    ("member", "how"),
    [("store", "damaged"), ("etc/menus/main.toml", "missing"), ("SHA256SUMS", "missing"), ("SHA256SUMS", "damaged")],
)
def test_a_backup_that_is_not_whole_touches_nothing(site: Site, member: str, how: str) -> None:
    site.backup()
    rewritten(site, {member: None if how == "missing" else b"x" * 80})
    before = site.contents()
    with pytest.raises(BackupError, match=r"nothing was restored|is not whole|is no sum"):
        restore(site.file)
    assert site.contents() == before
    assert asyncio.run(site.people()) == ["1001"]


def test_a_file_cut_off_is_refused(site: Site) -> None:
    site.backup()
    site.file.write_bytes(site.file.read_bytes()[: site.file.stat().st_size // 2])
    before = site.contents()
    with pytest.raises(BackupError):
        restore(site.file)
    assert site.contents() == before


@pytest.mark.parametrize("name", ["etc/../../evil", "/etc/evil", "home/evil", "var//x"])
def test_a_member_that_leads_elsewhere_is_refused(site: Site, name: str) -> None:
    site.backup()
    rewritten(site, {}, add=tarfile.TarInfo(name))
    with pytest.raises(BackupError, match="belongs to no part"):
        restore(site.file)


def test_a_link_in_a_backup_is_refused(site: Site) -> None:
    site.backup()
    link = tarfile.TarInfo("etc/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
    rewritten(site, {}, add=link)
    with pytest.raises(BackupError, match="no plain file"):
        restore(site.file)


@pytest.mark.requirement("A9.10")
def test_a_backup_of_a_newer_version_is_refused(site: Site) -> None:
    with sqlite3.connect(site.settings.store) as connection:
        connection.execute("update version_core set version_num = 'core_9999'")
    connection.close()
    site.backup()
    before = site.contents()
    with pytest.raises(BackupError, match=r"nothing was restored: .*newer version .*core_9999"):
        restore(site.file)
    assert site.contents() == before
    manifest = json.dumps({**json.loads(_member(site, "manifest.json")), "format": 2}).encode()
    rewritten(site, {"manifest.json": manifest})
    with pytest.raises(BackupError, match="has format 2, this version reads 1"):
        look(site.file)


def _member(site: Site, name: str) -> bytes:
    with tarfile.open(site.file) as tar:
        return tar.extractfile(name).read()  # type: ignore[union-attr]


@pytest.mark.parametrize("fails_at", range(0, 6, 2))
def test_what_cannot_be_put_in_place_is_put_back(site: Site, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    site.backup()
    (site.etc / "menus" / "main.toml").write_text("changed")
    before = site.contents()
    rename, count = Path.rename, 0

    def failing(path: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == fails_at + 1:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(site.file)
    assert site.contents() == before
    assert asyncio.run(site.people()) == ["1001"]


def test_no_room_is_said_before_anything_is_written(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.backup()
    monkeypatch.setattr(restoring.shutil, "disk_usage", lambda _: type("", (), {"free": 1 << 10})())
    with pytest.raises(BackupError, match="are free, the backup needs"):
        restore(site.file)


def test_a_backup_that_fails_leaves_no_file_and_the_old_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.backup()
    before = site.file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(BackupError, match="No space left"):
        site.backup()
    assert site.file.read_bytes() == before
    assert [path.name for path in site.file.parent.iterdir() if "part" in path.name] == []


@pytest.mark.parametrize("content", [b"", b"no tar file at all", b"\0" * 10240])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(BackupError):
        restore(tmp_path / "x.tar")

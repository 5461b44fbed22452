"""The store in a folder: what is its own, beyond the contract."""

import gc
import os
from pathlib import Path

import pytest

from lipsol.errors import Transient
from lipsol.store.local import PARTIAL, LocalStore


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_nothing_stays_behind_when_no_folder_was_named():
    store = LocalStore()
    store.put("clips/1/mouth", b"x")
    folder = store.folder
    assert folder.stat().st_mode & 0o077 == 0
    store.close()
    assert not folder.exists()


def test_a_store_that_nobody_closed_is_removed_without_a_warning():
    store = LocalStore()
    folder = store.folder
    del store
    gc.collect()
    assert not folder.exists()


def test_a_folder_that_was_named_outlives_the_store(tmp_path: Path):
    first = LocalStore(tmp_path / "deep" / "store")
    first.put("a/b", b"x")
    first.close()
    assert LocalStore(tmp_path / "deep" / "store").get("a/b") == b"x"


def test_a_sweep_leaves_no_folder_behind(tmp_path: Path, clock):
    store = LocalStore(tmp_path, now=clock.now)
    store.put("clips/1/mouth", b"x", ttl_s=10.0)
    store.put("clips/2/mouth", b"x")
    clock.advance(11)
    store.sweep()
    assert files(tmp_path) == ["clips/2/mouth="]
    assert not (tmp_path / "clips" / "1").exists()


def test_a_sweep_takes_what_a_dead_writer_left_and_nothing_of_a_living_one(tmp_path: Path):
    store = LocalStore(tmp_path)
    (tmp_path / PARTIAL / "dead").write_bytes(b"half of a mou")
    os.utime(tmp_path / PARTIAL / "dead", (0, 0))
    (tmp_path / PARTIAL / "living").write_bytes(b"half of a mou")
    store.sweep()
    assert files(tmp_path) == [f"{PARTIAL}/living"]


def test_a_file_that_is_not_ours_stops_no_sweep(tmp_path: Path, clock):
    store = LocalStore(tmp_path, now=clock.now)
    store.put("a", b"x", ttl_s=10.0)
    (tmp_path / "what is this").write_bytes(b"notes")
    clock.advance(11)
    assert store.sweep() == 1
    assert files(tmp_path) == ["what is this"]


def test_files_are_for_their_owner_alone(tmp_path: Path):
    store = LocalStore(tmp_path)
    store.put("clips/1/mouth", b"x")
    assert (tmp_path / "clips/1/mouth=").stat().st_mode & 0o077 == 0


def test_a_put_that_fails_leaves_nothing_half_written(tmp_path: Path):
    store = LocalStore(tmp_path)
    (tmp_path / "clips").write_bytes(b"a file where a folder must be")
    with pytest.raises(Transient, match="rights"):
        store.put("clips/1/mouth", b"x")
    assert list((tmp_path / PARTIAL).iterdir()) == []


def test_a_folder_that_can_not_be_made_is_told_at_once(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Transient, match="folder"):
        LocalStore(tmp_path / "file" / "store")


def test_a_file_cut_short_by_a_power_cut_is_not_there(tmp_path: Path):
    store = LocalStore(tmp_path)
    (tmp_path / "a=").write_bytes(b"123")
    assert not store.exists("a")
    assert store.list("") == []

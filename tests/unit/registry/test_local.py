"""The registry in a folder: what is its own, beyond the contract."""

import zipfile
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from lipsol.registry.local import LocalRegistry
from tests.bundles_made import bundle

BROKEN = {
    "empty": b"",
    "text": b"no zip",
    "truncated": b"PK\x03\x04" + b"\0" * 40,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_takes_nothing_else_away_and_is_told_once(tmp_path: Path, data: bytes):
    good = bundle(tmp_path, "good")
    (tmp_path / "bad.lipsol").write_bytes(data)
    registry = LocalRegistry(tmp_path)
    with capture_logs() as logs:
        assert [info.digest for info in registry.models()] == [good]
        registry.models()
    assert [(line["event"], line["file"]) for line in logs] == [("bundle-passed-over", "bad.lipsol")]


def test_what_is_passed_over_is_told_with_the_file_the_fault_and_the_cure(tmp_path: Path):
    registry = LocalRegistry(tmp_path)
    assert registry.faults() == []
    bundle(tmp_path, "one")
    whole = (tmp_path / "one.lipsol").read_bytes()
    (tmp_path / "half.lipsol").write_bytes(whole[: len(whole) // 2])
    (fault,) = registry.faults()
    assert fault.startswith("half.lipsol is no bundle, or a part of one") and fault.endswith("train it again")
    (tmp_path / "half.lipsol").write_bytes(whole)
    assert registry.faults() == []


def test_a_flipped_byte_in_a_card_takes_nothing_else_away(tmp_path: Path):
    good = bundle(tmp_path, "good")
    with zipfile.ZipFile(tmp_path / "bad.lipsol", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("card.json", b'{"name": "' + b"long " * 99 + b'"}')
        out.writestr("model.onnx", b"")
    data = bytearray((tmp_path / "bad.lipsol").read_bytes())
    data[len("card.json") + 30 + 5] ^= 0xFF  # a local header has 30 bytes and the name
    (tmp_path / "bad.lipsol").write_bytes(data)
    registry = LocalRegistry(tmp_path)
    assert [info.digest for info in registry.models()] == [good]
    assert "bad.lipsol has a damaged card.json" in registry.faults()[0]


@pytest.mark.parametrize(
    ("card", "field"), [({"kind": "songs"}, "kind"), ({"created": None}, "created"), ({"name": 3}, "name")]
)
def test_a_card_that_lacks_what_is_needed_is_told_by_field(tmp_path: Path, card: dict[str, object], field: str):
    bundle(tmp_path, "odd", **card)
    with capture_logs() as logs:
        assert LocalRegistry(tmp_path).models() == []
    assert field in logs[0]["reason"]


def test_a_zip_without_a_card_is_no_model(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bare.lipsol", "w") as out:
        out.writestr("model.onnx", b"")
    assert LocalRegistry(tmp_path).models() == []


def test_a_card_like_a_zip_bomb_is_not_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bomb.lipsol", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("card.json", b" " * (5 << 20))
        out.writestr("model.onnx", b"")
    with capture_logs() as logs:
        assert LocalRegistry(tmp_path).models() == []
    assert "card.json of over 4194304 bytes" in logs[0]["reason"]


def test_a_file_that_changes_is_hashed_anew(tmp_path: Path):
    registry = LocalRegistry(tmp_path)
    bundle(tmp_path, "one")
    first = registry.find("grid-sentences")
    second = bundle(tmp_path, "one", version="2 and longer")
    assert registry.find("grid-sentences").digest == second != first.digest


def test_one_bundle_file_is_a_registry_too(tmp_path: Path):
    digest = bundle(tmp_path, "one")
    bundle(tmp_path, "two", name="other")
    registry = LocalRegistry(tmp_path / "one.lipsol")
    assert [info.digest for info in registry.models()] == [digest]
    assert registry.path(digest) == tmp_path / "one.lipsol"
    (tmp_path / "one.lipsol").write_bytes(b"")
    assert registry.models() == [] and len(registry.faults()) == 1


def test_a_folder_that_is_not_there_holds_no_models(tmp_path: Path):
    assert LocalRegistry(tmp_path / "nowhere").models() == []

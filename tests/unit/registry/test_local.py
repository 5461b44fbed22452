"""The registry in a folder: what is its own, beyond the contract."""

import zipfile
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from lipsol.registry.local import LocalRegistry
from tests.contract.test_registry import bundle

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
    with capture_logs() as logs:
        assert LocalRegistry(tmp_path).models() == []
    assert "5242880" in logs[0]["reason"]


def test_a_file_that_changes_is_hashed_anew(tmp_path: Path):
    registry = LocalRegistry(tmp_path)
    bundle(tmp_path, "one")
    first = registry.find("grid-sentences")
    second = bundle(tmp_path, "one", version="2 and longer")
    assert registry.find("grid-sentences").digest == second != first.digest


def test_a_folder_that_is_not_there_holds_no_models(tmp_path: Path):
    assert LocalRegistry(tmp_path / "nowhere").models() == []

import hashlib
import json
import zipfile

import pytest

from lipsol.archive import Archive, card_of, member_of, write
from lipsol.errors import ModelError
from lipsol.signing import SigningKey

MEMBERS = {"card.json": b"{}", "model.onnx": b"net", "golden.npz": b"clips"}


def test_members_come_back_with_the_file_s_digest(tmp_path):
    digest = write(tmp_path / "a.lipsol", MEMBERS)
    held = Archive.read(tmp_path / "a.lipsol")
    assert (held.members, held.digest, held.file) == (MEMBERS, digest, "a.lipsol")
    assert digest == hashlib.sha256((tmp_path / "a.lipsol").read_bytes()).hexdigest()
    assert card_of(tmp_path / "a.lipsol") == (b"{}", digest)


def test_a_member_is_read_by_itself_and_may_be_wanting(tmp_path):
    write(tmp_path / "a.lipsol", {**MEMBERS, "reference.npz": b"normal"})
    assert member_of(tmp_path / "a.lipsol", "reference.npz") == b"normal"
    write(tmp_path / "a.lipsol", MEMBERS)
    assert member_of(tmp_path / "a.lipsol", "reference.npz") == b""


def test_what_is_signed_are_the_lines_of_sha256sum(tmp_path):
    lines = [
        f"{hashlib.sha256(MEMBERS[name]).hexdigest()}  {name}" for name in ("card.json", "golden.npz", "model.onnx")
    ]
    assert Archive("a", MEMBERS, "").statement().decode().splitlines() == lines
    signed = Archive("a", MEMBERS, "").signed(SigningKey.new())
    assert Archive("a", signed, "").statement().decode().splitlines() == lines
    assert json.loads(signed["signature.json"])["algorithm"] == "Ed25519"


def test_a_member_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.lipsol", "w") as out:
        for name in MEMBERS:
            out.writestr(name, b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            out.writestr("card.json", b"{}")
    with pytest.raises(ModelError, match="a.lipsol holds card.json, which no bundle holds \\(or not twice"):
        Archive.read(tmp_path / "a.lipsol")


@pytest.mark.parametrize("missing", ["card.json", "model.onnx"])
def test_a_zip_of_other_things_is_no_bundle(tmp_path, missing):
    write(tmp_path / "a.lipsol", {name: data for name, data in MEMBERS.items() if name != missing})
    with pytest.raises(ModelError, match=f"no bundle: it holds no {missing}"):
        Archive.read(tmp_path / "a.lipsol")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ModelError, match="a.lipsol can't be read"):
        Archive.read(tmp_path / "a.lipsol")


def test_a_file_too_big_for_any_bundle_is_not_even_read(tmp_path):
    with (tmp_path / "a.lipsol").open("wb") as file:
        file.truncate(1 << 30)  # a hole: it takes no room
    with pytest.raises(ModelError, match="1073741824 bytes, a bundle has at most"):
        card_of(tmp_path / "a.lipsol")


def test_an_encrypted_member_is_refused(tmp_path):
    write(tmp_path / "a.lipsol", MEMBERS)
    data = (tmp_path / "a.lipsol").read_bytes()
    for header, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # zip's APPNOTE, 4.3.7 and 4.3.12: flags, bit 0
        at = data.index(header) + flags_at
        data = data[:at] + bytes([data[at] | 1]) + data[at + 1 :]
    (tmp_path / "a.lipsol").write_bytes(data)
    with pytest.raises(ModelError, match="damaged card.json"):
        Archive.read(tmp_path / "a.lipsol")


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    before = write(tmp_path / "a.lipsol", MEMBERS)
    (tmp_path / "folder.lipsol").mkdir()
    with pytest.raises(OSError):
        write(tmp_path / "folder.lipsol", MEMBERS)
    assert Archive.read(tmp_path / "a.lipsol").digest == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.lipsol", "folder.lipsol"]

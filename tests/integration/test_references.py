"""`lipsol models reference`, as it is typed, on a data set of mouths."""

import shutil

import numpy as np
import pytest

from lipsol.archive import Archive, write
from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Dataset, Item, Spoken, save
from lipsol.drift.bundled import reference_of
from lipsol.signing import SigningKey
from services.cli import main

TEXT = "bin blue at f two now"
CLIPS = 10


@pytest.fixture
def data(tmp_path):
    """Ten clips of six words each."""
    rng, items = np.random.default_rng(1), []
    words = tuple(Spoken(word, 2 + 3 * n, 5 + 3 * n) for n, word in enumerate(TEXT.split()))
    folder = tmp_path / "data"
    folder.mkdir()
    for n in range(CLIPS):
        points = rng.normal(0, 0.1, (24, 56, 2)).astype(np.float32)
        picture = rng.integers(0, 256, (24, 96, 96), dtype=np.uint8)
        mouth = MouthClip(picture, points[:, :40], points[:, 40:], points[:, :40], np.ones(24, bool))
        (folder / f"a{n}.npz").write_bytes(mouth.to_bytes())
        items.append(Item(folder / f"a{n}.npz", "a", words, "validation" if n < 4 else "train", TEXT))
    dataset = Dataset(
        name="made", language="en", grammar="grid", home=("a",), items=tuple(items), licence="CC0-1.0",
        attribution="nobody", split="by hand", corpus="made up", names="", synthetic=True, folder=folder,
    )  # fmt: skip
    save(dataset, folder, copy=False)
    return folder


def test_a_bundle_is_given_a_reference_once_and_loses_what_was_signed(top, tmp_path, data, capsys):
    file = tmp_path / "mine.lipsol"
    shutil.copy(top / "models" / "grid-words.lipsol", file)
    write(file, Archive.read(file).signed(SigningKey.new()))
    was = Archive.read(file)
    asked = ["models", "reference", str(file), "--data", str(data), "--cache", str(tmp_path / "cache")]
    assert main(asked) == 0
    told = capsys.readouterr()
    now = Archive.read(file)
    assert f"is {now.digest[:12]} now, and was {was.digest[:12]}" in told.out
    assert "the signature is gone" in told.err
    assert {name for name in was.members if was.members[name] != now.members.get(name)} == {
        "reference.npz",
        "signature.json",
    }
    held = reference_of(file)
    assert held is not None and (held.clips, held.block.told) == (60, 24)
    assert main(asked) == 0
    assert f"it stays {now.digest[:12]}" in capsys.readouterr().out


def test_data_of_another_language_is_refused(top, tmp_path, data, capsys):
    file = tmp_path / "mine.lipsol"
    shutil.copy(top / "models" / "urdu-synthetic-words.lipsol", file)
    assert main(["models", "reference", str(file), "--data", str(data), "--cache", str(tmp_path / "cache")]) == 2
    assert "reads 'ur', the data set made is in 'en'" in capsys.readouterr().err

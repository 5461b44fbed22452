from dataclasses import replace

import numpy as np
import pytest

from lipsol.archive import write
from lipsol.drift.bundled import reference_of
from lipsol.drift.features import NUMBERS, OUTPUTS
from lipsol.drift.reference import Reference
from lipsol.drift.sketch import Block
from lipsol.errors import BadInput, ModelError
from tests.unit.drift.observations_made import Drawn, reference_made

BARE = {"card.json": b"{}", "model.onnx": b"net"}


@pytest.fixture(scope="module")
def reference():
    return reference_made()


def test_a_reference_comes_back_from_its_bytes_which_are_always_the_same(reference):
    data = reference.to_bytes()
    again = Reference.from_bytes(data)
    assert again.to_bytes() == data == reference_made().to_bytes()
    assert (again.clips, again.learned, again.digest_of_data) == (400, "bundle", "drawn")
    assert again.layout.key == reference.layout.key
    assert len(data) < 400_000


def test_its_clips_numbers_are_there_for_reports(reference):
    rows = reference.rows()
    assert set(rows) == {*NUMBERS, *OUTPUTS}
    assert rows["brightness"].shape == (400,) and rows["brightness"].mean() == pytest.approx(135, abs=1)
    assert np.isnan(rows["faces"]).all()


def test_too_few_clips_make_no_reference():
    with pytest.raises(BadInput, match="49 clips for a reference, at least 50"):
        Reference.of(Drawn().clips(49), [], digest_of_data="")


def test_an_accepted_window_is_the_new_normal_in_the_same_layout(reference):
    window = Block.of(Drawn(5).clips(200, {"brightness": -40.0}), [], reference)
    accepted = reference.accepted(window, "site")
    again = Reference.from_bytes(accepted.to_bytes())
    assert (again.learned, again.clips, again.layout.key) == ("accepted", 200, reference.layout.key)
    assert again.rows()["brightness"].mean() == pytest.approx(95, abs=5)
    with pytest.raises(BadInput, match="10 clips in the window"):
        reference.accepted(Block.of(Drawn(5).clips(10), [], reference), "site")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no", b"\x80\x04pickle"], ids=["nothing", "no zip", "a pickle"])
def test_bytes_that_are_no_reference_are_refused(data):
    with pytest.raises(BadInput, match="no reference"):
        Reference.from_bytes(data)


def test_sums_of_another_layout_are_no_reference(reference):
    torn = replace(reference, block=Block(reference.layout.key, np.zeros(3)))
    with pytest.raises(BadInput, match="its layout has"):
        Reference.from_bytes(torn.to_bytes())


def test_a_bundle_brings_its_reference_or_none(tmp_path, reference):
    write(tmp_path / "with.lipsol", {**BARE, "reference.npz": reference.to_bytes()})
    write(tmp_path / "without.lipsol", BARE)
    write(tmp_path / "torn.lipsol", {**BARE, "reference.npz": b"torn"})
    held = reference_of(tmp_path / "with.lipsol")
    assert held is not None and held.to_bytes() == reference.to_bytes()
    assert reference_of(tmp_path / "without.lipsol") is None
    with pytest.raises(ModelError, match="torn.lipsol has a reference.npz of 4 bytes"):
        reference_of(tmp_path / "torn.lipsol")


@pytest.mark.parametrize("name", ["grid-sentences", "grid-words", "urdu-synthetic-sentences", "urdu-synthetic-words"])
def test_every_shipped_bundle_brings_one(top, name):
    held = reference_of(top / "models" / f"{name}.lipsol")
    assert held is not None and held.clips >= 400 and held.block.told >= 100
    assert len(held.layout.words) > 10

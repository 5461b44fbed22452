"""What the reading service may be told."""

import pytest

from lipsol.errors import BadInput
from lipsol.runtime.settings import Settings, load
from services.inference.settings import InferenceSettings


class Alone(Settings):
    inference: InferenceSettings = InferenceSettings()


def test_bundles_are_pinned_as_a_list_in_json(monkeypatch):
    assert load(Alone).inference.bundles == []
    monkeypatch.setenv("LIPSOL_INFERENCE__BUNDLES", f'["{"a1" * 32}"]')
    assert load(Alone).inference.bundles == ["a1" * 32]


@pytest.mark.parametrize(
    ("bundles", "why"),
    [
        ('["a1a1a1a1a1a1"]', "64 hex digits"),
        (f'["{"A1" * 32}"]', "64 hex digits"),
        ('["grid-sentences"]', "64 hex digits"),
        (f'["{"a1" * 32}", "{"a1" * 32}"]', "once"),
    ],
    ids=["the first digits alone", "capitals", "a name", "one twice"],
)
def test_what_names_no_bundle_is_refused_with_the_variable_and_the_cure(monkeypatch, bundles, why):
    monkeypatch.setenv("LIPSOL_INFERENCE__BUNDLES", bundles)
    with pytest.raises(BadInput, match=f"LIPSOL_INFERENCE__BUNDLES.*{why}"):
        load(Alone)

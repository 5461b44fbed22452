"""The generated modules are what the schemas give."""

import pytest

from lipsol.proto.generate import FOREIGN, GENERATED, SCHEMA, foreign, generated


@pytest.mark.parametrize(("folder", "made"), [(SCHEMA, generated), (FOREIGN, foreign)], ids=["ours", "foreign"])
def test_the_generated_modules_are_what_the_schema_gives(folder, made):
    """`make proto` renews them."""
    there = {path.name: path.read_text() for pattern in GENERATED for path in folder.glob(pattern)}
    assert there == made()

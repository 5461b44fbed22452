"""The generated modules are what the schema gives."""

from lipsol.proto.generate import GENERATED, SCHEMA, generated


def test_the_generated_modules_are_what_the_schema_gives():
    """`make proto` renews them."""
    there = {path.name: path.read_text() for pattern in GENERATED for path in SCHEMA.glob(pattern)}
    assert there == generated()

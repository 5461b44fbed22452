"""Holds the schema against its baseline: a change that somebody who speaks the old one can't take is a break.

The baseline (`baseline.txt`) is the schema as plain facts, a line each, as it was when it was last promised. Additions
pass. Whatever is gone, renamed, renumbered or of another type breaks; so does a new field that is `required` in a
message that was there. A number is never used again: `--renew` takes no removal that is not `reserved`.

    python -m lipsol.proto.compatibility                     say what breaks
    python -m lipsol.proto.compatibility --renew             promise the schema as it is, if nothing breaks
    python -m lipsol.proto.compatibility --renew --breaking  promise it although something does
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

from lipsol.errors import BadInput
from lipsol.proto.v1 import options_pb2

BASELINE = Path(__file__).with_name("baseline.txt")
REQUIRED = ", required"

Facts = Mapping[str, str]  # "field lipsol.v1.Claim 1" -> "inline: bytes"


def current() -> Facts:
    """The facts of the schema that stands in `v1`, as it is generated."""
    names = sorted(path.stem for path in BASELINE.parent.glob("v1/*_pb2.py"))
    files = [FileDescriptorProto() for _ in names]
    for name, file in zip(names, files, strict=True):
        import_module(f"lipsol.proto.v1.{name}").DESCRIPTOR.CopyToProto(file)
    return facts_of(files)


def facts_of(files: Iterable[FileDescriptorProto]) -> Facts:
    """All that somebody who speaks a schema relies on, by the address where it stands."""
    found: dict[str, str] = {}
    for file in files:
        within = f"{file.package}."
        found |= {f"extension {within}{each.name}": f"{each.number} {_type(each)}" for each in file.extension}
        for message in file.message_type:
            found |= _message(message, within)
        for enum in file.enum_type:
            found |= _enum(enum, within)
        for service in file.service:
            name = within + service.name
            found |= {f"service {name}": "", **{f"method {name}.{each.name}": _call(each) for each in service.method}}
    return found


def breaks(before: Facts, after: Facts) -> list[str]:
    """What somebody who speaks `before` can't take of `after`: a sentence each, in the order of `before`."""
    found = []
    for address, fact in before.items():
        if address not in after:
            found.append(f"{_told(address, fact)} was removed")
        elif after[address] != fact:
            found.append(f"{address} was `{fact}`, now it is `{after[address]}`")
    for address, fact in after.items():
        owner = f"message {address.split()[1]}"
        if address not in before and owner in before and fact.endswith(REQUIRED):
            found.append(f"{_told(address, fact)} is new and required: what was written before lacks it")
    return found


def unreserved(before: Facts, after: Facts) -> list[str]:
    """Fields and enum values of `before` that are gone and whose number or name could be used again."""
    found = []
    for address, fact in before.items():
        kind, owner, *number = address.split()
        if kind not in {"field", "value"} or address in after or not {f"message {owner}", f"enum {owner}"} & {*after}:
            continue
        wanted = (f"reserved {owner} {number[0]}", f"reserved {owner} {fact.partition(':')[0]}")
        found += [f"{_told(address, fact)} needs `{each.split()[2]}` reserved" for each in wanted if each not in after]
    return found


def written(facts: Facts) -> str:
    """Facts as text, a line each."""
    return "".join(f"{address} = {fact}\n" if fact else f"{address}\n" for address, fact in facts.items())


def read(text: str) -> Facts:
    """Undo `written`."""
    parts = (line.partition(" = ") for line in text.splitlines())
    return {address: fact for address, _, fact in parts}


def _told(address: str, fact: str) -> str:
    return f"{address} `{fact}`" if fact else address


def _message(message: DescriptorProto, within: str) -> Facts:
    name = within + message.name
    entries = {f".{name}.{each.name}": each for each in message.nested_type if each.options.map_entry}
    found = {f"message {name}": ""}
    for field in message.field:
        found[f"field {name} {field.number}"] = f"{field.name}: {_shape(field, message, entries)}"
    found |= {
        f"reserved {name} {number}": "" for each in message.reserved_range for number in range(each.start, each.end)
    }
    found |= {f"reserved {name} {each}": "" for each in message.reserved_name}
    for nested in message.nested_type:
        if not nested.options.map_entry:
            found |= _message(nested, f"{name}.")
    for enum in message.enum_type:
        found |= _enum(enum, f"{name}.")
    return found


def _enum(enum: EnumDescriptorProto, within: str) -> Facts:
    name = within + enum.name
    ranges = [range(each.start, each.end + 1) for each in enum.reserved_range]  # here the end belongs to it
    return {
        f"enum {name}": "",
        **{f"value {name} {value.number}": value.name for value in enum.value},
        **{f"reserved {name} {number}": "" for each in ranges for number in each},
        **{f"reserved {name} {each}": "" for each in enum.reserved_name},
    }


def _shape(field: FieldDescriptorProto, message: DescriptorProto, entries: Mapping[str, DescriptorProto]) -> str:
    """A field's type with all that bears on how it is read."""
    options: Any = field.options  # its stubs don't know that an extension can be asked for
    required = REQUIRED if options.Extensions[options_pb2.required] else ""
    if field.type_name in entries:
        key, value = entries[field.type_name].field
        return f"map<{_type(key)}, {_type(value)}>{required}"
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {_type(field)}{required}"
    if field.proto3_optional:
        return f"optional {_type(field)}{required}"
    if field.HasField("oneof_index"):
        return f"{_type(field)} in oneof {message.oneof_decl[field.oneof_index].name}{required}"
    return f"{_type(field)}{required}"


def _type(field: FieldDescriptorProto) -> str:
    plain = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    return f"{plain} {field.type_name[1:]}" if field.type_name else plain


def _call(method: MethodDescriptorProto) -> str:
    asks, answers = (("stream " if streams else "") for streams in (method.client_streaming, method.server_streaming))
    return f"{asks}{method.input_type[1:]} -> {answers}{method.output_type[1:]}"


def main(argv: Sequence[str] | None = None, baseline: Path = BASELINE) -> int:
    """Say what breaks, or renew the baseline. Raises BadInput for what must not be promised."""
    parser = ArgumentParser(prog="python -m lipsol.proto.compatibility", description="Hold the schema to its baseline.")
    parser.add_argument("--renew", action="store_true", help="write the baseline anew")
    parser.add_argument("--breaking", action="store_true", help="although something breaks")
    asked = parser.parse_args(argv)
    before, after = read(baseline.read_text()) if baseline.exists() else {}, current()
    broken = breaks(before, after)
    for line in _lines(broken, before, after):
        print(line)
    if not asked.renew:
        return 1 if broken else 0
    if broken and not asked.breaking:
        raise BadInput(f"{len(broken)} changes break who speaks the old schema", "give --breaking if that is meant")
    if gone := unreserved(before, after):
        raise BadInput("; ".join(gone), "a number or name that was used is never used again")
    baseline.write_text(written(after))
    return 0


def _lines(broken: Sequence[str], before: Facts, after: Facts) -> Iterator[str]:
    yield from (f"breaks: {each}" for each in broken)
    yield from (f"new: {_told(address, fact)}" for address, fact in after.items() if address not in before)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BadInput as fault:
        sys.exit(str(fault))

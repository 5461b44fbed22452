"""`make chart`: what is made of the chart's values, so that nobody writes it twice: their schema, the README's table.

values.yaml is the source. A value's default gives its type, the comment above it says what it is, and a line of that
comment may narrow it:

    # @schema {minimum: 1}      goes into the value's schema as it stands; with `additionalProperties` its keys are free
    # @settings inference       its keys are that section's settings, but for those that the chart sets itself
    # @gates                    its keys are the margins of a rollout's gates

Anything that values.yaml does not name is refused, so that a slip of the pen never installs.
"""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lipsol.rollout.gates import Gates
from services.embedded import EmbeddedSettings

CHART = Path("helm/lipsol")  # from the repository's root
OWN = {  # settings that are the chart's: its Services, policies, Secrets and tracks stand on them
    "bus": {"kind", "servers", "prefix", "protocol", "ca_file", "mechanism", "user", "password"}
    | {"capacity", "history", "history_mib"},  # those of the memory bus
    "preprocess": {"host", "port", "grpc_port", "drain_s", "grace_s"},
    "inference": {"host", "port", "grpc_port", "drain_s", "grace_s", "track", "provider", "device_id"},
    "monitor": {"host", "port", "drain_s", "grace_s"},
    "rehearsal": {"allowed", "fault"},
}
TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
BEGIN, END = "<!-- values: made by `make chart` -->", "<!-- /values -->"
ANNOTATION = re.compile(r"@(\w+)\s*(.*)")


@dataclass(frozen=True)
class Value:
    """One value: where it stands, what is said of it, its default, and what narrows it."""

    path: tuple[str, ...]
    text: str
    default: Any
    narrowed: Mapping[str, Any]
    free: bool  # a mapping whose keys are not the chart's


def values(source: str) -> Iterator[Value]:
    """Every value of a values.yaml in its order, groups before what is in them."""
    root = yaml.compose(source, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise TypeError("values.yaml holds no mapping")
    yield from _below(root, (), source.splitlines(), yaml.safe_load(source))


def _below(node: yaml.MappingNode, above: tuple[str, ...], lines: list[str], defaults: Any) -> Iterator[Value]:
    for key, held in node.value:
        default = defaults[key.value]
        text, narrowed, free = _said(lines, key.start_mark.line)
        value = Value((*above, key.value), text, default, narrowed, free or default == {})
        yield value
        if isinstance(held, yaml.MappingNode) and not value.free:
            yield from _below(held, value.path, lines, default)


def _said(lines: list[str], line: int) -> tuple[str, dict[str, Any], bool]:
    """The comment above a line: what it says, what it narrows, and whether the keys below are free."""
    first = line
    while first and lines[first - 1].strip().startswith("#"):
        first -= 1
    words, narrowed, free = [], dict[str, Any](), False
    for said in (each.strip().lstrip("#").strip() for each in lines[first:line]):
        if found := ANNOTATION.match(said):
            narrowed |= _narrowing(found[1], found[2])
            free = free or "additionalProperties" in narrowed
        else:
            words.append(said)
    return " ".join(words), narrowed, free


def _narrowing(kind: str, rest: str) -> dict[str, Any]:
    if kind == "schema":
        return dict(yaml.safe_load(rest))
    if kind == "settings":
        return _settings(rest)
    if kind == "gates":
        margins = [field.name for field in dataclasses.fields(Gates)]
        return {
            "additionalProperties": False,
            "properties": {name: {"type": "number", "minimum": 0} for name in margins},
        }
    raise ValueError(f"@{kind}: write @schema, @settings or @gates")


def _settings(section: str) -> dict[str, Any]:
    """That a mapping holds settings of a section alone, each a plain value, a list, or a section within it."""
    fields = EmbeddedSettings.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
    names = sorted(set(fields) - OWN[section])
    plain = {"type": ["string", "number", "boolean", "array", "object"]}
    return {"additionalProperties": False, "properties": dict.fromkeys(names, plain)}


def schema(source: str) -> str:
    """values.schema.json."""
    root: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "lipsol",
        "type": "object",
        "additionalProperties": False,
        # a chart that holds this one hands down its own
        "properties": {"global": {"type": "object"}},
    }
    for value in values(source):
        place = root
        for part in value.path[:-1]:
            place = place["properties"][part]
        place["properties"][value.path[-1]] = _schema_of(value)
    return json.dumps(root, indent=2) + "\n"


def _schema_of(value: Value) -> dict[str, Any]:
    told = {"description": value.text}
    if isinstance(value.default, dict):
        below: dict[str, Any] = {} if value.free else {"additionalProperties": False, "properties": {}}
        return told | {"type": "object"} | below | dict(value.narrowed)
    kind = TYPES[type(value.default)]
    if kind == "integer" and value.path[-1].endswith("_s"):
        kind = "number"  # seconds may be parts of one
    return told | {"type": kind} | dict(value.narrowed)


def table(source: str) -> str:
    """The README's table: a line a value, and groups with what they are."""
    lines = ["| value | default | |", "|---|---|---|"]
    for value in values(source):
        group = isinstance(value.default, dict) and not value.free
        default = "" if group else f"`{json.dumps(value.default, ensure_ascii=False)}`"
        name = ".".join(value.path)
        text = value.text.replace("|", "\\|")
        lines.append(f"| **`{name}`** | | {text} |" if group else f"| `{name}` | {default} | {text} |")
    return "\n".join(lines)


def renewed(readme: str, source: str) -> str:
    """The chart's README with its table made anew."""
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the chart's README lacks {BEGIN} or {END}: put them back where the table goes")
    return f"{before}{BEGIN}\n{table(source)}\n{END}{after}"


def written(chart: Path = CHART) -> dict[Path, str]:
    """Every file that is made of a chart's values, as it should be."""
    source = (chart / "values.yaml").read_text()
    readme = chart / "README.md"
    return {chart / "values.schema.json": schema(source), readme: renewed(readme.read_text(), source)}


def main() -> None:
    """Write them."""
    for path, content in written().items():
        path.write_text(content)


if __name__ == "__main__":
    main()

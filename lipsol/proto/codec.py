"""Frozen dataclasses <-> protobuf messages of the same fields, by name; and what proto3 leaves open is checked here.

- A field that the schema calls `required` is there and is not "", both on the way out and on the way in.
- A `Literal` is an enum whose values bear its names; 0 (UNSPECIFIED) and numbers that nobody here knows are refused.
- Every number is finite. `None` is a field that is not set, and differs from "".
- What a reader does not know is passed over. The same dataclass always gives the same bytes.
- A refusal names every field at fault, and no text that was in it: those may be somebody's words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from lipsol.errors import BadInput
from lipsol.proto.v1 import options_pb2

Faults = list[str]
Step = Callable[[Any, str, Faults], Any]  # a value, the path to it, and where to tell what is wrong with it


class Codec:
    """Turns one dataclass into its message's bytes and back; safe to share between threads.

    Raises TypeError at once if the fields of the two are not the same.
    """

    def __init__(self, kind: type, message: type[Message]) -> None:
        self._kind, self._message = kind, message
        described = message.DESCRIPTOR.fields_by_name
        names = [field.name for field in fields(kind)]
        if set(names) != set(described):
            raise TypeError(f"{kind.__name__} and its message differ in {sorted(set(names) ^ set(described))}")
        hints = get_type_hints(kind)
        self._steps = [(name, *_steps(hints[name], described[name])) for name in names]

    def to_bytes(self, value: object) -> bytes:
        """The dataclass as bytes. Raises BadInput naming every field that is unfit."""
        faults: Faults = []
        message = self.pack(value, "", faults)
        if faults:
            raise BadInput(f"a {self._kind.__name__} that can't be sent: {'; '.join(faults)}", "put these fields right")
        return message.SerializeToString(deterministic=True)

    def from_bytes(self, data: bytes) -> Any:
        """Undo `to_bytes`. Raises BadInput naming every field that is missing or unfit."""
        faults: Faults = []
        message = self._message()
        try:
            message.ParseFromString(data)
        except DecodeError:
            faults.append("they are not protobuf, or were cut short")
        value = None if faults else self.unpack(message, "", faults)
        if faults:
            told = f"{len(data)} bytes that are no {self._kind.__name__}: {'; '.join(faults)}"
            raise BadInput(told, "send what `to_bytes` wrote")
        return value

    def pack(self, value: object, path: str, faults: Faults) -> Message:
        """The dataclass as a message; what is wrong with it is added to faults, under the path that leads to it."""
        packed = {}
        for name, pack, _ in self._steps:
            held = pack(getattr(value, name), path + name, faults)
            if held is not None:
                packed[name] = held
        try:
            return self._message(**packed)
        except (TypeError, ValueError):  # a number out of range, a lone surrogate
            unfit = [name for name, held in packed.items() if self._unfit(name, held)]
            faults += [f"{path}{name}: can't be written down" for name in unfit]
            return self._message()

    def unpack(self, message: Message, path: str, faults: Faults) -> Any:
        """The message as a dataclass; senseless where faults were added."""
        held = [unpack(message, path + name, faults) for name, _, unpack in self._steps]
        return None if faults else self._kind(*held)

    def _unfit(self, name: str, held: object) -> bool:
        try:
            self._message(**{name: held})
        except (TypeError, ValueError):
            return True
        return False


def _steps(hint: Any, field: Any) -> tuple[Step, Step]:
    """How a field (a FieldDescriptor) is packed and unpacked; the second takes the message that holds the field."""
    name = field.name
    required = bool(field.GetOptions().Extensions[options_pb2.required])
    if NoneType in get_args(hint):
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        pack, unpack = _steps(inner, field)
        return _unless_none(pack), _if_set(name, unpack)
    if field.message_type and isinstance(hint, type) and is_dataclass(hint):
        return _message_steps(Codec(hint, GetMessageClass(field.message_type)), name, required=required)
    if hint == tuple[float, ...]:
        return _each_finite, lambda message, path, faults: tuple(_each_finite(getattr(message, name), path, faults))
    if get_origin(hint) is tuple and not field.message_type:
        return _as_is, lambda message, _path, _faults: tuple(getattr(message, name))
    if field.message_type and get_origin(hint) is tuple:
        return _list_steps(Codec(get_args(hint)[0], GetMessageClass(field.message_type)), name)
    if field.enum_type and get_origin(hint) is Literal:
        return _enum_steps(get_args(hint), field.enum_type, name)
    if hint is float:
        return _finite, lambda message, path, faults: _finite(getattr(message, name), path, faults)
    if get_origin(hint) is dict:
        return _all_finite, lambda message, path, faults: dict(_all_finite(getattr(message, name), path, faults))
    if required:
        return _present, lambda message, path, faults: _present(getattr(message, name), path, faults)
    return _as_is, lambda message, _path, _faults: getattr(message, name)


def _as_is(value: Any, _path: str, _faults: Faults) -> Any:
    return value


def _present(value: Any, path: str, faults: Faults) -> Any:
    if not value:
        faults.append(f"{path}: missing")
    return value


def _finite(value: float, path: str, faults: Faults) -> float:
    if not isfinite(value):
        faults.append(f"{path}: {value} is not finite")
    return value


def _all_finite(values: Mapping[str, float], path: str, faults: Faults) -> Mapping[str, float]:
    if all(map(isfinite, values.values())):  # nearly always; the paths are dear
        return values
    for key, value in values.items():
        if not isfinite(value):
            faults.append(f"{path}.{key}: {value} is not finite")
    return values


def _each_finite(values: Sequence[float], path: str, faults: Faults) -> Sequence[float]:
    if all(map(isfinite, values)):
        return values
    for place, value in enumerate(values):
        _finite(value, f"{path}.{place}", faults)
    return values


def _unless_none(pack: Step) -> Step:
    return lambda value, path, faults: None if value is None else pack(value, path, faults)


def _if_set(name: str, unpack: Step) -> Step:
    return lambda message, path, faults: unpack(message, path, faults) if message.HasField(name) else None


def _message_steps(codec: Codec, name: str, *, required: bool) -> tuple[Step, Step]:
    def pack(value: Any, path: str, faults: Faults) -> Message:
        return codec.pack(value, path + ".", faults)

    def unpack(message: Any, path: str, faults: Faults) -> Any:
        if required and not message.HasField(name):
            faults.append(f"{path}: missing")
            return None
        return codec.unpack(getattr(message, name), path + ".", faults)

    return pack, unpack


def _list_steps(codec: Codec, name: str) -> tuple[Step, Step]:
    def pack(values: Any, path: str, faults: Faults) -> list[Message]:
        return [codec.pack(value, f"{path}.{place}.", faults) for place, value in enumerate(values)]

    def unpack(message: Any, path: str, faults: Faults) -> tuple[Any, ...]:
        held = getattr(message, name)
        return tuple(codec.unpack(each, f"{path}.{place}.", faults) for place, each in enumerate(held))

    return pack, unpack


def _enum_steps(words: tuple[str, ...], enum: EnumDescriptor, name: str) -> tuple[Step, Step]:
    """The words of a Literal <-> numbers: "blueGreen" of Mode is MODE_BLUE_GREEN, "bad-input" DEATH_KIND_BAD_INPUT."""
    numbers = {value.name: value.number for value in enum.values}
    number_of = {word: numbers.pop(_shouted(f"{enum.name}-{word}"), 0) for word in words}
    word_of = {number: word for word, number in number_of.items()}
    if 0 in word_of or set(numbers.values()) != {0}:
        raise TypeError(f"enum {enum.name} and {', '.join(words)} differ")
    known = ", ".join(words)

    def pack(word: str, path: str, faults: Faults) -> int:
        if word not in number_of:
            faults.append(f"{path}: none of {known}")
        return number_of.get(word, 0)

    def unpack(message: Any, path: str, faults: Faults) -> str | None:
        number = getattr(message, name)
        if number not in word_of:
            faults.append(f"{path}: {number} is none of {known}" if number else f"{path}: missing")
        return word_of.get(number)

    return pack, unpack


def _shouted(word: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|-", "_", word).upper()

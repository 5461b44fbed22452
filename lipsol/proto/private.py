"""Messages of somebody else's protocol, in a descriptor pool of their own.

protobuf registers every message of a process in one default pool, by its full name: `inference.ModelInferRequest` can
be there once. Whoever else brings that protocol (tritonclient does) registers the very same names, under a file name
of its own and with more fields than we serve; the second of the two then fails to import. So ours never go to the
default pool: they stand in POOL, which nobody else writes to, and client and server live in one process. Nothing is
lost by it, since on the wire there are only numbers. What asks a pool by name (gRPC's reflection) must be given POOL.
"""

from collections.abc import Sequence

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message_factory import GetMessageClass

POOL = DescriptorPool()


def add(serialized: bytes) -> FileDescriptor:
    """Put a file (a serialized FileDescriptorProto) into the pool; what it imports must be there already."""
    POOL.AddSerializedFile(serialized)
    return POOL.FindFileByName(FileDescriptorProto.FromString(serialized).name)


def share(files: Sequence[FileDescriptor]) -> None:
    """Have files of the default pool in the private one as well, for whoever can look into one alone."""
    for file in files:
        POOL.AddSerializedFile(file.serialized_pb)


def contents(file: FileDescriptor) -> dict[str, object]:
    """What a generated module has: a file's messages, enums and their values, by name."""
    found: dict[str, object] = {name: GetMessageClass(each) for name, each in file.message_types_by_name.items()}
    for name, enum in file.enum_types_by_name.items():
        found[name] = EnumTypeWrapper(enum)
        found |= {value.name: value.number for value in enum.values}
    return found

"""Makes the Python modules of the schemas: `make proto`. The only door to protoc; nothing that serves imports it.

Our own schema becomes what protoc makes of it. A protocol that is not ours becomes modules over a descriptor pool of
their own (`lipsol.proto.private` says why), with protoc's stubs for the types.
"""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from lipsol.errors import BadInput

TOP = Path(__file__).resolve().parents[2]  # of the repository: names in the schema begin here
SCHEMA = Path(__file__).with_name("v1")
FOREIGN = Path(__file__).with_name("oip")
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")
WIDTH = 64  # bytes of a descriptor in one line


def generated() -> dict[str, str]:
    """What protoc makes of our own schema: file name -> text. Raises BadInput where it has a fault."""
    with TemporaryDirectory() as folder:
        _compile(SCHEMA, [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")])
        texts = _texts(Path(folder) / SCHEMA.relative_to(TOP))
    return {name: text for name, text in texts.items() if not name.endswith("_grpc.py") or "Servicer" in text}


def foreign() -> dict[str, str]:
    """The modules of the protocols that are not ours: file name -> text. Raises BadInput where a schema has a fault."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    with TemporaryDirectory() as folder:
        described = Path(folder) / "described"
        _compile(FOREIGN, [f"--pyi_out={folder}", f"--descriptor_set_out={described}"])
        texts = _texts(Path(folder) / FOREIGN.relative_to(TOP))
        for file in FileDescriptorSet.FromString(described.read_bytes()).file:
            texts[f"{Path(file.name).stem}_pb2.py"] = _module(file.SerializeToString(deterministic=True))
    return texts


def _compile(schema: Path, outputs: Sequence[str]) -> None:
    from grpc_tools import protoc

    roots = [f"-I{TOP}", f"-I{files('grpc_tools') / '_proto'}"]
    names = [path.relative_to(TOP).as_posix() for path in sorted(schema.glob("*.proto"))]
    if protoc.main(["protoc", *roots, *outputs, *names]):
        raise BadInput("the schema can't be compiled", "protoc has said why on standard error")


def _texts(made: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(made.iterdir())}


def _module(serialized: bytes) -> str:
    """A module that has a file's messages, in the private pool."""
    lines = "\n".join(f"    {serialized[at : at + WIDTH]!r}" for at in range(0, len(serialized), WIDTH))
    return (
        '"""Made by `make proto`: the messages of the .proto file of the same name. Don\'t edit."""\n\n'
        "from lipsol.proto.private import add, contents\n\n"
        f"DESCRIPTOR = add(\n{lines}\n)\n"
        "globals().update(contents(DESCRIPTOR))\n"
    )


def main() -> int:
    """Write the modules beside their schema, and remove those whose schema is gone."""
    for schema, made in ((SCHEMA, generated()), (FOREIGN, foreign())):
        for path in {path for pattern in GENERATED for path in schema.glob(pattern)}:
            if path.name not in made:
                path.unlink()
        for name, text in made.items():
            (schema / name).write_text(text)
        print(f"{len(made)} modules made in {schema.relative_to(TOP)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes the Python modules of the schema: `make proto`. The only door to protoc; nothing that serves imports it."""

import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from lipsol.errors import BadInput

TOP = Path(__file__).resolve().parents[2]  # of the repository: names in the schema begin here
SCHEMA = Path(__file__).with_name("v1")
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")


def generated() -> dict[str, str]:
    """What protoc makes of every .proto file: file name -> text. Raises BadInput where the schema has a fault."""
    from grpc_tools import protoc

    with TemporaryDirectory() as folder:
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        roots = [f"-I{TOP}", f"-I{files('grpc_tools') / '_proto'}"]
        names = [path.relative_to(TOP).as_posix() for path in sorted(SCHEMA.glob("*.proto"))]
        if protoc.main(["protoc", *roots, *outputs, *names]):
            raise BadInput("the schema can't be compiled", "protoc has said why on standard error")
        made = Path(folder) / SCHEMA.relative_to(TOP)
        texts = {path.name: path.read_text() for path in sorted(made.iterdir())}
    return {name: text for name, text in texts.items() if not name.endswith("_grpc.py") or "Servicer" in text}


def main() -> int:
    """Write the modules beside their schema, and remove those whose schema is gone."""
    made = generated()
    for path in {path for pattern in GENERATED for path in SCHEMA.glob(pattern)}:
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (SCHEMA / name).write_text(text)
    print(f"{len(made)} modules made in {SCHEMA.relative_to(TOP)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

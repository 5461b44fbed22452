"""Takes out of an image's packages what nothing there ever runs: `python slim.py IMAGE ENVIRONMENT`.

Three laws. What is taken away is named here with its reason. A name that matches nothing is an error: the list would
rot. And the rest still does all that the service does: tests/integration/test_images.py runs it without what is gone.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = "tests"  # of the packages themselves: nobody runs them here
MEANT = ("evidently",)  # whose `tests` are what its reports ask of the data
SOURCES = (".pyi", ".pyx", ".pxd", ".h", ".hpp", ".c", ".cc", ".cpp", ".a")  # for compilers and editors

AWS = ("*.json", "s3", "sso", "sso-oidc", "sts")  # the store is an S3; by the others a role signs in
STORE = ("boto3/examples", "boto3/data/[!s]*", "boto3/data/s[!3]*")
SCIENCE = tuple(  # filters, transforms and special functions are what watching and reading take of SciPy
    f"scipy/{part}"
    for part in (
        "cluster", "datasets", "differentiate", "fftpack", "integrate", "interpolate", "io", "linalg", "misc", "odr",
        "optimize", "signal", "sparse", "spatial", "stats",
    )
)  # fmt: skip
FACE = (  # LiteRT runs two small networks on a CPU
    "ai_edge_litert/aot",
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
    "ai_edge_litert/tools",
    "ai_edge_litert/vendors",
)
NOTEBOOKS = ("jupyterlab_plotly", "etc/jupyter", "share/jupyter")  # reports are pages
NETWORKS = ("onnxruntime/datasets", "onnxruntime/quantization", "onnxruntime/tools", "onnxruntime/transformers")
LEFT_OUT: Mapping[str, Sequence[str]] = {
    "preprocess": (*STORE, *SCIENCE, *FACE, "cv2/data/*.xml"),  # cascades: faces are found otherwise
    "inference": (*STORE, *SCIENCE, *NETWORKS),
    "inference-gpu": (*STORE, *SCIENCE),  # its onnxruntime converts to half precision by its own tools
    "monitor": (*STORE, *NOTEBOOKS),
    "pipelines": (),
}


def slim(image: str, environment: Path) -> int:
    """Take away what the image does not need; how many bytes that was. environment: a virtual one, as venv makes it."""
    before = size(environment)
    (site,) = environment.glob("lib/python3*/site-packages")
    gone = [path for path in site.rglob(FOLDER) if path.is_dir() and path.relative_to(site).parts[0] not in MEANT]
    if image != "pipelines":  # where torch may be looking for its own
        gone += [path for path in site.rglob("*") if path.suffix in SOURCES]
    for name in LEFT_OUT[image]:
        found = [*site.glob(name), *environment.glob(name)]
        if not found:
            raise SystemExit(f"slim.py: nothing in {site} is called {name!r}; mend the list, or take it out")
        gone += found
    if LEFT_OUT[image]:
        gone += unused_services(site / "botocore" / "data")
    for path in gone:
        remove(path)
    return before - size(environment)


def unused_services(data: Path) -> list[Path]:
    """botocore's descriptions of all of Amazon's services but those that an S3 needs."""
    kept = {path for name in AWS for path in data.glob(name)}
    return [path for path in data.iterdir() if path not in kept]


def remove(path: Path) -> None:
    """A file, a link, or a folder with all in it; what went with its folder has gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    taken = slim(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.write(f"slim.py: {taken / 1e6:.0f} MB taken out of {sys.argv[1]}\n")

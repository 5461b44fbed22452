"""The checks of `lipsol doctor`, each a function that looks at one thing and says what it found.

States: "ok"; "note" (good to know, nothing to mend); "warning" (something will not work, reading clips will); "broken"
(clips can't be read here). Every warning and every break comes with its cure.
"""

import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import lipsol
from lipsol.errors import LipsolError
from lipsol.signing import Keys
from services.cli import machine

PYTHON = (3, 11)  # oldest Python that the code is written for
MEMORY_BYTES = 1.5 * 2**30  # the platform in one process and one clip in work
PORTS = {8080: ("page and API", "--port"), 9464: ("metrics", "LIPSOL_TELEMETRY__METRICS_PORT")}
PROBES = {"H.264": "h264.mp4", "VP9": "vp9.webm"}  # one second of grey, made with libx264 and libvpx
SAMPLES = Path(lipsol.__file__).resolve().parents[1] / "samples"  # of a checkout
CPU = "CPUExecutionProvider"  # the one that LipSol reads with
REMOTE = "AzureExecutionProvider"  # stands in every list, is for calls to a cloud, and never used here

State = Literal["ok", "note", "warning", "broken"]


@dataclass(frozen=True)
class Diagnosis:
    """What one check found, and the cure ("" if there is nothing to mend)."""

    name: str
    state: State
    finding: str
    cure: str = ""


Check = Callable[[], Iterator[Diagnosis]]


def check_python() -> Iterator[Diagnosis]:
    """Is this Python new enough?"""
    right = sys.version_info[:2] >= PYTHON
    cure = "" if right else f"use Python {'.'.join(map(str, PYTHON))} or newer; `make demo` brings one"
    yield Diagnosis("python", "ok" if right else "broken", f"{platform.python_version()} on {platform.machine()}", cure)


def check_machine() -> Iterator[Diagnosis]:
    """How many CPUs and how much memory are to be had?"""
    from lipsol.runtime.cpus import available_cpus

    yield Diagnosis("cpu", "ok", f"{available_cpus()} to use")
    free = machine.free_memory_bytes()
    enough = free >= MEMORY_BYTES
    cure = "" if enough else f"close something, or give the container {MEMORY_BYTES / 2**30:g} GiB"
    yield Diagnosis("memory", "ok" if enough else "warning", f"{free / 2**30:.1f} GiB to be had", cure)


def check_video() -> Iterator[Diagnosis]:
    """Does the decoder's sandbox start, and does it know the usual codecs?"""
    from lipsol.clips.video import decode

    for codec, probe in PROBES.items():
        clip = decode((files("services.cli") / "probes" / probe).read_bytes())
        yield Diagnosis(
            "video", "ok", f"{codec} is decoded in its sandbox: {clip.seconds:g} s, {len(clip.frames)} frames"
        )


def check_face() -> Iterator[Diagnosis]:
    """Is a face found where there is one?"""
    from lipsol.clips.video import Limits
    from lipsol.clips.watch import Watcher
    from services.cli.hush import greet_unheard

    greet_unheard()
    watcher = Watcher(Limits())
    sample = next(iter(sorted(SAMPLES.glob("*.mp4"))), None)
    if sample is None:
        yield Diagnosis("face", "ok", "the face models load")
        yield Diagnosis("face", "note", "no samples here to look for a face in")
        return
    watched = watcher.watch(sample.read_bytes())
    took = f"{sum(watched.timings_ms.values()):.0f} ms"
    yield Diagnosis("face", "ok", f"seen in {watched.mouth.seen.mean():.0%} of the frames of {sample.name} ({took})")


def check_onnxruntime() -> Iterator[Diagnosis]:
    """Where does onnxruntime really run? It falls back to the CPU without a word, so sessions are made and asked."""
    import onnxruntime

    model = (files("services.cli") / "probes" / "identity.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what a provider lacks is told below, not on standard error
    for wanted in sorted(set(onnxruntime.get_available_providers()) - {REMOTE}, key=lambda name: name != CPU):
        got = onnxruntime.InferenceSession(model, options, providers=[wanted]).get_providers()[0]
        told = f"onnxruntime {onnxruntime.__version__} runs on {got}"
        asked = "" if got == wanted else f", though asked for {wanted}"
        yield Diagnosis("onnx", "ok" if wanted == CPU else "note", told + asked)


def check_models() -> Iterator[Diagnosis]:
    """Is there a model that can be read with? Each is opened as a service does, and compared with the registry."""
    from lipsol.registry.local import bundle_files
    from lipsol.runtime.settings import Settings
    from lipsol.runtime.wiring import open_registry, shipped_models
    from services.cli.environment import quiet

    settings = quiet(Settings)
    registry = open_registry(settings)
    folder = settings.registry.folder or shipped_models()
    digests = {registry.path(info.digest): info.digest for info in registry.models()}
    found = [model_diagnosis(file, digests.get(file), registry.keys) for file in bundle_files(folder)]
    yield from found
    if not any(each.state == "ok" for each in found):
        yield Diagnosis(
            "models", "broken", f"no model to read with in {folder}", "`make train`, or `git checkout models`"
        )


def model_diagnosis(file: Path, digest: str | None, keys: Keys | None = None) -> Diagnosis:
    """Can this bundle be read with? digest: what the registry says of it, None if the registry passed it over."""
    from lipsol import golden
    from lipsol.bundle import Bundle
    from lipsol.reader import Reader

    cure = "fetch or train it again"
    try:
        bundle = Bundle.load(file, keys)
        golden.check(Reader(bundle))
    except LipsolError as fault:
        return Diagnosis("models", "warning", fault.detail, fault.cure or cure)
    if bundle.digest != digest:
        return Diagnosis("models", "warning", f"{file.name} is {bundle.digest[:12]}, the registry says {digest}", cure)
    told = f"{bundle.name} {bundle.version} ({bundle.kind}, {bundle.language}), {bundle.digest[:12]} as registered"
    return Diagnosis("models", "ok", told)


def check_store() -> Iterator[Diagnosis]:
    """Can the store's folder be written to?"""
    from lipsol.runtime.settings import Settings
    from lipsol.runtime.wiring import open_store
    from services.cli.environment import quiet

    store = open_store(quiet(Settings))
    store.put("doctor/probe", b"probe", ttl_s=60.0)
    held = store.get("doctor/probe")
    store.delete("doctor/probe")
    store.close()
    if held == b"probe":
        yield Diagnosis("store", "ok", "writes and reads")
    else:
        yield Diagnosis("store", "broken", "gives back other bytes", "name another folder by LIPSOL_STORE__FOLDER")


def check_ports() -> Iterator[Diagnosis]:
    """Are the ports free that `lipsol serve` listens on?"""
    for port, (use, setting) in PORTS.items():
        free = machine.port_is_free(port)
        cure = "" if free else f"end what listens there (it may be LipSol itself), or name another by {setting}"
        yield Diagnosis("port", "ok" if free else "warning", f"{port} ({use}) is {'free' if free else 'taken'}", cure)


def check_extras() -> Iterator[Diagnosis]:
    """What else is here: to train, and to test the page. Reading needs neither."""
    from services.cli.train import missing

    lacking = ", ".join(missing())
    trains = f"`lipsol train` can't run without {lacking}" if lacking else "`lipsol train` can run"
    yield Diagnosis("train", "note", trains)
    browser = machine.chromium()
    tests = f"the page can be tested with {browser}" if browser else "no Chromium: the page's tests are skipped"
    yield Diagnosis("browser", "note", tests)


def check_scratch() -> Iterator[Diagnosis]:
    """Is there a temporary folder to write to?"""
    with tempfile.TemporaryFile() as probe:
        probe.write(b"probe")
    yield Diagnosis("scratch", "ok", f"{tempfile.gettempdir()} can be written to")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", check_python),
    ("machine", check_machine),
    ("scratch", check_scratch),
    ("video", check_video),
    ("face", check_face),
    ("onnx", check_onnxruntime),
    ("models", check_models),
    ("store", check_store),
    ("port", check_ports),
    ("extras", check_extras),
)

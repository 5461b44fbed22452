"""The chart from nothing to a first reading, and `helm test`: what a newcomer does first."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from lipsol.runtime.wiring import shipped_models
from tests.cluster import bundles, images
from tests.cluster.helm import Helm
from tests.cluster.kube import FOLDER
from tests.cluster.outcome import Outcome, Say
from tests.cluster.surroundings import KEYS, Surroundings
from tests.conftest import Sample, read_samples

MOST_S = 180.0  # from nothing to a first reading, with images loaded
LATENCY = 0.75  # that a canary may take longer here: a dozen readings on two shared cores differ by a quarter by chance
READ_S = 60.0  # for one reading
READY = "ready"
MODELS, KEY = FOLDER / "models", FOLDER / "keys"


def prepare() -> bundles.Digests:
    """Bundles to release, good and bad, and the key that signs them; their digests by name.

    They take half a minute to make, so they are kept, and laid out anew for each run: a run may promote some.
    """
    stamp = hashlib.sha256(Path(bundles.__file__).read_bytes() + (shipped_models() / bundles.SHIPPED).read_bytes())
    kept = FOLDER / "bundles" / stamp.hexdigest()[:16]
    told = kept / "digests.json"
    if not told.exists():
        shutil.rmtree(kept, ignore_errors=True)
        made = bundles.make_all(kept / MODELS.name, kept / KEY.name)
        told.write_text(json.dumps(dict(made)))
    for folder in (MODELS, KEY):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept / folder.name, folder)
    return dict(json.loads(told.read_text()))


def values(surroundings: Surroundings, digests: bundles.Digests) -> dict[str, Any]:
    """What the chart is told, before any release."""
    release = {"bundle": digests["base"], "gates": {"latency": LATENCY}}
    return surroundings.values(images.chosen(surroundings.cluster), {"release": release})


def play(surroundings: Surroundings, helm: Helm, told: Mapping[str, Any], say: Say) -> Outcome:
    """Install into a namespace that is not there yet, read every sample over REST, and have `helm test` read one."""
    surroundings.clear()
    began = time.monotonic()
    say("bringing Kafka, topics and volumes")
    surroundings.bring()
    surroundings.put_models(MODELS)
    surroundings.secret(KEYS, {bundles.PUBLIC: (KEY / bundles.PUBLIC).read_bytes()})
    brought = time.monotonic() - began
    say(f"installing the chart by Helm {helm.version}")
    helm.install(told).wait(MOST_S).check()
    ready = time.monotonic() - began
    broken, first, samples = list[str](), 0.0, read_samples()
    with surroundings.doors() as doors, httpx.Client(base_url=doors.rest, timeout=READ_S) as http:
        for sample in samples:
            fault = read(http, sample)
            first = first or time.monotonic() - began
            broken += [fault] if fault else []
    unread = len(broken)
    if first > MOST_S:
        broken.append(f"the first reading came after {first:.0f} s: {MOST_S:.0f} s are allowed")
    tested = helm.test().wait(MOST_S)
    if tested.code:
        words = surroundings.cluster.ran("logs", f"{helm.release}-test-clip", "--all-containers").stdout.decode()
        broken.append(f"helm test failed: {tested.said.strip()[-300:]}; its pod said {words.strip()[-500:]}")
    measured = {"surroundings_s": round(brought, 1), "ready_s": round(ready, 1), "first_reading_s": round(first, 1)}
    verdict, figures = "not ready" if unread else READY, (len(samples), unread, unread, 0, round(first, 1))
    return Outcome("install", verdict, READY, str(helm.version), *figures, tuple(broken), measured)


def read(http: httpx.Client, sample: Sample) -> str:
    """What went wrong with one reading; "": it is there. What it says is measured elsewhere."""
    name = sample.path.name
    answer = http.post(
        "/v1/clips",
        params={"wait": "true"},
        data={"language": sample.language},
        files={"file": (name, sample.bytes(), "video/mp4")},
    )
    told = answer.json() if answer.status_code in {200, 202} else {}
    until = time.monotonic() + READ_S
    while told.get("state") == "reading" and time.monotonic() < until:
        time.sleep(0.5)
        told = http.get(f"/v1/clips/{told['clip_id']}").json()
    return "" if told.get("state") == "read" else f"{name} was answered {answer.status_code}: {answer.text[:300]}"

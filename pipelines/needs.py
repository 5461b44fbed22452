"""What each step needs of a cluster, in one table: its title, CPU, memory, GPU, tries and time.

Kubeflow holds a step to all of it; on this machine only the tries count. A step that only reads what is there is not
tried again when it fails, since it would say the same; what talks to a registry, a tracker or a bus is, and so is what
goes on from a checkpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pipelines.settings import VOLUME_AT, PipelinesSettings

MINUTE, HOUR = 60, 3600
WAIT, WAIT_MAX, FACTOR = "5s", "300s", 2.0  # before a second try, before any, and how the wait grows


@dataclass(frozen=True)
class Needs:
    """Of one step.

    title        what a person sees in Kubeflow's page
    cpu, memory  asked for, and the most it may take, in Kubernetes' terms
    tries        after the first one
    deadline_s   seconds that one try may take
    gpu          whether it computes on one
    cached       whether the same inputs give what they gave before, without running
    """

    title: str
    cpu: tuple[str, str]
    memory: tuple[str, str]
    tries: int
    deadline_s: int
    gpu: bool = False
    cached: bool = True


_SMALL: tuple[tuple[str, str], tuple[str, str]] = (("250m", "1"), ("512Mi", "2Gi"))
_MIDDLE: tuple[tuple[str, str], tuple[str, str]] = (("2", "4"), ("4Gi", "8Gi"))
_LARGE: tuple[tuple[str, str], tuple[str, str]] = (("4", "8"), ("8Gi", "24Gi"))

NEEDS: Mapping[str, Needs] = MappingProxyType(
    {
        "bring": Needs("Bring the data", *_MIDDLE, 3, 4 * HOUR, cached=False),
        "version-data": Needs("Name the data's version", *_SMALL, 1, 30 * MINUTE, cached=False),
        "version-code": Needs("Name the code's version", *_SMALL, 1, 10 * MINUTE, cached=False),
        "check": Needs("Check the data", *_MIDDLE, 0, 2 * HOUR),
        "watch": Needs("Watch the clips", *_MIDDLE, 2, 4 * HOUR),
        "begin": Needs("Open the tracked run", *_SMALL, 3, 10 * MINUTE, cached=False),
        "train": Needs("Train the members", *_LARGE, 2, 24 * HOUR, gpu=True),
        "package": Needs("Package the bundles", *_MIDDLE, 1, 2 * HOUR),
        "champion": Needs("Name the champion", *_SMALL, 3, 10 * MINUTE, cached=False),
        "compare": Needs("Evaluate the champion", *_MIDDLE, 2, 2 * HOUR),
        "evaluate": Needs("Evaluate the candidate", *_MIDDLE, 2, 2 * HOUR),
        "gate": Needs("Judge by the gate", *_SMALL, 0, 30 * MINUTE, cached=False),
        "register": Needs("Register the bundle", *_SMALL, 3, 10 * MINUTE, cached=False),
        "promote": Needs("Promote the bundle", *_SMALL, 3, 10 * MINUTE, cached=False),
        "ask": Needs("Ask for trials", *_SMALL, 3, 10 * MINUTE, cached=False),
        "try-out": Needs("Try a trial out", *_LARGE, 2, 4 * HOUR, cached=False),
        "tell": Needs("Count the trials", *_SMALL, 3, 10 * MINUTE, cached=False),
        "best": Needs("Name the best plan", *_LARGE, 2, 4 * HOUR, cached=False),
        "look": Needs("Look for a reason to train", *_SMALL, 3, 30 * MINUTE, cached=False),
        "gather": Needs("Gather data and corrections", *_MIDDLE, 2, 2 * HOUR, cached=False),
        "remember": Needs("Remember this run", *_SMALL, 3, 10 * MINUTE, cached=False),
    }
)


def give(task: Any, step: str, place: PipelinesSettings) -> Any:
    """The same task of a graph, with all that the table says of this step.

    Time and volume are Kubernetes' own, which kfp writes into a second document of the compiled file (the fields of
    its `KubernetesExecutorConfig`).
    """
    needs = NEEDS[step]
    task.set_display_name(needs.title)
    task.set_container_image(place.image)
    task.set_cpu_request(needs.cpu[0]).set_cpu_limit(needs.cpu[1])
    task.set_memory_request(needs.memory[0]).set_memory_limit(needs.memory[1])
    if needs.gpu and place.gpus:
        task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(place.gpus)
    task.set_retry(needs.tries, backoff_duration=WAIT, backoff_factor=FACTOR, backoff_max_duration=WAIT_MAX)
    task.set_caching_options(needs.cached)
    for name, value in {"PYTHONUNBUFFERED": "1", **place.environment}.items():
        task.set_env_variable(name, value)
    task.platform_config["kubernetes"] = {
        "activeDeadlineSeconds": str(needs.deadline_s),  # an int64, which JSON of protobuf writes as text
        "pvcMount": [{"constant": place.volume, "mountPath": VOLUME_AT}],
    }
    return task

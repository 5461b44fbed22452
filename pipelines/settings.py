"""The settings of pipelines: `LIPSOL_PIPELINES__...` in the environment."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import Field, SecretStr

from lipsol.runtime.settings import Section, Settings

VOLUME_AT = "/var/lib/lipsol"  # where every step of a Kubeflow finds the volume
ON_VOLUME = MappingProxyType({"REGISTRY": "models", "STORE": "store", "TRACKING": "runs"})


class PipelinesSettings(Section):
    """What a pipeline may do by itself, and what its steps run on."""

    automation: Literal["report", "suggest", "act"] = "suggest"
    """What a passed gate sets off. `report`: nothing moves, the verdict is told. `suggest`: the bundle is registered
    and proposed, and waits for a person's `lipsol models promote`. `act`: it is promoted. The default never lets a
    model that nobody looked at read for people."""

    key: Path | None = None
    """PEM file of the unencrypted Ed25519 key that signs promotions; on a Kubeflow, a path that steps find there.
    None: promotions are unsigned, which a registry with `LIPSOL_REGISTRY__KEYS` does not believe."""

    work: Path = Path("build/pipelines")
    """Folder of this machine where pipelines that run here keep watched clips, checkpoints and what steps handed on. It
    outlives a run: what died goes on from there."""

    image: str = Field(default_factory=lambda: f"lipsol-pipelines:{version('lipsol')}", min_length=1)
    """Image of every step on a Kubeflow; docker/pipelines.Dockerfile makes it. The default names no registry."""

    gpus: int = Field(default=1, ge=0)
    """GPUs that a training step asks its cluster for. 0: none, it trains on CPUs."""

    volume: str = "lipsol-pipelines"
    """PersistentVolumeClaim that every step mounts: data, watched clips and checkpoints lie there, so that a step that
    is tried again goes on where it died. It must be there already, ReadWriteMany where steps may run side by side."""

    environment: Mapping[str, str] = Field(
        default_factory=lambda: {f"LIPSOL_{what}__FOLDER": f"{VOLUME_AT}/{at}" for what, at in ON_VOLUME.items()}
    )
    """What every step on a Kubeflow finds in its environment, as a JSON object: the plumbing's settings there (an
    MLflow, a Kafka, an S3). Anybody who may see a run may read it, so no secret belongs here. By default registry,
    store and tracked runs are folders of the volume. Steps on this machine get this machine's environment instead."""

    namespace: str = ""
    """Kubeflow profile that runs belong to. Empty: a Kubeflow Pipelines for a single user, which has none."""

    token: SecretStr | None = None
    """What a Kubeflow that asks who we are is told, as a bearer token; shown nowhere. None: nothing."""

    corrections: int = Field(default=50, ge=1)
    """New corrections that are worth a training of their own: `daily` waits for so many."""

    cron: str = "0 0 2 * * *"
    """When `lipsol pipeline schedule` has a pipeline run, seconds first, as Kubeflow wants it: 02:00 UTC every day."""


class PipelineSettings(Settings):
    """The plumbing's settings and ours."""

    pipelines: PipelinesSettings = PipelinesSettings()

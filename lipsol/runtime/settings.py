"""Settings of the plumbing, from the environment: `LIPSOL_BUS__CAPACITY=64` sets `settings.bus.capacity`.

A section has one owner; a service adds its own by a subclass of `Settings` with one more field. Nothing is read at
import: `load` reads, and refuses what can't work in one message that names every fault by its variable.
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from lipsol.errors import BadInput

PREFIX = "LIPSOL_"
DELIMITER = "__"
MLFLOW = "http://127.0.0.1:5000"  # what `make mlflow` starts
SECRET = re.compile(r"secret|password|token|key")  # in a setting's name: its value is never shown

S = TypeVar("S", bound="Settings")


class Section(BaseModel):
    """The base of every section: can't be changed, and knows no name but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class BusSettings(Section):
    """How events travel."""

    kind: Literal["memory", "kafka"] = "memory"
    """Which adapter carries events. `memory` stays inside the process: it needs nothing installed, and loses what is
    in it when the process ends. `kafka` is an Apache Kafka cluster: services that run as processes of their own need
    it."""

    capacity: int = Field(default=1024, ge=1)
    """Messages that a topic's slowest group may be behind before the memory bus says Busy. 1024 clips are some
    minutes of work on one core: whoever waited longer has gone."""

    history: int = Field(default=4096, ge=0)
    """Messages that every group has done with and that the memory bus still keeps, in each topic, to be replayed. 0:
    none. They tell a clip's story for as long as anybody asks, which is minutes."""

    history_mib: int = Field(default=32, ge=0)
    """MiB of such messages' values in each topic, whichever bound is reached first: mouths are large, and history is
    not worth more memory than the models take."""

    servers: str = "127.0.0.1:9092"
    """Kafka brokers to begin with, "host:port,host:port"; they name the others. The default is this machine."""

    prefix: str = ""
    """What stands before every topic's and group's name at the broker, so that several platforms can share one.
    Empty: the names as the catalogue has them."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How the brokers are spoken to, in Kafka's terms. PLAINTEXT is for a broker that only this machine can reach."""

    ca_file: Path | None = None
    """PEM file of the authority that signed the brokers' certificates. None: those that the system trusts."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """How we prove who we are, where the protocol is a SASL one. None: not at all."""

    user: str | None = None
    """Our name at the brokers, for that. None: no name."""

    password: SecretStr | None = None
    """Our password at the brokers, for that; shown nowhere. None: no password."""

    connect_s: float = Field(default=5.0, gt=0)
    """Seconds that reaching a Kafka broker may take before we say that it is away: the time of a few tries."""

    publish_s: float = Field(default=10.0, gt=0)
    """Seconds within which Kafka must have a message that is published; a caller is told then, and may try again. A
    broker that restarts in good order is back in less."""

    session_s: float = Field(default=10.0, ge=1)
    """Seconds of silence after which Kafka takes a consumer for dead and gives its partitions to others. Less finds a
    killed process sooner; more outlives a longer pause of a living one. The broker has bounds of its own (6 s to 30
    min by default)."""

    handover_s: float = Field(default=30.0, gt=0)
    """Seconds that a group waits for what a consumer has in hand before its partitions move to another: longer than
    a batch takes. What is not done by then is done again by the new holder."""

    buffer: int = Field(default=256, ge=1)
    """Messages that a consumer fetches from Kafka ahead of its handler. Enough that a quick handler never waits."""

    buffer_mib: int = Field(default=16, ge=1)
    """MiB of values that a consumer fetches ahead, whichever bound is reached first; it then stops fetching."""

    @property
    def private(self) -> bool:
        """Whether the bus ends at the process's edge, so that no other process meets anybody on it."""
        return self.kind == "memory"


class StoreSettings(Section):
    """Where mouths and results are kept."""

    kind: Literal["local", "s3"] = "local"
    """Which adapter keeps them. `local` is a folder of this machine; `s3` a bucket of any S3-compatible server, whose
    credentials boto3 finds by itself (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a profile, a role)."""

    folder: Path | None = None
    """The folder. None: a new one for this process, for its owner's eyes only, removed when the process ends; so
    nothing of anybody's face stays behind unless someone asked for it. Services that run as processes of their own
    need one that they share."""

    endpoint: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Address of the S3-compatible server (`http://127.0.0.1:9000`). Empty: Amazon's own."""

    bucket: str = Field(default="lipsol", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """The bucket. It must be there already: whoever makes it decides who may look into it."""

    prefix: str = Field(default="", pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$")
    """Before every key in the bucket, so that others can use it too. Empty, or ending in a slash."""

    region: str = ""
    """Region of the bucket. Empty: what the environment says (`AWS_DEFAULT_REGION`), else `us-east-1`, which servers
    other than Amazon's take."""

    readable: str = Field(default="", pattern=r"^[a-z0-9.,-]*$")
    """Buckets, separated by commas, that clips may be fetched from when a client names them as `s3://bucket/key`. The
    store's own bucket is always one; no other is by default, since a client must not choose what the platform reads."""

    @property
    def private(self) -> bool:
        """Whether no other process can see what is kept."""
        return self.kind == "local" and self.folder is None


class RegistrySettings(Section):
    """Where models come from."""

    kind: Literal["local", "mlflow"] = "local"
    """Which adapter knows the models. `local` is a folder of bundle files (`*.lipsol`); `mlflow` the registry of an
    MLflow server."""

    folder: Path | None = None
    """The folder, or one bundle file alone. None: `models/` beside the installed package, which a checkout has; else
    `models/` in the working directory."""

    keys: Path | None = None
    """Whose signature a bundle must have: a PEM file of Ed25519 public keys, or a folder of such `*.pem` files. None: a
    bundle may be unsigned, so whoever can write to the folder decides what is read."""

    uri: str = Field(default=MLFLOW, pattern=r"^https?://\S+$")
    """Address of the MLflow server. The default is the one that `make mlflow` starts on this machine."""

    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    """What stands before every model's name at the MLflow server, so that several platforms can share one."""

    cache: Path | None = None
    """Folder for what was fetched from an MLflow server; each file in it is tried against its digest whenever it is
    used. None: `lipsol/models` in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`)."""


class TrackingSettings(Section):
    """Where runs of training, tuning and evaluation are remembered."""

    kind: Literal["local", "mlflow"] = "local"
    """Which adapter remembers them. `local` is a folder of JSON lines and files; `mlflow` an MLflow server."""

    folder: Path | None = None
    """The folder. None: `build/runs` in the working directory."""

    uri: str = Field(default=MLFLOW, pattern=r"^https?://\S+$")
    """Address of the MLflow server. The default is the one that `make mlflow` starts on this machine."""


class DataSettings(Section):
    """Where versions of data and bundles are kept."""

    remote: str = Field(default="", pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?|[^:]*)$")
    """`s3://bucket/prefix` of any S3-compatible server, or a folder that is there for all who share it. Empty: nowhere,
    and nothing is versioned. Credentials are found as the store's are."""

    endpoint: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Address of the S3-compatible server. Empty: Amazon's own."""

    region: str = ""
    """Region of the bucket. Empty: what the environment says."""


class TelemetrySettings(Section):
    """What is told to the operator, and where."""

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """TCP port of `/metrics`, never the public one. None: each service's own (preprocess and embedded 9464, inference
    9465, monitor 9466), so that all three run on one machine. 0: any free port."""

    metrics_host: str = "0.0.0.0"
    """Address that `/metrics` listens on. All of them by default: Prometheus comes from another machine, and a
    metric tells nothing about a person."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least grave event that is logged. `info` is a line for each start, stop, and fault, and none for a clip."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """How events are written to standard error: `json`, one object a line, for machines; `console`, for eyes. `auto`
    takes `console` on a terminal and `json` elsewhere."""


class Environment(EnvSettingsSource):
    """The environment's variables; what is no JSON where JSON belongs is left for the section itself to refuse."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: object) -> object:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class Settings(BaseSettings):
    """All sections of the plumbing."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, frozen=True, extra="ignore", case_sensitive=False
    )

    bus: BusSettings = BusSettings()
    store: StoreSettings = StoreSettings()
    registry: RegistrySettings = RegistrySettings()
    data: DataSettings = DataSettings()
    tracking: TrackingSettings = TrackingSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment; no files, so that one place tells what is set."""
        return init_settings, Environment(settings_cls)


def load(kind: type[S]) -> S:
    """Settings from the environment. Raises BadInput: one message that names every variable at fault, and why.

    A section that nobody here owns is left alone (it may be another program's), unless it looks like a slip of the pen.
    """
    faults = _misspelt(kind.model_fields, os.environ)
    try:
        settings = kind()
    except ValidationError as fault:
        faults += [
            _fault([str(part) for part in error["loc"]], error["msg"], error["input"]) for error in fault.errors()
        ]
    if faults:
        raise BadInput(f"{len(faults)} settings that can't work: {'; '.join(faults)}", "mend them and start again")
    return settings


def _fault(where: list[str], what: str, given: object) -> str:
    said = "no such setting" if what.startswith("Extra inputs") else what
    shown = "(hidden)" if SECRET.search(where[-1]) else given
    return f"{PREFIX}{DELIMITER.join(where).upper()}={shown}: {said}"


def _misspelt(sections: Mapping[str, object], environment: Mapping[str, str]) -> list[str]:
    faults = []
    for variable in sorted(name for name in environment if name.upper().startswith(PREFIX) and DELIMITER in name):
        section = variable[len(PREFIX) :].split(DELIMITER)[0].lower()
        alike = difflib.get_close_matches(section, sections, n=1, cutoff=0.75)
        if section not in sections and alike:
            faults.append(f"{variable}: no section {section!r}, did you mean {alike[0]!r}?")
    return faults

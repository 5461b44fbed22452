"""From settings to adapters: the one place that knows which there are. The caller closes what it opened."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

import lipsol
from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus
from lipsol.errors import Transient
from lipsol.registry.local import LocalRegistry
from lipsol.registry.port import Registry
from lipsol.runtime.settings import Settings
from lipsol.signing import Keys
from lipsol.store.local import LocalStore
from lipsol.store.objects import Objects
from lipsol.store.port import Store
from lipsol.tracking.local import LocalTracker
from lipsol.tracking.port import Tracker

if TYPE_CHECKING:
    from lipsol.bus.kafka import Link

log = structlog.get_logger()


def open_bus(settings: Settings) -> Bus:
    """The bus that the settings ask for. A Kafka need not be there yet: what is called on the bus will say."""
    if settings.bus.kind == "memory":
        bus = settings.bus
        return MemoryBus(capacity=bus.capacity, history=bus.history, history_bytes=bus.history_mib << 20)
    from lipsol.bus.kafka import KafkaBus

    return KafkaBus(kafka_link(settings))


def kafka_link(settings: Settings) -> "Link":
    """How the settings say that Kafka is reached; for `create_topics` too."""
    from lipsol.bus.kafka import Link

    bus = settings.bus
    return Link(
        servers=bus.servers,
        prefix=bus.prefix,
        protocol=bus.protocol,
        ca_file=None if bus.ca_file is None else str(bus.ca_file),
        mechanism=bus.mechanism,
        user=bus.user,
        password=None if bus.password is None else bus.password.get_secret_value(),
        connect_s=bus.connect_s,
        publish_s=bus.publish_s,
        session_s=bus.session_s,
        handover_s=bus.handover_s,
        buffer=bus.buffer,
        buffer_bytes=bus.buffer_mib << 20,
    )


def open_store(settings: Settings) -> Store:
    """The store that the settings ask for.

    Raises BadInput for a bucket or credentials that can't work, Transient for a folder that can't be written to. A
    server that is away for the moment is only logged: it may start after us.
    """
    place = settings.store
    if place.kind == "local":
        return LocalStore(place.folder)
    from lipsol.store.buckets import Buckets  # boto3 takes a while to import
    from lipsol.store.s3 import S3Store

    store = S3Store(Buckets(place.endpoint, place.region), place.bucket, place.prefix)
    try:
        store.check()
    except Transient as away:
        log.warning("store-away", reason=away.detail)
    return store


def open_objects(settings: Settings, store: Store) -> Objects:
    """The door to objects that clients name, beside a store that `open_store` opened. Raises BadInput as that does."""
    place = settings.store
    readable = frozenset(filter(None, place.readable.split(",")))
    if place.kind == "local" and not readable:
        return Objects(store)
    from lipsol.store.buckets import Buckets
    from lipsol.store.s3 import S3Store

    if isinstance(store, S3Store):
        return Objects(store, store.buckets, readable | {place.bucket}, own=(place.bucket, place.prefix))
    return Objects(store, Buckets(place.endpoint, place.region), readable)


def open_registry(settings: Settings) -> Registry:
    """The registry that the settings ask for. Raises BadInput for keys that can't be used, naming the file."""
    keys = None if settings.registry.keys is None else Keys.load(settings.registry.keys)
    place = settings.registry
    if place.kind == "local":
        return LocalRegistry(place.folder or shipped_models(), keys)
    from lipsol.mlflow import MlflowServer
    from lipsol.registry.mlflow import MlflowRegistry

    return MlflowRegistry(MlflowServer(place.uri), place.cache or _user_cache() / "models", keys, place.prefix)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lipsol"


def open_tracker(settings: Settings) -> Tracker:
    """The tracker that the settings ask for. An MLflow server need not be there yet: its first run will say."""
    place = settings.tracking
    if place.kind == "local":
        return LocalTracker(place.folder or Path.cwd() / "build" / "runs")
    from lipsol.mlflow import MlflowServer
    from lipsol.tracking.mlflow import MlflowTracker

    return MlflowTracker(MlflowServer(place.uri))


def shipped_models() -> Path:
    """The folder of the models that came with LipSol: beside the package, as in a checkout, else where we stand."""
    beside = Path(lipsol.__file__).resolve().parents[1] / "models"
    return beside if beside.is_dir() else Path.cwd() / "models"

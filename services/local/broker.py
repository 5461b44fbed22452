"""A real Apache Kafka on this machine: one node in KRaft mode, without a container.

Maven fetches the jars (54 MB, `pom.xml`) into `build/kafka/libs` once; Java 17 runs them. A broker starts in 4 s and
takes 350 MB. Everything that it writes lies in its own folder, and it dies with the process that started it.
"""

import fcntl
import hashlib
import re
import shutil
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Self

from lipsol.bus.port import VALUE_MAX_BYTES
from lipsol.errors import Transient
from services.local.processes import Process

POM = Path(__file__).with_name("pom.xml")
LIBS = POM.parents[2] / "build" / "kafka" / "libs"
HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below those that a machine lends to clients, so that nobody has it while we restart
MESSAGE_MAX_BYTES = VALUE_MAX_BYTES + (1 << 18)  # headers and framing on top of the value
HEAP = "384m"
JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true")
START_S = 90.0  # that a broker may take; 4 s on a machine that has nothing else to do
STOP_S = 30.0
STARTED = re.compile(rb"Kafka Server started")
STAMP = "pom.sha256"  # beside the jars: which pom they are of

CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
# A topic that nobody made is a fault, not a surprise.
auto.create.topics.enable=false
message.max.bytes={message_max}
# One node: one copy of everything, few partitions inside, few threads.
offsets.topic.num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
# A broker that was killed may come back before its controller has missed it for long.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
# Groups settle at once, and may notice a dead member within a second if they like.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.coordinator.rebalance.protocols=classic,consumer
# What a topic no longer keeps goes within seconds, so that compaction and retention can be seen.
log.initial.task.delay.ms=1000
log.cleaner.backoff.ms=1000
log.retention.check.interval.ms=5000
"""

LOGGING = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss} %-5p %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.started.name=kafka.server.KafkaRaftServer
logger.started.level=info
"""


class Broker:
    """One broker. `with Broker.start(folder) as broker:` ends it on the way out; what it kept stays in the folder."""

    def __init__(self, folder: Path, port: int, more: str = "") -> None:
        self.folder = folder
        self.port = port
        self._more = more
        self._process: Process | None = None

    @classmethod
    def start(cls, folder: Path, port: int = 0, more: str = "") -> Self:
        """Start a broker over what the folder holds; port 0 takes a free one. more: lines of configuration after ours.

        Raises Transient when it can't be had: no Java, no Maven, a port that is taken.
        """
        folder.mkdir(parents=True, exist_ok=True)
        broker = cls(folder.resolve(), port or free_port(), more)
        broker.restart()
        return broker

    @property
    def servers(self) -> str:
        """What clients are told: "127.0.0.1:PORT"."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file that it logs to."""
        return self.folder / "kafka.log"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.alive

    @property
    def pid(self) -> int:
        """Its process's id; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def restart(self) -> None:
        """Start it again on the same port over the same data, from wherever it is; returns when it answers."""
        self.stop()
        if not is_free(self.port):
            raise Transient(f"{self.servers} is taken", "end what listens there, or name another port")
        jars = fetch_jars() / "*"
        config = self._configure(jars)
        self.log.touch()
        said = self.log.stat().st_size
        with self.log.open("ab") as output:
            logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
            command: list[str | Path] = [*JAVA, f"-Xmx{HEAP}", logging, "-cp", str(jars), "kafka.Kafka", config]
            self._process = Process(command, output=output, folder=self.folder)
        self._await_start(said)

    def stop(self) -> None:
        """End it in good order. Twice is harmless."""
        if self._process is not None:
            self._process.stop(STOP_S)
            self._process = None

    def kill(self) -> None:
        """SIGKILL it, as a machine that goes away would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _configure(self, jars: Path) -> Path:
        """Write what it is told, and format its storage where it is new."""
        data, config = self.folder / "data", self.folder / "server.properties"
        config.write_text(
            CONFIG.format(
                host=HOST,
                port=self.port,
                controller=free_port(but=self.port),
                data=data,
                message_max=MESSAGE_MAX_BYTES,
            )
            + self._more
        )
        (self.folder / "log4j2.properties").write_text(LOGGING)
        if not (data / "meta.properties").exists():
            cluster = f"--cluster-id={urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('=')}"  # may begin with "-"
            quiet = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
            tool = [*JAVA, "-Xmx64m", quiet, "-cp", str(jars), "kafka.tools.StorageTool"]
            _run([*tool, "format", "--ignore-formatted", cluster, "-c", str(config)], "format Kafka's storage")
        return config

    def _await_start(self, said: int) -> None:
        """Wait until it says that it has started, in what it logs after `said` bytes."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with self.log.open("rb") as log:
                log.seek(said)
                if STARTED.search(log.read()):
                    return
            if not self.alive:
                break
            time.sleep(0.05)
        self.kill()
        raise Transient(f"Kafka did not start on {self.servers} within {START_S:g} s", f"see {self.log.name}")


def fetch_jars(libs: Path = LIBS, pom: Path = POM) -> Path:
    """The folder of a pom's jars, Kafka's by default. They are fetched where they are missing or of another pom; one
    process fetches, others wait.

    Raises Transient where that can't be done.
    """
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    stamp = libs / STAMP
    libs.parent.mkdir(parents=True, exist_ok=True)
    with (libs.parent / "libs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return libs
        coming = libs.with_name("libs.coming")
        shutil.rmtree(coming, ignore_errors=True)
        maven = ["mvn", "--quiet", "--batch-mode", "--file", str(pom), "dependency:copy-dependencies"]
        _run([*maven, f"-DoutputDirectory={coming}"], "fetch jars by Maven")
        (coming / STAMP).write_text(wanted)
        shutil.rmtree(libs, ignore_errors=True)
        coming.rename(libs)
    return libs


def free_port(but: int = 0) -> int:
    """A TCP port that nobody listens on now."""
    for port in SystemRandom().sample(PORTS, 200):
        if port != but and is_free(port):
            return port
    raise Transient(f"no free port between {PORTS[0]} and {PORTS[-1]}", "end what listens there")


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def _run(command: list[str], what: str) -> None:
    if shutil.which(command[0]) is None:
        raise Transient(
            f"no {command[0]} on the PATH to {what}", "install Java 17 and Maven (Debian: apt-get install maven)"
        )
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # noqa: S603
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()[-500:]
        raise Transient(f"could not {what}: {said}", "mend that and try again")

"""A real Kafka of one node (KRaft) on loopback, in a scratch folder; started once for all tests that want it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support.server import free_port

JARS = Path(__file__).resolve().parents[1] / "kafka" / "target" / "jars"
_START_S = 60
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
_HEAP = ("-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def missing() -> str:
    """Why no Kafka can be started here; empty when one can."""
    if shutil.which("java") is None:
        return "There is no Java on this machine (Debian: apt-get install openjdk-17-jdk-headless)."
    if not any(JARS.glob("kafka_2.13-*.jar")):
        return "The jars of Kafka are not there. `make test` and `make kafka` fetch them with Maven."
    return ""


@contextmanager
def running_kafka() -> Iterator[str]:
    """The address of a broker, which is stopped and forgotten at the end."""
    folder = Path(tempfile.mkdtemp(prefix="finer-kafka-"))
    port, controller = free_port(), free_port()
    (folder / "server.properties").write_text(_properties(folder, port, controller))
    formatted = subprocess.run(
        _java("kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(folder / "server.properties")),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if formatted.returncode:
        raise RuntimeError(f"Kafka's storage could not be made: {formatted.stderr}{formatted.stdout}")
    with (folder / "kafka.log").open("wb") as log:
        process = subprocess.Popen(
            _java("kafka.Kafka", str(folder / "server.properties")), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _wait(process, f"127.0.0.1:{port}", folder / "kafka.log")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def make_topic(brokers: str, name: str, partitions: int = 2) -> str:
    """A new topic."""
    client = AdminClient({"bootstrap.servers": brokers})
    for made in client.create_topics([NewTopic(name, partitions, 1)]).values():
        made.result(10)
    return name


def _java(*arguments: str) -> list[str]:
    return ["java", *_HEAP, "-cp", f"{JARS}{os.sep}*", *arguments]


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Kafka ended: {log.read_text()[-3000:]}")
        try:
            if client.list_topics(timeout=1).brokers:
                return
        except Exception:  # noqa: BLE001 - it is not up yet
            continue
    raise TimeoutError(f"Kafka did not start: {log.read_text()[-3000:]}")


def _properties(folder: Path, port: int, controller: int) -> str:
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "logs"),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        "num.network.threads": "2",
        "num.io.threads": "2",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def main() -> None:
    """`make kafka`: run one until Ctrl-C."""
    if reason := missing():
        sys.exit(reason)
    with running_kafka() as address:
        print(f"Kafka answers at {address}; Ctrl-C stops it.", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()

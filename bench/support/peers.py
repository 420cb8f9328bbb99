"""Peers that serve: their scripts in bench/peers, run by the Python that has their packages."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import Server, free_port

PEERS = Path(__file__).parents[1] / "peers"


def peers_python() -> str:
    """The Python of the environment of bench/peers/requirements.txt; empty when there is none."""
    return os.environ.get("FINER_PEERS_PYTHON", "")


@contextmanager
def serving_peer(server: Server, script: str, *arguments: str) -> Iterator[int]:
    """A peer that serves, on a database of its own in the same PostgreSQL; yields its port."""
    port = free_port()
    with server.database() as database:
        database.execute("drop database if exists peer")
        database.execute("create database peer")
        url = f"postgresql:///peer?host={database.info.host}&port={database.info.port}&user={database.info.user}"
    command = [peers_python(), str(PEERS / script), url, str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{script} did not start.")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # it finishes what was asked of it, which may be what makes it a bad one
            process.kill()
            process.wait()

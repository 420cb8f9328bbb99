"""A port is one process's: who comes second is refused, and told who has it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from finer.app.ports import hold_port, listener_of
from finer.kit.errors import Conflict
from tests.support.server import free_port

HOST = "127.0.0.1"


def test_whoever_listens_is_named_even_when_the_port_could_be_shared() -> None:
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind((HOST, 0))
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(Conflict) as refused:
            hold_port(HOST, port)
        assert f"Port {port} of {HOST} is taken by process {os.getpid()} (" in refused.value.detail
        assert "--port" in refused.value.detail


def test_of_two_that_start_at_once_one_is_refused_and_the_port_is_free_afterwards() -> None:
    port = free_port()
    for _ in range(2):
        held = hold_port(HOST, port)
        assert held is not None
        with held, pytest.raises(Conflict, match="that is starting"):
            hold_port(HOST, port)


def test_connections_that_wait_for_their_end_do_not_take_a_port() -> None:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, 0))
        listening.listen()
        port = listening.getsockname()[1]
        with socket.create_connection((HOST, port)) as caller:
            answering, _ = listening.accept()
            answering.close()  # who closes first waits for the end
            assert caller.recv(1) == b""
    held = hold_port(HOST, port)
    assert held is not None
    held.close()


def test_a_port_of_nobody_has_no_process() -> None:
    assert listener_of(free_port()) == "a process of another user"


def test_finer_up_says_who_has_the_port_before_it_starts_anything(tmp_path: Path) -> None:
    port = free_port(following=1)
    with socket.socket() as other:
        other.bind((HOST, port + 1))
        other.listen()
        command = [sys.executable, "-m", "finer.app.cli", "up", "--data-dir", str(tmp_path / "data")]
        done = subprocess.run(
            [*command, "--port", str(port), "--api-processes", "2"], capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
    assert done.returncode != 0
    assert f"Port {port + 1} of {HOST} is taken by process {os.getpid()}" in done.stderr
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize("host", ["no.such.host.example", "192.0.2.1"])
def test_finer_up_says_that_an_address_is_not_of_this_machine_before_it_starts_anything(
    host: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "finer.app.cli", "up", "--data-dir", str(tmp_path / "data"), "--port", "1"]
    done = subprocess.run([*command, "--host", host], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert f"Nobody can listen at {host}:1: " in done.stderr
    assert not (tmp_path / "data" / "postgres").exists()

"""What the processes are to each other, and SIGTERM while streams are open: the API stops in seconds."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import psutil

from finer.kit.settings import Settings
from tests.support.server import Server

STREAMS = ("/api/v1/alerts/stream", "/api/v1/pipeline/stream") * 4


def test_each_process_leads_a_session_and_jobs_stand_behind(server: Server) -> None:
    sessions = {os.getsid(server.process_of(name).pid) for name in ("api", "worker", "jobs")}
    assert len(sessions | {os.getsid(server.process.pid)}) == 4
    jobs = server.process_of("jobs").pid
    deadline = time.monotonic() + 30
    while os.getpriority(os.PRIO_PROCESS, jobs) != 5:  # it has to load its libraries first
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # All are copies of the template, which has this in its environment: none had to load for itself.
    assert all(
        "JE_ARROW_MALLOC_CONF" in server.process_of(name).environ() for name in ("api", "worker", "jobs", "sources")
    )
    group = Path(f"/proc/{jobs}/autogroup")
    assert not group.exists() or group.read_text().strip().endswith("nice 5")


def test_open_streams_do_not_hold_back_a_stop_and_no_request_is_lost(server: Server) -> None:
    with closing(server.sign_in("risk_analyst")) as client:
        browser = dict(client.cookies)
    opened = threading.Semaphore(0)
    ended: list[str] = []
    threads = [
        threading.Thread(target=_watch, args=(server, browser, path, opened, ended), daemon=True) for path in STREAMS
    ]
    for thread in threads:
        thread.start()
    for _ in STREAMS:
        assert opened.acquire(timeout=30)
    accepted: list[int] = []
    refused_at: list[float] = []
    sender = threading.Thread(target=_send_until_refused, args=(server, accepted, refused_at), daemon=True)
    sender.start()
    while not accepted:
        time.sleep(0.005)
    api = server.process_of("api").parent()
    assert api is not None
    began = time.monotonic()
    api.send_signal(signal.SIGTERM)
    _wait_unready(server)
    assert time.monotonic() - began < Settings().drain_s
    for thread in (*threads, sender):
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert time.monotonic() - began < 5
    assert ended == ["ended"] * len(STREAMS)
    assert set(accepted) == {202}
    # A balancer has been told for so long that nothing is to be sent here.
    assert refused_at[0] - began >= Settings().drain_s


def test_a_closed_terminal_stops_everything_in_order_and_nohup_keeps_it(server: Server) -> None:
    server.wait_ready()
    processes = psutil.Process(server.process.pid).children(recursive=True)
    assert any("postgres" in one.name() for one in processes)
    server.process.send_signal(signal.SIGHUP)
    assert server.process.wait(60) == 0
    _, left = psutil.wait_procs(processes, timeout=10)
    assert left == []
    server.start(nohup=True)
    server.process.send_signal(signal.SIGHUP)
    # It goes on: the next test stops it.
    assert server.wait_ready() >= 0


def _watch(server: Server, browser: dict[str, str], path: str, opened: threading.Semaphore, ended: list[str]) -> None:
    with (
        httpx.Client(base_url=server.url, cookies=browser, timeout=60) as client,
        client.stream("GET", path) as answer,
    ):
        opened.release()
        for _ in answer.iter_bytes():
            pass
        ended.append("ended")


def _send_until_refused(server: Server, accepted: list[int], refused_at: list[float]) -> None:
    """One record after another, on fresh connections, each answered until the port is closed.

    A connection may just have been opened at that moment, its request on the way: it is closed without an answer.
    """
    headers = {"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"}
    record = b'{"customer_id":"c1","amount":5,"occurred_at":"2026-01-01T00:00:00Z"}\n'
    while True:
        try:
            answer = httpx.post(f"{server.url}/api/v1/events/transaction", content=record, headers=headers, timeout=30)
        except (httpx.ConnectError, httpx.RemoteProtocolError):
            refused_at.append(time.monotonic())
            return
        accepted.append(answer.status_code)


def _wait_unready(server: Server) -> None:
    while httpx.get(f"{server.url}/api/v1/health/ready", timeout=10).status_code == 200:
        time.sleep(0.01)

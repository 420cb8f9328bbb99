"""The simulated world at work: load the history once, let an analyst look at it, then live on until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from finer.demo import analyst, marketing
from finer.demo.client import Api, Stopped
from finer.demo.live import DEFAULT_RATE, TICK_US, LiveWorld
from finer.demo.loader import is_loaded, load
from finer.demo.world import DEFAULT_CUSTOMERS, DEFAULT_SEED, World
from finer.kit.clock import Clock, SystemClock
from finer.kit.errors import FinerError
from finer.kit.moments import microseconds

_log = structlog.get_logger(__name__)
_TICK_S = TICK_US / 1e6
_CLOCK = SystemClock()
# After a pause of the server longer than this, the world goes on from now instead of telling what was missed.
_BEHIND_MAX_TICKS = 40
_TOGETHER_RECORDS = 10_000
_TRIES_FOREVER_S = 1e9
_SECONDS_TO_THE_LAKE = 60
_FIGURES = ("measure_outcomes", "count_sessions")
"""Jobs that look at all of the history every few minutes: who has just loaded one asks for them at once."""


def run(
    base_url: str,
    api_key: str,
    analyst_link_token: str | None = None,
    marketer_link_token: str | None = None,
    *,
    rate: float = DEFAULT_RATE,
    seed: int = DEFAULT_SEED,
    history_days: int = 90,
    customers: int = DEFAULT_CUSTOMERS,
    stop: threading.Event | None = None,
    clock: Clock = _CLOCK,
) -> None:
    """Load `history_days` days unless they are there already, then send `rate` events a second until `stop` is set.

    After a first load a simulated analyst closes old alerts, and a marketing manager makes a few segments, if their
    sign-in links are given. A rate of 0 ends after the history. Raises Refused when the API key or the records are not
    accepted.
    """
    stop = stop or threading.Event()
    try:
        with Api(base_url, api_key, stop, _TRIES_FOREVER_S) as api:
            api.get("/api/v1/health/ready")
            world = World.ending(clock.now(), history_days, seed, customers)
            people = None
            if history_days > 0 and not is_loaded(api, world):
                loaded = load(world, base_url, api_key, stop, patience_s=_TRIES_FOREVER_S)
                _log.info("demo history loaded", records=loaded.received, seconds=round(loaded.seconds, 1))
                if analyst_link_token:
                    people = _start_analyst(base_url, api_key, analyst_link_token, world.labels, seed, stop, clock)
                _wait(lambda: is_loaded(api, world), stop)
                if marketer_link_token:
                    _make_segments(base_url, marketer_link_token, stop)
                _look_at_history(api)
            _forget_history(world)
            if rate > 0:
                go_on(LiveWorld(world, rate), api, stop, clock)
            elif people is not None:
                people.join()
    except Stopped:
        _log.info("demo stopped")


def _forget_history(world: World) -> None:
    """The payments of the past are in Finer now; their memory is given back."""
    for name in ("transactions", "orders", "activity", "event_ids"):
        world.__dict__.pop(name, None)


def go_on(live: LiveWorld, api: Api, stop: threading.Event, clock: Clock = _CLOCK) -> None:
    """Send each tick when it is over, until `stop` is set. What cannot be delivered is kept until it can.

    Ticks that are due together, because the server was slow, travel together.
    """
    together_max = max(1, int(_TOGETHER_RECORDS / (live.rate * _TICK_S)))
    number = _tick_of(clock)
    while not stop.is_set():
        early_us = (number + 1) * TICK_US - microseconds(clock.now())
        if early_us > 0 and stop.wait(early_us / 1e6):
            return
        due = max(1, min(_tick_of(clock) - number, together_max))
        bodies: dict[str, list[bytes]] = {}
        for tick in range(number, number + due):
            for body in live.tick(tick):
                bodies.setdefault(body.contract, []).append(body.data)
        try:
            for contract, parts in bodies.items():
                api.send(contract, b"".join(parts))
        except Stopped:
            return
        number += due
        missed = _tick_of(clock) - number
        if missed > _BEHIND_MAX_TICKS:
            _log.warning("the demo could not keep up and goes on from now", missed_s=round(missed * _TICK_S, 1))
            number += missed


def _tick_of(clock: Clock) -> int:
    """The number of the tick that is going on."""
    return microseconds(clock.now()) // TICK_US


def _wait(in_lake: Callable[[], bool], stop: threading.Event) -> None:
    """Until the lake has what is to be counted, or for so long that something must be wrong with it."""
    for _ in range(_SECONDS_TO_THE_LAKE):
        if in_lake() or stop.wait(1.0):
            return


def _labels(api: Api) -> int:
    tables = api.get("/api/v1/lake")["tables"]
    return sum(int(one["rows"]) for one in tables if one["name"] == "labels")


def _look_at_history(api: Api) -> None:
    try:
        for job in _FIGURES:
            api.request("POST", f"/api/v1/jobs/{job}/runs")
    except FinerError as error:
        _log.warning("the figures of the demo history are made a few minutes later", error=error.detail)


def _make_segments(base_url: str, token: str, stop: threading.Event) -> None:
    try:
        _log.info("demo segments made", segments=marketing.work(base_url, token, stop))
    except FinerError as error:
        _log.warning("the demo segments could not be made", error=error.detail)


def _start_analyst(
    base_url: str,
    api_key: str,
    token: str,
    labels: Mapping[str, str],
    seed: int,
    stop: threading.Event,
    clock: Clock,
) -> threading.Thread:
    def work() -> None:
        try:
            with Api(base_url, api_key, stop) as api:
                analyst.wait_until_settled(api, stop)
                worked = analyst.work(base_url, token, labels, now=clock.now(), seed=seed, stop=stop)
                _log.info("demo analyst done", confirmed=worked.confirmed, dismissed=worked.dismissed)
                _wait(lambda: _labels(api) >= worked.confirmed + worked.dismissed, stop)
                _look_at_history(api)
        except Stopped:
            return
        except FinerError as error:
            # The world goes on without the analyst; the alerts stay open for people.
            _log.warning("the demo analyst could not work", error=error.detail)

    thread = threading.Thread(target=work, name="analyst", daemon=True)
    thread.start()
    return thread

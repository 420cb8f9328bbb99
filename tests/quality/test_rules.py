"""What is usual, and what is not: properties of bands and verdicts over made-up flows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.quality.rules import bands, gaps, learning, measures, words
from finer.quality.types import (
    HOUR_S,
    STEP_S,
    Layout,
    MonitorKind,
    Observation,
    Part,
    Reference,
    Sensitivity,
    Tally,
)
from tests.quality.flows import LAYOUT, MONITORS, PLACES, START, STEP, Flow, Watched, unusual

KINDS = tuple(one.kind for one in MONITORS)


def test_a_flow_like_before_is_never_unusual() -> None:
    for seed in range(2):
        watched = Watched()
        assert unusual(watched.take(Flow(seed).steps(START, 720))) == set()


@given(scale=st.floats(0.2, 100), seed=st.integers(0, 50))
@settings(max_examples=6)
def test_a_flow_of_any_size_is_usual_to_itself(scale: float, seed: int) -> None:
    watched = Watched()
    assert unusual(watched.take(Flow(seed, rate=5 * scale).steps(START, 150))) == set()


@given(received=st.integers(1, 5000), nulls=st.floats(0, 1))
@settings(max_examples=10)
def test_a_constant_flow_is_never_unusual(received: int, nulls: float) -> None:
    empty = int(received * nulls)
    tally = Tally(
        at=START, layout=1, received=received, processed=received, rows=received, delay_s=1.0, nulls=(empty,),
        bins=(received, 0, 0, 0),
    )  # fmt: skip
    watched = Watched()
    verdicts = watched.take(msgspec.structs.replace(tally, at=START + STEP * place) for place in range(120))
    assert unusual(verdicts) == set()


@dataclass
class Fault:
    """Something that goes wrong with a flow, and the kind of monitor that has to say so."""

    changed: dict[str, Any]
    kind: MonitorKind


FAULTS = [
    Fault({"nulls": 0.3}, MonitorKind.COMPLETENESS),
    Fault({"refused": 0.2}, MonitorKind.VALIDITY),
    Fault({"repeated": 0.3}, MonitorKind.DUPLICATES),
    Fault({"channels": (0.7, 0.2, 0.1, 0.0)}, MonitorKind.DISTRIBUTION),
    Fault({"channels": (0.1, 0.3, 0.1, 0.5)}, MonitorKind.DISTRIBUTION),
    Fault({"delay_s": 600.0}, MonitorKind.TIMELINESS),
    Fault({"delay_s": -300.0}, MonitorKind.TIMELINESS),
    Fault({"rate": 0.0}, MonitorKind.FRESHNESS),
    Fault({"rate": 300.0}, MonitorKind.VOLUME),
    Fault({"rate": 3.0}, MonitorKind.VOLUME),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind.value}-{next(iter(fault.changed.values()))}")
@pytest.mark.parametrize("rate", [8.0, 1000.0])
def test_a_fault_is_unusual_within_a_minute(fault: Fault, rate: float) -> None:
    flow, watched = Flow(3, rate), Watched()
    watched.take(flow.steps(START, 120))
    for name, value in fault.changed.items():
        setattr(flow, name, value * rate / 30 if name == "rate" else value)
    verdicts = watched.take(flow.steps(watched.now, 5))
    assert fault.kind in unusual(verdicts)


@given(far=st.floats(1.05, 4), sensitivity=st.sampled_from(Sensitivity), rate=st.sampled_from([20.0, 200.0]))
@settings(max_examples=8)
def test_a_share_beyond_its_band_is_always_unusual(far: float, sensitivity: Sensitivity, rate: float) -> None:
    monitors = [msgspec.structs.replace(one, sensitivity=sensitivity) for one in MONITORS]
    flow, watched = Flow(5, rate), Watched(monitors)
    verdicts = watched.take(flow.steps(START, 120))
    high = verdicts[-1].observation.highs[PLACES[MonitorKind.COMPLETENESS]]
    assert high is not None
    # Chance moves the share of a step by less than this most of the time; three steps are looked at together.
    flow.nulls = min(1.0, far * high + 6 * math.sqrt(high / (rate * STEP_S)))
    assert MonitorKind.COMPLETENESS in unusual(watched.take(flow.steps(watched.now, 6)))


def test_one_odd_step_is_no_alarm() -> None:
    flow, watched = Flow(7), Watched()
    watched.take(flow.steps(START, 120))
    for name, value in {"nulls": 1.0, "refused": 0.5, "repeated": 0.5, "delay_s": 900.0, "rate": 1.0}.items():
        usual = getattr(flow, name)
        setattr(flow, name, value)
        odd = watched.take(flow.steps(watched.now, 1))
        setattr(flow, name, usual)
        assert unusual(odd + watched.take(flow.steps(watched.now, 12))) == set(), name


def test_nothing_is_said_before_enough_was_seen() -> None:
    flow, watched = Flow(8), Watched()
    watched.take(flow.steps(START, bands.SPEAKS_AFTER - 6))
    flow.nulls = 0.9
    assert unusual(watched.take(flow.steps(watched.now, 5))) == set()
    assert watched.watch.usual.centers[PLACES[MonitorKind.COMPLETENESS]] is None


def test_what_was_unusual_is_not_learned_and_what_is_called_normal_is() -> None:
    flow, watched = Flow(9), Watched()
    watched.take(flow.steps(START, 120))
    flow.nulls, began = 0.3, watched.now
    watched.take(flow.steps(watched.now, 90))
    place = PLACES[MonitorKind.COMPLETENESS]
    center = watched.watch.usual.centers[place]
    assert center is not None
    assert float(bands.backward(KINDS, np.full(len(KINDS), center))[place]) < 0.05
    watched.monitors = [
        msgspec.structs.replace(one, relearn_from=began, relearned_at=watched.now) if one.place == place else one
        for one in MONITORS
    ]
    watched.learn()
    watched.watch = msgspec.structs.replace(
        watched.watch, progress=msgspec.structs.replace(watched.watch.progress, streaks={})
    )
    assert unusual(watched.take(flow.steps(watched.now, 30))) == set()
    flow.nulls = 0.8
    assert MonitorKind.COMPLETENESS in unusual(watched.take(flow.steps(watched.now, 6)))


def test_a_stop_is_not_learned_from() -> None:
    flow, watched = Flow(10), Watched()
    watched.take(flow.steps(START, 120))
    gap = watched.watch.usual.gap_s
    flow.rate = 0.0
    assert unusual(watched.take(flow.steps(watched.now, 60))) == {MonitorKind.FRESHNESS}
    flow.rate = 30.0
    watched.take(flow.steps(watched.now, 12))
    assert watched.watch.usual.gap_s == gap == gaps.LEAST_S
    # The next one is told as soon as the first: nobody learned from how it began, either.
    flow.rate = 0.0
    assert [bool(one.breaches) for one in watched.take(flow.steps(watched.now, 3))] == [False, False, True]


def test_a_short_pause_makes_the_next_stop_no_later_than_by_one_step() -> None:
    steady = np.ones(720)
    steady[[100, 400, 401]] = 0
    assert gaps.usual_gap(steady, [], np.zeros(0)) == 2 * STEP_S + STEP_S
    # The same pause in this hour of earlier days; longer ones count twice, they are fewer and differ more.
    assert gaps.usual_gap(np.ones(720), [10.0, 0.0, 20.0], np.zeros(0)) == 2 * STEP_S + STEP_S
    assert gaps.usual_gap(np.ones(720), [10.0, 0.0, 60.0], np.zeros(0)) == 2 * 60 + STEP_S


def test_a_thin_flow_is_given_the_pauses_that_chance_brings() -> None:
    # One step in fifteen is empty by chance, never two in a row in these two hours: in a week some are.
    thin = np.ones(720)
    thin[::15] = 0
    gap = gaps.usual_gap(thin, [], np.zeros(0))
    assert gap is not None
    week = np.random.default_rng(3).random((10, 60_480)) >= 1 / 15
    assert max(gaps.longest_run(one) for one in week) * STEP_S <= gap <= 60


def test_a_stop_says_since_when() -> None:
    flow, watched = Flow(11), Watched()
    watched.take(flow.steps(START, 120))
    stopped = watched.now
    flow.rate = 0.0
    breaches = [breach for one in watched.take(flow.steps(stopped, 6)) for breach in one.breaches]
    assert {breach.since for breach in breaches} == {stopped}


def test_files_that_come_once_a_day_are_judged_by_their_pauses() -> None:
    hours = np.zeros(24 * 10)
    hours[2::24] = 10_000
    assert gaps.usual_gap(np.zeros(720), [], hours) == 1.5 * 24 * HOUR_S + HOUR_S
    assert gaps.usual_gap(np.zeros(720), [], hours[:72]) is None


def test_a_night_is_no_stop() -> None:
    steady = np.ones(720)
    # The hour that now begins was empty on the days before, however busy the last one was.
    assert gaps.usual_gap(steady, [3600.0] * 3, np.tile([0.0] * 10 + [900.0] * 14, 8)) == 1.5 * 11 * HOUR_S + HOUR_S
    assert gaps.usual_gap(steady, [], np.zeros(0)) == gaps.LEAST_S


def test_the_hour_of_the_week_is_known_after_three_weeks() -> None:
    flow, monitors = Flow(12), MONITORS
    hours: list[Observation] = []
    for day in range(22):
        for hour, rate in ((9, 30.0), (10, 300.0)):
            flow.rate = rate * (0.2 if day % 7 >= 5 else 1.0)
            at = START + timedelta(days=day, hours=hour - 9)
            steps = [Observation(tally=tally) for tally in flow.steps(at, 360)]
            hours.append(learning.hour_of_steps(LAYOUT, monitors, steps))
    watched = Watched()
    flow.rate = 30.0
    now = START + timedelta(days=21)
    watched.take(flow.steps(now, 360))
    by_hour = [(one.tally.at, one.tally.received) for one in hours]
    same = [one for one in hours if one.tally.at.hour == 10 and one.tally.at < watched.now]
    usual = learning.learn(LAYOUT, monitors, watched.kept, same, by_hour, watched.now)
    assert usual.basis == "hour of the week"
    watched.watch = msgspec.structs.replace(watched.watch, usual=usual)
    flow.rate = 300.0
    assert unusual(watched.take(flow.steps(watched.now, 5))) == set()


@given(
    kind=st.sampled_from([kind for kind in MonitorKind if kind is not MonitorKind.FRESHNESS]),
    value=st.floats(0, 1, allow_subnormal=False),
)
def test_scales_have_an_inverse(kind: MonitorKind, value: float) -> None:
    there = bands.forward((kind,), np.array([value]))
    assert bands.backward((kind,), there)[0] == pytest.approx(value, abs=1e-9)


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=20), st.integers(1, 10))
def test_the_stability_index_is_none_for_the_same_shares_and_grows_with_change(counts: list[int], factor: int) -> None:
    total = sum(counts)
    if total < measures.LEAST:
        return
    shares = np.array(counts) / total
    same, _ = measures.stability(np.array([counts]) * factor, shares)
    assert same[0] == pytest.approx(0.0, abs=1e-6)
    turned, _ = measures.stability(np.array([counts[::-1]]), shares)
    assert turned[0] >= 0


def test_late_and_skewed_clocks_are_told_apart() -> None:
    part = Part(
        monitor=MONITORS[4].id, kind=MonitorKind.TIMELINESS, field="", value=-300.0, worst=-300.0, low=-5, high=6,
        since=START,
    )  # fmt: skip
    assert "before they happened" in words.part_sentence(part, "order", ZoneInfo("Asia/Manila"), START)


def test_sentences_name_what_is_seen_since_when_and_what_is_usual() -> None:
    part = Part(
        monitor=MONITORS[5].id, kind=MonitorKind.COMPLETENESS, field="merchant_city", value=0.31, worst=0.31, low=None,
        high=0.0123, since=START,
    )  # fmt: skip
    said = words.part_sentence(part, "order", ZoneInfo("Asia/Manila"), START + timedelta(minutes=1))
    assert said == "31 % of merchant_city is empty since 17:00:00; usual is at most 1.2 %."


def test_other_layouts_are_not_compared() -> None:
    other = Layout(number=2, fields_since=2, fields=("city", "country"), references=LAYOUT.references)
    tally = Flow(1).tally(START)
    row = measures.matrix(other, [tally])[0]
    assert row[measures.RECEIVED] == tally.received
    assert row[measures.ROWS :].sum() == 0


def test_fields_with_too_many_values_are_not_compared() -> None:
    assert learning.reference_of("email", ["a@x", "b@x"], None, 1_000_000) is not None
    draft = Reference(field="email", values=("a@x", "b@x"))
    assert learning.with_shares(draft, [3, 2, 999_995]) is None
    assert learning.reference_of("amount_minor", [], [5.0] * 9, 100) is None

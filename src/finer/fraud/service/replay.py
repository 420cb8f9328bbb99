"""Replay: a payment decided once more by what decided it then, and what differs if anything does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa

from finer.decisions.types.alerts import Action, Verdict
from finer.fraud.rules.evaluate import Array
from finer.fraud.rules.pack import DERIVED
from finer.fraud.service.recorded import Decided, by_deciders, recorded_query
from finer.fraud.service.rule_sets import windows
from finer.fraud.service.verdicts import Verdicts, evaluate, verdict_of
from finer.kit.tx import Tx

__all__ = ["Difference", "Replayed", "held_to", "recorded_query", "replay"]


class Difference(msgspec.Struct, frozen=True):
    """What came out otherwise: what it is, what it was then, and what it is now."""

    what: str
    then: str
    now: str


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One payment decided again. `same` is whether nothing differs; `verdict` is the answer as it comes out now."""

    event_id: str
    rule_set: str
    model: str | None
    feature_set: str
    same: bool
    differences: list[Difference]
    verdict: Verdict | None


def replay(tx: Tx, batch: pa.RecordBatch, zone: ZoneInfo, *, whole: bool = True) -> list[Replayed]:
    """Decide the payments of a batch of `recorded_query` again, in their order; see `Replayed`.

    Compared are the action, the rules that held and the score, bit for bit. `whole` makes the verdict too, for few.
    """
    found: dict[int, Replayed] = {}
    for part in by_deciders(tx, batch):
        found |= dict(zip(part.rows.tolist(), _replayed(part, zone, whole=whole), strict=True))
    return [found[row] for row in range(batch.num_rows)]


def held_to(found: Replayed, stored: Verdict) -> Replayed:
    """The same, also held to the answer that was given: reasons, the values used, the score as a 64-bit number."""
    differences, verdict = list(found.differences), found.verdict
    if found.verdict is not None:
        # The record is what the contract of then made of it, so the version is told and not found out again.
        verdict = msgspec.structs.replace(found.verdict, contract=stored.contract)
        for what in ("action", "reasons", "score"):
            then, now = getattr(stored, what), getattr(found.verdict, what)
            if then != now and all(one.what != what for one in differences):
                differences.append(Difference(what, _text(then), _text(now)))
        for name, then in stored.features.items():
            now = found.verdict.features.get(name)
            if then != now:
                differences.append(Difference(name, _text(then), _text(now)))
    return msgspec.structs.replace(found, differences=differences, same=not differences, verdict=verdict)


def _replayed(part: Decided, zone: ZoneInfo, *, whole: bool) -> Iterator[Replayed]:
    gone = _gone(part)
    events = part.batch.column("event_id").to_pylist()
    sets = part.batch.column("kept_feature_set").to_pylist()
    verdicts: Verdicts | None = None
    differing: list[list[Difference]] = [[] for _ in events]
    if not gone and part.rules is not None:
        columns = part.columns(zone)
        verdicts = evaluate(columns, part.model, part.rules)
        differing = _compared(part, verdicts)
    for row, event in enumerate(events):
        differences = gone + differing[row]
        if sets[row] != windows().version:
            differences.append(Difference("windows", str(sets[row]), windows().version))
        verdict = None
        if whole and verdicts is not None and part.rules is not None:
            verdict = verdict_of(columns, row, verdicts, part.rules, part.model)
        yield Replayed(
            event_id=event, rule_set=part.rule_set, model=part.model_hash, feature_set=sets[row],
            same=not differences, differences=differences, verdict=verdict,
        )  # fmt: skip


def _gone(part: Decided) -> list[Difference]:
    """What cannot be had any more as it was."""
    found = []
    if part.rules is None:
        found.append(Difference("rule set", part.rule_set, "not there any more"))
    else:
        for name, text in part.rules.document.derived.items():
            if DERIVED.get(name) != text:
                found.append(Difference(f"column {name}", text, DERIVED.get(name, "not there any more")))
        found += [Difference(f"rule {rule}", "usable", problem) for rule, problem in part.rules.broken.items()]
    if part.model_hash is not None and part.model is None:
        found.append(Difference("model", part.model_hash, "not there any more, or altered"))
    return found


def _compared(part: Decided, verdicts: Verdicts) -> list[list[Difference]]:
    """Action, rules and score of each payment, against what the lake keeps."""
    words = np.array([action.word for action in Action])
    actions = part.batch.column("kept_action").to_pylist()
    held = part.batch.column("kept_rules").to_pylist()
    named = _names(verdicts.fired, part.rules.ids() if part.rules is not None else ())
    then = part.batch.column("kept_score")
    kept = np.asarray(then.fill_null(np.nan).to_numpy(zero_copy_only=False), np.float32)
    now = np.full(len(actions), np.nan, np.float32) if verdicts.scores is None else verdicts.scores.astype(np.float32)
    same_score = kept.view(np.uint32) == now.view(np.uint32)
    found = []
    for row, (action, rules) in enumerate(zip(actions, held, strict=True)):
        differences = []
        if action != words[verdicts.actions[row]]:
            differences.append(Difference("action", action, str(words[verdicts.actions[row]])))
        if list(rules or []) != named[row]:
            differences.append(Difference("rules", ", ".join(rules or []), ", ".join(named[row])))
        if not (same_score[row] or (np.isnan(kept[row]) and np.isnan(now[row]))):
            differences.append(Difference("score", f"{kept[row]:.9g}", f"{now[row]:.9g}"))
        found.append(differences)
    return found


def _names(fired: Array, ids: tuple[str, ...]) -> list[list[str]]:
    known = {word: [name for bit, name in enumerate(ids) if word >> bit & 1] for word in np.unique(fired).tolist()}
    return [known[word] for word in fired.tolist()]


def _text(value: Any) -> str:
    return (
        "; ".join(map(str, value))
        if isinstance(value, list)
        else repr(value)
        if isinstance(value, float)
        else str(value)
    )

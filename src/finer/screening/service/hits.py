"""Hits: what a person is asked, both records side by side, and what the person says. Nobody clears a high one alone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from finer.identity.service.audit import record_audit
from finer.identity.types.proposals import Change
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx
from finer.screening.errors import HitChanged, HitNotFound, JudgementNotAcceptable
from finer.screening.rules.matching import compare
from finer.screening.store.lists import ListStore
from finer.screening.store.subjects import KeptHit, SubjectStore
from finer.screening.types import (
    HIGH_SCORE,
    ComparedHit,
    Entry,
    Hit,
    HitCounts,
    HitFilter,
    HitState,
    Judgement,
    Profile,
)

DISMISS = "screening:dismiss"
REASON_MAX = 1000
_SAID = (HitState.MATCH, HitState.NO_MATCH, HitState.UNSURE)


def list_hits(tx: Tx, wanted: HitFilter) -> list[Hit]:
    """A page of hits, the highest score first."""
    return [one.hit for one in SubjectStore(tx).hits(wanted)]


def count(tx: Tx) -> HitCounts:
    """How many hits there are of each state."""
    return SubjectStore(tx).counts()


def compared(tx: Tx, identifier: uuid.UUID) -> ComparedHit:
    """A hit with both records as they were compared, and what was said of it before. Raises HitNotFound."""
    kept = _kept(tx, identifier)
    entry = ListStore(tx).entry(kept.hit.list_id, kept.hit.entry_id, kept.entry_hash)
    subject = Profile(names=(kept.hit.subject_name,)) if kept.subject is None else kept.subject.profile
    other = entry or Entry(id=kept.hit.entry_id, profile=Profile(names=(kept.hit.entry_name,)))
    return ComparedHit(
        hit=kept.hit,
        subject=subject,
        entry=other,
        features=() if kept.subject is None else compare(subject, other.profile).features,
        judgements=tuple(SubjectStore(tx).judgements(identifier)),
    )


def needs_two(hit: Hit, state: HitState) -> bool:
    """Whether a judgement takes two people: to say of a likely hit that it is none."""
    return state is HitState.NO_MATCH and hit.score >= HIGH_SCORE


def judge(tx: Tx, identifier: uuid.UUID, state: HitState, reason: str, revision: int) -> Hit:
    """Say of a hit whether it is one; the pair is not asked again unless one of the two changes.

    Raises HitNotFound, HitChanged for another revision, JudgementNotAcceptable without a reason, for what is gone, and
    for clearing a high score alone.
    """
    kept = _at(tx, identifier, revision)
    if needs_two(kept.hit, state):
        raise JudgementNotAcceptable(
            f"The score is {kept.hit.score:.2f}: from {HIGH_SCORE} on it takes two people to say that a hit is none. "
            "Propose it."
        )
    _say(tx, kept, state, reason, approved_by="")
    record_audit(
        tx, "screening:judge", show_id("hit", identifier), {"state": state.value, "score": kept.hit.score}
    )  # fmt: skip
    return _kept(tx, identifier).hit


def dismissal(tx: Tx, identifier: uuid.UUID, reason: str, revision: int) -> dict[str, Any]:
    """Let a hit wait for a second person; the payload of the proposal to say that it is none. Raises as `judge`."""
    kept = _at(tx, identifier, revision)
    if not SubjectStore(tx).set_state(identifier, revision, HitState.WAITING):
        raise _changed(kept.hit)
    return {
        "hit": show_id("hit", identifier),
        "revision": revision + 1,
        "maker": tx.actor.id,
        "reason": _check_reason(reason),
    }


def dismiss_version(tx: Tx, payload: Mapping[str, Any]) -> str:
    """The state that a dismissal starts from. Raises HitNotFound, HitChanged when it waits no more."""
    kept = _waiting(tx, payload)
    return f"{kept.hit.revision}:{kept.entry_hash.hex()[:16]}:{kept.profile_index.hex()[:16]}"


def describe_dismissal(tx: Tx, payload: Mapping[str, Any]) -> list[Change]:
    """What would be said of which hit."""
    hit = _waiting(tx, payload).hit
    return [
        Change("Hit", "", f"{hit.kind.value} {show_id('hit', hit.id)} on {hit.list_name}: {hit.entry_name}"),
        Change("Score", "", f"{hit.score:.2f}"),
        Change("Judgement", hit.state.value, HitState.NO_MATCH.value),
    ]


def execute_dismissal(tx: Tx, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Say that a hit is none, as two people now do."""
    kept = _waiting(tx, payload)
    maker = str(payload["maker"])
    second = "" if tx.actor.id == maker else tx.actor.id
    _say(tx, kept, HitState.NO_MATCH, str(payload["reason"]), approved_by=second, by=maker)
    return {"hit": payload["hit"], "score": kept.hit.score}


def drop_dismissal(tx: Tx, payload: Mapping[str, Any]) -> None:
    """A dismissal that was rejected or withdrawn: the hit is open again."""
    identifier = read_id("hit", str(payload["hit"]))
    kept = SubjectStore(tx).hit(identifier)
    if kept is not None and kept.hit.state is HitState.WAITING:
        SubjectStore(tx).set_state(identifier, kept.hit.revision, HitState.OPEN)


def _say(tx: Tx, kept: KeptHit, state: HitState, reason: str, *, approved_by: str, by: str = "") -> None:
    if state not in _SAID:
        raise JudgementNotAcceptable("Say match, no_match or unsure.")
    said = Judgement(
        state=state, reason=_check_reason(reason), by=by or tx.actor.id, at=tx.now(), approved_by=approved_by
    )  # fmt: skip
    store = SubjectStore(tx)
    if not store.set_state(kept.hit.id, kept.hit.revision, state, judged_by=said.by, judged_at=said.at):
        raise _changed(kept.hit)
    store.add_judgement(kept, said)


def _at(tx: Tx, identifier: uuid.UUID, revision: int) -> KeptHit:
    kept = _kept(tx, identifier)
    if kept.hit.revision != revision or kept.hit.state is HitState.WAITING:
        raise _changed(kept.hit)
    if kept.hit.state is HitState.GONE:
        raise JudgementNotAcceptable(f"There is nothing to judge any more: {kept.hit.again}")
    return kept


def _waiting(tx: Tx, payload: Mapping[str, Any]) -> KeptHit:
    kept = _kept(tx, read_id("hit", str(payload["hit"])))
    if kept.hit.state is not HitState.WAITING or kept.hit.revision != payload["revision"]:
        raise _changed(kept.hit)
    return kept


def _kept(tx: Tx, identifier: uuid.UUID) -> KeptHit:
    found = SubjectStore(tx).hit(identifier)
    if found is None:
        raise HitNotFound(f"There is no hit {show_id('hit', identifier)}.")
    return found


def _changed(hit: Hit) -> HitChanged:
    return HitChanged(
        f"Somebody judged this hit, or a record of it changed: it is {hit.state.value} at revision {hit.revision}. "
        "Load it again.",
        revision=hit.revision,
    )


def _check_reason(reason: str) -> str:
    trimmed = " ".join(reason.split())
    if not 3 <= len(trimmed) <= REASON_MAX:
        raise JudgementNotAcceptable(f"Say why, in 3 to {REASON_MAX} characters: whoever looks later needs it.")
    return trimmed

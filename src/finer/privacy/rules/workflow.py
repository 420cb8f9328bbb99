"""The steps of a subject request: from which state to which, and which of them need a second person."""

from __future__ import annotations

from finer.privacy.types import RequestKind, RequestState, Step

_S, _T = RequestState, Step
TWO_PEOPLE = frozenset({RequestKind.ERASE, RequestKind.ACCESS, RequestKind.PORTABILITY})
"""What one person proposes and another approves: nobody alone erases a person, or takes their records out."""
FILES = frozenset({RequestKind.ACCESS, RequestKind.PORTABILITY})
CLOSED = frozenset({_S.DONE, _S.REFUSED})
APPROVER = frozenset({_T.APPROVE, _T.SEND_BACK})

_EVERY: dict[tuple[RequestState, Step], RequestState] = {
    (_S.RECEIVED, _T.VERIFY): _S.VERIFIED,
    **{(state, _T.REFUSE): _S.REFUSED for state in (_S.RECEIVED, _S.VERIFIED, _S.PROPOSED, _S.READY)},
    **{(state, _T.EXTEND): state for state in (_S.RECEIVED, _S.VERIFIED, _S.PROPOSED, _S.READY)},
}
_ONE_PERSON = {(_S.VERIFIED, _T.COMPLETE): _S.DONE}
_FILE = {
    (_S.VERIFIED, _T.PROPOSE): _S.PROPOSED,
    (_S.PROPOSED, _T.APPROVE): _S.READY,
    (_S.PROPOSED, _T.SEND_BACK): _S.VERIFIED,
    (_S.READY, _T.DOWNLOAD): _S.READY,
    (_S.READY, _T.COMPLETE): _S.DONE,
}
_ERASE = {
    (_S.VERIFIED, _T.PROPOSE): _S.PROPOSED,
    (_S.PROPOSED, _T.APPROVE): _S.RUNNING,
    (_S.PROPOSED, _T.SEND_BACK): _S.VERIFIED,
    (_S.RUNNING, _T.ERASED): _S.DONE,
    # A hold that came after the approval keeps the job from erasing, maybe for years.
    (_S.RUNNING, _T.RESTRICT): _S.DONE,
    (_S.VERIFIED, _T.RESTRICT): _S.DONE,
    (_S.PROPOSED, _T.RESTRICT): _S.DONE,
}


def next_state(kind: RequestKind, state: RequestState, step: Step) -> RequestState | None:
    """The state after a step, or None when it cannot be done."""
    return _table(kind).get((state, step))


def possible(kind: RequestKind, state: RequestState) -> list[Step]:
    """The steps that can be done in a state."""
    return [step for (at, step) in _table(kind) if at is state]


def _table(kind: RequestKind) -> dict[tuple[RequestState, Step], RequestState]:
    if kind is RequestKind.ERASE:
        return _EVERY | _ERASE
    return _EVERY | (_FILE if kind in FILES else _ONE_PERSON)

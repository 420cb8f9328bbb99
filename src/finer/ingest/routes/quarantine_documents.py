"""What quarantine shows and takes: refused records, causes, acts, previews."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from finer.ingest.routes.documents import FieldError, QuarantinedId, ReceiptId, broken_field
from finer.ingest.service import quarantine, repairs
from finer.ingest.service.contracts import guarded_reason
from finer.ingest.types import quarantine as types
from finer.ingest.types import records
from finer.ingest.types.contracts import FirmContracts
from finer.kit.ids import read_id, show_id
from finer.kit.masking import DataClass, classified_by, sensitive

RAW_SHOWN_MAX = 8_192
ASSIGNMENTS_MAX = 40
TEXT_MAX = 4_000
IDS_MAX = 500
ActId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^act_[0-9a-f]{32}$")]
State: TypeAlias = Literal["open", "edited", "released", "discarded"]
Kind: TypeAlias = Literal["edit", "undo", "release", "discard"]
_Value: TypeAlias = Annotated[str | None, classified_by("data_class", "tail")]
_Short: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
_Long: TypeAlias = Annotated[str, msgspec.Meta(max_length=65_536)]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]


class QuarantineCause(msgspec.Struct, frozen=True, kw_only=True):
    """How many waiting records a rule holds back, with the newest reason as an example.

    Of them `edited` were changed, and `ready` keep the contract since then: they can be released.
    """

    contract: str
    field: str
    rule: str
    records: int
    edited: int
    ready: int
    example: str


class QuarantineCauses(msgspec.Struct, frozen=True, kw_only=True):
    """Why records are in quarantine, most frequent first."""

    items: list[QuarantineCause]


class QuarantinedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was refused, with every broken field. `raw` is the beginning of its `raw_bytes` as text.

    A record may hold anything, so `raw` is null for whoever may not see sensitive data in clear. `remaining` is what an
    edited record still breaks, empty when it can be released. `act_id` names what was done with it last.
    """

    id: QuarantinedId
    receipt_id: ReceiptId
    contract: str
    line: int
    state: State
    errors: list[FieldError]
    remaining: list[FieldError] | None
    raw: Annotated[str | None, sensitive("gone")]
    raw_bytes: int
    received_at: datetime
    changed_at: datetime | None
    act_id: ActId | None


class QuarantinePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of quarantined records; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[QuarantinedRecord]
    next: str | None


class RecordField(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the record as it stands now. What says something about a person is shown in part."""

    name: str
    data_class: DataClass
    value: _Value
    edited: bool


class QuarantinedDetail(QuarantinedRecord, frozen=True, kw_only=True):
    """A quarantined record with its values; `fields` is empty when it cannot be taken apart."""

    fields: list[RecordField]


class QuarantineSelection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which quarantined records are meant; what is left out does not limit. Without a state: open and edited ones.

    `act` is the last thing that was done with them.
    """

    contract: _Short | None = None
    field: _Short | None = None
    rule: _Short | None = None
    text: _Short | None = None
    receipt: ReceiptId | None = None
    source: _Short | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: State | None = None
    act: ActId | None = None
    ids: Annotated[list[QuarantinedId], msgspec.Meta(max_length=IDS_MAX)] | None = None


class FieldAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """A field and the expression for its new value; `null` takes the field away.

    An expression reads fields by their names and what was sent as texts by `raw.<name>`. Where it has no value, the
    field stays as it is.
    """

    field: _Short
    expression: _Text


_Assignments: TypeAlias = Annotated[list[FieldAssignment], msgspec.Meta(max_length=ASSIGNMENTS_MAX)]


class QuarantinePreviewBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assignments to try on the records of a selection."""

    selection: QuarantineSelection
    assignments: _Assignments


class QuarantineActBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do with the records of a selection. Only an edit has assignments, and a discard needs a reason."""

    selection: QuarantineSelection
    assignments: _Assignments = []
    reason: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class QuarantineEditBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New values of one record as texts, null to take a field away; or the whole record as JSON."""

    changes: Annotated[dict[str, _Long | None], msgspec.Meta(max_length=200)] = {}
    record: _Long | None = None


class RecordRevealBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why somebody needs to see a record in clear."""

    reason: Annotated[str, msgspec.Meta(min_length=5, max_length=1_000)]


class RevealedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent, in clear; `left` is how many more values the caller may see this hour."""

    raw: str
    left: int


class RecordCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a record would still break."""

    remaining: list[FieldError]


class RemainingFailure(msgspec.Struct, frozen=True, kw_only=True):
    """How many records still break a rule first; `field` is `record` for the record as a whole."""

    field: str
    rule: str
    records: int


class RecordDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A value before and after a change."""

    field: str
    data_class: DataClass
    before: _Value
    after: _Value


class RecordExample(msgspec.Struct, frozen=True, kw_only=True):
    """One record before and after a change, and what it would still break."""

    id: QuarantinedId
    differences: list[RecordDifference]
    remaining: list[FieldError]


class QuarantinePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do to the newest `looked_at` of the `matched` records; nothing has been changed."""

    matched: int
    looked_at: int
    changed: int
    passing: int
    failed: list[RemainingFailure]
    examples: list[RecordExample]


class QuarantineAct(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody does to many records: of `matched` ones `done` were looked at, `changed` are different.

    `failed` counts what others, or changed ones, still break.
    """

    id: ActId
    kind: Kind
    state: Literal["running", "done", "cancelled", "failed"]
    contract: str
    assignments: list[FieldAssignment]
    reason: str
    matched: int
    done: int
    changed: int
    failed: list[RemainingFailure]
    error: str
    actor_id: str
    actor_name: str
    created_at: datetime
    finished_at: datetime | None


class QuarantineActPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of acts; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[QuarantineAct]
    next: str | None


def selection_of(given: QuarantineSelection) -> types.Selection:
    """A selection as the service takes it."""
    return types.Selection(
        contract=given.contract,
        field=given.field,
        rule=given.rule,
        text=given.text,
        receipt=None if given.receipt is None else read_id("rct", given.receipt),
        source=given.source,
        since=given.since,
        until=given.until,
        state=given.state,
        act=None if given.act is None else read_id("act", given.act),
        ids=None if given.ids is None else tuple(read_id("qua", one) for one in given.ids),
    )


def show_quarantined(record: types.QuarantinedRecord, known: FirmContracts) -> QuarantinedRecord:
    """A quarantined record as the API shows it."""
    return QuarantinedRecord(**_shown(record, known))


def show_detail(record: types.QuarantinedRecord, known: FirmContracts) -> QuarantinedDetail:
    """A quarantined record with its values."""
    fields = [
        RecordField(name=one.name, data_class=one.data_class, value=one.value, edited=one.edited)
        for one in quarantine.fields_of(record, known)
    ]
    return QuarantinedDetail(**_shown(record, known), fields=fields)


def _shown(record: types.QuarantinedRecord, known: FirmContracts) -> dict[str, Any]:
    return {
        "id": show_id("qua", record.id),
        "receipt_id": show_id("rct", record.receipt_id),
        "contract": record.contract,
        "line": record.line,
        "state": record.state,
        "errors": show_errors(known, record, record.errors),
        "remaining": None if record.remaining is None else show_errors(known, record, record.remaining),
        "raw": record.raw[:RAW_SHOWN_MAX].decode("utf-8", "replace"),
        "raw_bytes": record.raw_bytes,
        "received_at": record.received_at,
        "changed_at": record.changed_at,
        "act_id": None if record.act_id is None else show_id("act", record.act_id),
    }


def show_errors(
    known: FirmContracts, record: types.QuarantinedRecord, errors: list[records.FieldError]
) -> list[FieldError]:
    """Broken fields of a record as the API shows them."""
    contract = quarantine.classified(record, known)
    return [FieldError(**broken_field(contract, one)) for one in errors]


def show_cause(cause: types.QuarantineCause, known: FirmContracts) -> QuarantineCause:
    """A cause of quarantine as the API shows it."""
    _, example = guarded_reason(known.current.get(cause.contract), cause.field, cause.rule, cause.example)
    return QuarantineCause(
        contract=cause.contract,
        field=cause.field,
        rule=cause.rule,
        records=cause.records,
        edited=cause.edited,
        ready=cause.ready,
        example=example,
    )


def show_act(act: types.Act) -> QuarantineAct:
    """An act as the API shows it."""
    return QuarantineAct(
        id=show_id("act", act.id),
        kind=act.kind,
        state=act.state,
        contract=act.contract,
        assignments=[FieldAssignment(field=field, expression=expression) for field, expression in act.assignments],
        reason=act.reason,
        matched=act.matched,
        done=act.done,
        changed=act.changed,
        failed=_failures(act.failed),
        error=act.error,
        actor_id=act.actor_id,
        actor_name=act.actor_name,
        created_at=act.created_at,
        finished_at=act.finished_at,
    )


def show_preview(known: FirmContracts, found: repairs.Preview) -> QuarantinePreview:
    """A preview as the API shows it."""
    return QuarantinePreview(
        matched=found.matched,
        looked_at=found.looked_at,
        changed=found.changed,
        passing=found.passing,
        failed=_failures(found.failed),
        examples=[
            RecordExample(
                id=show_id("qua", one.record.id),
                differences=[
                    RecordDifference(field=each.field, data_class=each.data_class, before=each.before, after=each.after)
                    for each in one.differences
                ],
                remaining=show_errors(known, one.record, one.remaining),
            )
            for one in found.examples
        ],
    )


def _failures(failed: dict[str, int]) -> list[RemainingFailure]:
    ordered = sorted(failed.items(), key=lambda item: -item[1])
    parts = [(*key.rpartition(" ")[::2], records) for key, records in ordered]
    return [RemainingFailure(field=field, rule=rule, records=records) for field, rule, records in parts]

"""HTTP of segments: kept, looked at before they are kept, counted by day, and the people in them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.datastructures import ResponseHeader
from litestar.di import Provide
from litestar.params import Parameter

from finer.identity.service import people
from finer.identity.types.access import Permission
from finer.kit import allowed
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx
from finer.segments.service import counting, segments
from finer.segments.types import (
    PREFIX,
    Daily,
    Draft,
    Segment,
    SegmentAssessment,
    SegmentMembers,
    SegmentSize,
    SegmentWord,
    Size,
)
from finer.warehouse.service.lake import LakeReader

_READ, _WRITE, _WHO = Permission.SEGMENTS_READ, Permission.SEGMENTS_WRITE, Permission.SEGMENTS_MEMBERS
NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]
_Condition = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_Limit = Annotated[int, Parameter(ge=1, le=200)]
_Place = Annotated[str | None, Parameter(pattern="^[0-9a-f]{64}$")]
Briefly = Callable[[Callable[[Tx], Any]], Any]
"""Does something in a short transaction of the caller that only reads."""


class ConditionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition over customers."""

    condition: _Condition


class SegmentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A segment to keep. `version` is the one that is replaced; a new segment has none."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    description: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    condition: _Condition
    archived: bool = False
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 2)] = 0


class SegmentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A segment with its latest size, and `problem`: why it cannot be counted any more."""

    id: str
    name: str
    description: str
    condition: str
    owner_name: str
    version: int
    archived: bool
    created_at: datetime
    changed_at: datetime
    size: SegmentSize | None
    problem: str


class SegmentDay(msgspec.Struct, frozen=True):
    """The size of a day (UTC)."""

    day: date
    size: SegmentSize


class SegmentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A segment, how its condition reads, which columns it reads, and its sizes, the earliest first."""

    segment: SegmentDocument
    assessment: SegmentAssessment
    reads: list[str]
    days: list[SegmentDay]


class SegmentList(msgspec.Struct, frozen=True):
    """Segments by name."""

    items: list[SegmentDocument]


class SegmentVocabulary(msgspec.Struct, frozen=True):
    """What a condition can name."""

    columns: list[SegmentWord]
    functions: list[str]


async def _counted(request: Request[Any, Any, Any], briefly: Briefly, lake: LakeReader) -> tuple[Any, Size]:
    """What is asked of the lake before the transaction of a preview begins. Raises as the route does."""
    try:
        # What stands before a transaction is not handed the body as the route is.
        data = msgspec.convert(await request.json(), ConditionBody)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This is no condition to count: {allowed.problem(ConditionBody, error)}.") from error

    def count() -> tuple[Any, Size]:
        question = briefly(lambda tx: counting.ask_of_text(tx, data.condition))
        return question, counting.measure(lake, question)[0]

    return await asyncio.to_thread(count)


def _read(
    briefly: Briefly, lake: LakeReader, segment_id: str, limit: _Limit = 50, after: _Place = None
) -> SegmentMembers:
    question = briefly(lambda tx: counting.ask_who(tx, _id(segment_id)))
    return counting.read_members(lake, question, after, limit)


class SegmentController(Controller):
    """Groups of customers by a condition."""

    path = "/api/v1/segments"
    tags = ["Segments"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="Segments")
    def list(self, tx: Tx, archived: bool = False) -> SegmentList:
        """The firm's segments with how many are in each, in tens for who may not see who they are."""
        found = segments.list_segments(tx, archived=archived)
        known = segments.catalogue_of(segments.contract_of(tx))
        names, hidden = people.names(tx, [one.owner_id for one in found]), segments.withheld(tx)
        return SegmentList([_show(tx, one, names, segments.problem_of(one, known), hidden) for one in found])

    @post("/", opt={"permission": _WRITE}, sync_to_thread=True, summary="Make a segment")
    def create(self, tx: Tx, data: SegmentBody) -> SegmentDetail:
        """Keep a segment. It is counted at once, and every day from then on."""
        return _detail(tx, segments.create_segment(tx, _draft(data)))

    @get("/vocabulary", opt={"permission": _READ}, sync_to_thread=True, summary="The words of segments")
    def words(self, tx: Tx) -> SegmentVocabulary:
        """Columns and functions that a condition can name: fields of the firm's contract that name nobody."""
        return SegmentVocabulary(*segments.words(tx))

    @post(
        "/validation", opt={"permission": _READ, "recorded": "nothing", "repeat": "It changes nothing."},
        sync_to_thread=True, status_code=200, summary="Look at a condition",
    )  # fmt: skip
    def validate(self, tx: Tx, data: ConditionBody) -> SegmentAssessment:
        """How a condition reads in plain language and what it costs, or what is wrong and where."""
        return segments.assess(tx, data.condition)

    @post(
        "/preview", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Count people before a segment is kept", dependencies={"before_tx": Provide(_counted)},
    )  # fmt: skip
    def preview(self, tx: Tx, data: ConditionBody, before_tx: tuple[Any, Size]) -> SegmentSize:  # noqa: ARG002 - see before_tx
        """How many of all customers a condition holds for now. That somebody asked is an entry of the audit trail."""
        question, size = before_tx
        counting.note_preview(tx, question)
        return segments.shown(tx, size, hidden=not segments.withheld(tx).isdisjoint(counting.columns_of(question)))

    @get("/{segment_id:str}", opt={"permission": _READ}, sync_to_thread=True, summary="One segment")
    def detail(self, tx: Tx, segment_id: str) -> SegmentDetail:
        """A segment with its reading in plain language and how many were in it day by day."""
        return _detail(tx, segments.get_segment(tx, _id(segment_id)))

    @put("/{segment_id:str}", opt={"permission": _WRITE}, sync_to_thread=True, summary="Change a segment")
    def change(self, tx: Tx, segment_id: str, data: SegmentBody) -> SegmentDetail:
        """Another text for a segment, or put it away. Refused when somebody else changed it meanwhile."""
        draft = _draft(data)
        return _detail(
            tx, segments.change_segment(tx, _id(segment_id), data.version, draft, archived=data.archived)
        )  # fmt: skip

    @get(
        "/{segment_id:str}/members", opt={"permission": _WHO}, sync_to_thread=True, summary="The people in a segment",
        dependencies={"before_tx": Provide(_read, sync_to_thread=True)},
    )  # fmt: skip
    def members(
        self,
        tx: Tx,
        segment_id: str,
        before_tx: SegmentMembers,
        limit: _Limit = 50,  # noqa: ARG002 - see before_tx
        after: _Place = None,  # noqa: ARG002 - see before_tx
    ) -> SegmentMembers:
        """Who is in it now, page by page, each column masked for the caller. Who looked is in the audit trail."""
        counting.note_members(tx, _id(segment_id), before_tx)
        return before_tx


def _id(shown: str) -> uuid.UUID:
    return read_id(PREFIX, shown)


def _draft(data: SegmentBody) -> Draft:
    return Draft(name=data.name, description=data.description, condition=data.condition)


def _detail(tx: Tx, found: Segment) -> SegmentDetail:
    known = segments.catalogue_of(segments.contract_of(tx))
    names = people.names(tx, [found.owner_id])
    days: list[Daily] = segments.history(tx, found.id)
    hidden = segments.withheld(tx)
    return SegmentDetail(
        segment=_show(tx, found, names, segments.problem_of(found, known), hidden),
        assessment=segments.assess(tx, found.draft.condition),
        reads=list(found.reads),
        days=[
            SegmentDay(one.day, segments.shown(tx, one.size, hidden=not hidden.isdisjoint(found.reads))) for one in days
        ],
    )


def _show(tx: Tx, found: Segment, names: dict[str, str], problem: str, hidden: frozenset[str]) -> SegmentDocument:
    return SegmentDocument(
        id=show_id(PREFIX, found.id), name=found.draft.name, description=found.draft.description,
        condition=found.draft.condition, owner_name=names.get(str(found.owner_id), "Somebody who is gone"),
        version=found.version, archived=found.archived_at is not None, created_at=found.created_at,
        changed_at=found.changed_at, problem=problem,
        size=None if found.size is None else segments.shown(
            tx, found.size, hidden=not hidden.isdisjoint(found.reads)
        ),
    )  # fmt: skip


ROUTES: list[Any] = [SegmentController]

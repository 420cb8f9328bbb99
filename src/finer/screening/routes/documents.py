"""What screening shows of lists, subjects and hits, and what it takes, as they leave and enter the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from finer.kit.ids import show_id
from finer.kit.masking import personal
from finer.screening.types import (
    ComparedHit,
    EntityType,
    Feature,
    Hit,
    HitCounts,
    HitState,
    ListKind,
    ListLoad,
    Profile,
    ScreeningList,
    Subject,
    SubjectKind,
)

HitId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^hit_[0-9a-f]{32}$")]
_Name: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{1,39}$")]
_Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=1_000)]
_Value: TypeAlias = Annotated[str, msgspec.Meta(max_length=300)]
_Values: TypeAlias = Annotated[list[_Value], msgspec.Meta(max_length=20)]
_Shown: TypeAlias = Annotated[str | None, personal("tail")]


class NewScreeningList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list to screen against. Its kind never changes."""

    name: _Name
    kind: ListKind
    description: _Words = ""


class ScreeningFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a list's file: targets.simple.csv, a CSV of the firm's own, or FollowTheMoney entities by line.

    `confirmed` says that the file is meant so although it takes more than half of the entries off the list.
    """

    text: Annotated[str, msgspec.Meta(max_length=32_000_000)]
    file_name: _Words = ""
    confirmed: bool = False


class ScreeningListView(msgspec.Struct, frozen=True, kw_only=True):
    """A list of the firm. `screened` says whether everybody was held against its newest version."""

    name: str
    kind: ListKind
    description: str
    version: int
    screened: bool
    entries: int
    sha256: str
    author: str
    created_at: datetime
    loaded_at: datetime | None


class ListLoadView(msgspec.Struct, frozen=True, kw_only=True):
    """A file that became a version of a list, its hash (SHA-256 of the text), and what it changed."""

    version: int
    file_name: str
    sha256: str
    entries: int
    added: int
    changed: int
    removed: int
    loaded_by: str
    loaded_at: datetime


class SubjectBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to be screened now. `reference` is the firm's own name for them: a customer number, an account."""

    kind: SubjectKind = SubjectKind.PAYEE
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    names: Annotated[list[_Value], msgspec.Meta(min_length=1, max_length=20)]
    type: EntityType = EntityType.UNKNOWN
    birth_dates: _Values = []
    countries: _Values = []
    identifiers: _Values = []
    genders: _Values = []


class HitView(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that is like an entry of a list. Who the subject is, is masked; the comparison shows it."""

    id: HitId
    kind: SubjectKind
    reference: _Shown
    subject_name: _Shown
    list: str
    list_kind: ListKind
    entry_id: str
    entry_name: str
    score: float
    state: HitState
    again: str
    judged_by: str
    judged_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What screening somebody found: `clear` when no hit is open, unsure, waiting or a match."""

    clear: bool
    hits: list[HitView]


class HitPage(msgspec.Struct, frozen=True, kw_only=True):
    """Hits, the highest score first, and how many there are of each state; `next` is what `before` takes."""

    items: list[HitView]
    next: str | None
    counts: HitCounts
    as_of: datetime


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was compared."""

    names: list[str]
    type: EntityType
    birth_dates: list[str]
    countries: list[str]
    identifiers: list[str]
    genders: list[str]


class HitJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a hit, and the second person where one was needed."""

    state: HitState
    reason: str
    by: str
    approved_by: str
    at: datetime


class HitComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A hit with both records side by side. `needs_two`: saying that it is none takes a second person."""

    hit: HitView
    reference: str
    subject: ProfileView
    entry: ProfileView
    programme: str
    dataset: str
    features: list[Feature]
    judgements: list[HitJudgement]
    needs_two: bool


class HitJudgementBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a hit at a revision, and why."""

    state: Literal["match", "no_match", "unsure"]
    reason: _Words
    revision: int


class HitJudgementAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a judgement: the hit, and the proposal that waits for a second person if it takes two."""

    hit: HitView
    proposal: str | None


def read_subject(body: SubjectBody) -> Subject:
    """A subject as it is screened."""
    profile = Profile(
        names=tuple(body.names), type=body.type, birth_dates=tuple(body.birth_dates), countries=tuple(body.countries),
        identifiers=tuple(body.identifiers), genders=tuple(body.genders),
    )  # fmt: skip
    return Subject(kind=body.kind, reference=body.reference, profile=profile)


def show_list(one: ScreeningList, names: Mapping[str, str]) -> ScreeningListView:
    """A list as it is shown; `names` are those of people by their id."""
    return ScreeningListView(
        name=one.name, kind=one.kind, description=one.description, version=one.version,
        screened=one.screened_version == one.version, entries=one.entries, sha256=one.sha256,
        author=names.get(one.author, ""), created_at=one.created_at, loaded_at=one.loaded_at,
    )  # fmt: skip


def show_load(one: ListLoad, names: Mapping[str, str]) -> ListLoadView:
    """A version of a list as it is shown."""
    plain = msgspec.structs.asdict(one)
    return ListLoadView(**plain | {"loaded_by": names.get(one.loaded_by, "")})


def show_hit(one: Hit, names: Mapping[str, str]) -> HitView:
    """A hit as it is shown."""
    return HitView(
        id=show_id("hit", one.id), kind=one.kind, reference=one.reference, subject_name=one.subject_name,
        list=one.list_name, list_kind=one.list_kind, entry_id=one.entry_id, entry_name=one.entry_name, score=one.score,
        state=one.state, again=one.again, judged_by=names.get(one.judged_by, ""), judged_at=one.judged_at,
        created_at=one.created_at, updated_at=one.updated_at, revision=one.revision,
    )  # fmt: skip


def people_of_comparison(one: ComparedHit) -> Iterator[str]:
    """Everybody whom `show_comparison` calls by name."""
    yield one.hit.judged_by
    for said in one.judgements:
        yield from (said.by, said.approved_by)


def show_comparison(one: ComparedHit, names: Mapping[str, str], *, needs_two: bool) -> HitComparison:
    """A hit with both records as it is shown to who judges it."""
    return HitComparison(
        hit=show_hit(one.hit, names),
        reference=one.hit.reference,
        subject=_show_profile(one.subject),
        entry=_show_profile(one.entry.profile),
        programme=one.entry.programme,
        dataset=one.entry.dataset,
        features=list(one.features),
        judgements=[
            HitJudgement(
                state=said.state, reason=said.reason, by=names.get(said.by, ""),
                approved_by=names.get(said.approved_by, ""), at=said.at,
            )
            for said in one.judgements
        ],
        needs_two=needs_two,
    )  # fmt: skip


def _show_profile(one: Profile) -> ProfileView:
    return ProfileView(
        names=list(one.names), type=one.type, birth_dates=list(one.birth_dates), countries=list(one.countries),
        identifiers=list(one.identifiers), genders=list(one.genders),
    )  # fmt: skip

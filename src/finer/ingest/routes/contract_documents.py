"""What ingest shows of contracts: versions, drafts, trials, as they leave the system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec

from finer.ingest.service import exports
from finer.ingest.types.contracts import (
    Comparison,
    Contract,
    ContractVersion,
    DraftTrial,
    ServiceLevel,
    TeamMember,
    VersionState,
)
from finer.ingest.types.receipts import ContractCounts
from finer.kit.ids import show_id
from finer.kit.masking import DataClass, classified_by

VersionId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^cver_[0-9a-f]{32}$")]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=262_144)]
_Note: TypeAlias = Annotated[str, msgspec.Meta(max_length=1000)]
_Name: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{1,39}$")]
_CellValue: TypeAlias = Annotated[str | None, classified_by("data_class", "tail")]


class TextBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of a contract to be looked at."""

    name: _Name
    text: _Text


class NewDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft of the contract `name`; without a text it begins with the version in force."""

    name: _Name
    note: _Note = ""
    text: _Text | None = None


class DraftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another text of a draft, and the revision that it was made from."""

    text: _Text
    revision: int
    note: _Note = ""


class RevisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The revision of a draft that the caller has seen."""

    revision: int


class PublicationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a draft shall come into force, and the revision of it."""

    revision: int
    reason: Annotated[str, msgspec.Meta(max_length=1000)]


class ContractSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of the firm in a list. Counts are of the last 24 hours; `quarantined_share` is null without any.

    A contract that is not `in_force` has drafts only; it is shown as its newest draft says.
    """

    name: str
    version: str
    in_force: bool
    description: str
    owner: str
    built_in: bool
    fields: int
    rules: int
    drafts: int
    received: int
    quarantined: int
    quarantined_share: float | None
    last_event_at: datetime | None


class ContractList(msgspec.Struct, frozen=True, kw_only=True):
    """The contracts of the firm, by name."""

    items: list[ContractSummary]


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a contract; `must_be` are its rules as sentences, `column` its name in the lake.

    `required` says that each record has to bring it: nothing fills it in.
    """

    name: str
    column: str
    type: str
    required: bool
    description: str
    classification: str | None
    data_class: DataClass
    aliases: list[str]
    must_be: list[str]


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule over the fields of one record."""

    name: str
    condition: str
    sentence: str
    fields: list[str]


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is or was in force; null where Finer itself brought it."""

    id: VersionId | None
    version: str
    state: VersionState
    author: str
    published_by: str
    published_at: datetime | None
    retired_at: datetime | None
    note: str


class ContractDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft, with what it would change and why it cannot be published yet, if so."""

    id: VersionId
    contract: str
    version: str
    text: str
    revision: int
    note: str
    author: str
    updated_at: datetime
    trial: DraftTrial | None
    comparison: Comparison | None
    problems: list[str]


class DraftSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A draft in the list of a contract."""

    id: VersionId
    version: str
    revision: int
    note: str
    author: str
    updated_at: datetime
    tried: bool


class ContractDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A contract in the version in force, with the versions and drafts there are."""

    summary: ContractSummary
    fields: list[FieldView]
    rules: list[RuleView]
    team: list[TeamMember]
    service_levels: list[ServiceLevel]
    payloads: list[str]
    versions: list[VersionView]
    drafts: list[DraftSummary]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a text is worth: `problem` and its `line` when it cannot be read, else what it changes.

    `problems` say why it cannot be published, although it can be read.
    """

    readable: bool
    version: str = ""
    problem: str = ""
    line: int | None = None
    comparison: Comparison | None = None
    problems: list[str] = []


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish to publish: it waits as a proposal for somebody else, or is done."""

    proposal: str | None
    published: bool


class SampleCell(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a stored record, in the form that the caller may see."""

    field: str
    data_class: DataClass
    value: _CellValue


class ContractSample(msgspec.Struct, frozen=True, kw_only=True):
    """A few of the newest records of a contract."""

    rows: list[list[SampleCell]]


Names = Mapping[str, str]
"""Who is meant by the ids of actors."""


def show_summary(
    contract: Contract, counts: ContractCounts | None, own: Sequence[ContractVersion], *, built_in: bool
) -> ContractSummary:
    """A contract as a list shows it; `own` are the versions and drafts that the firm wrote.

    `built_in` says that Finer brings a version of it.
    """
    received = 0 if counts is None else counts.received
    quarantined = 0 if counts is None else counts.quarantined
    drafts_only = bool(own) and all(one.state is VersionState.DRAFT for one in own) and not built_in
    return ContractSummary(
        name=contract.name,
        version=contract.version,
        in_force=not drafts_only,
        description=" ".join(contract.description.split()),
        owner=contract.owner,
        built_in=built_in and not any(one.state is VersionState.PUBLISHED for one in own),
        fields=len(contract.fields),
        rules=len(contract.rules),
        drafts=sum(one.state is VersionState.DRAFT for one in own),
        received=received,
        quarantined=quarantined,
        quarantined_share=quarantined / received if received else None,
        last_event_at=None if counts is None else counts.last_event_at,
    )


def people_of_versions(*versions: ContractVersion) -> list[str | None]:
    """Everybody whom `show_detail` and `show_draft` call by name."""
    return [person for one in versions for person in (one.author, one.published_by)]


def show_detail(
    contract: Contract,
    counts: ContractCounts | None,
    own: Sequence[ContractVersion],
    built_in: Contract | None,
    names: Names,
) -> ContractDetail:
    """A contract with everything that its page shows."""
    versions = [_show_version(one, names) for one in own if one.state is not VersionState.DRAFT]
    if built_in is not None:
        first = VersionState.RETIRED if versions else VersionState.PUBLISHED
        versions.append(
            VersionView(
                id=None, version=built_in.version, state=first, author="Finer", published_by="Finer",
                published_at=None, retired_at=None, note="Comes with Finer.",
            )
        )  # fmt: skip
    return ContractDetail(
        summary=show_summary(contract, counts, own, built_in=built_in is not None),
        fields=[
            FieldView(
                name=one.name,
                column=one.column,
                type=one.kind.value,
                required=one.must_be_sent,
                description=" ".join(one.description.split()),
                classification=one.classification,
                data_class=exports.class_of_field(one),
                aliases=[*one.aliases, *one.combined_aliases],
                must_be=exports.rules_of(one),
            )
            for one in contract.fields
        ],
        rules=[
            RuleView(
                name=one.name,
                condition=" ".join(one.condition.split()),
                sentence=" ".join(one.reason.split()),
                fields=list(one.fields),
            )
            for one in contract.rules
        ],
        team=list(contract.team),
        service_levels=list(contract.service_levels),
        payloads=[one.name for one in contract.payloads],
        versions=versions,
        drafts=[_show_draft_summary(one, names) for one in own if one.state is VersionState.DRAFT],
    )


def _show_version(version: ContractVersion, names: Names) -> VersionView:
    return VersionView(
        id=show_id("cver", version.id),
        version=version.version,
        state=version.state,
        author=_name(version.author, names),
        published_by=_name(version.published_by or "", names),
        published_at=version.published_at,
        retired_at=version.retired_at,
        note=version.note,
    )


def _show_draft_summary(draft: ContractVersion, names: Names) -> DraftSummary:
    trial = draft.trial
    return DraftSummary(
        id=show_id("cver", draft.id),
        version=draft.version,
        revision=draft.revision,
        note=draft.note,
        author=_name(draft.author, names),
        updated_at=draft.updated_at,
        tried=trial is not None and trial.state == "done" and trial.revision == draft.revision,
    )


def show_draft(
    draft: ContractVersion, comparison: Comparison | None, problems: list[str], names: Names
) -> ContractDraft:
    """A draft with its text."""
    return ContractDraft(
        id=show_id("cver", draft.id),
        contract=draft.contract,
        version=draft.version,
        text=draft.document,
        revision=draft.revision,
        note=draft.note,
        author=_name(draft.author, names),
        updated_at=draft.updated_at,
        trial=draft.trial,
        comparison=comparison,
        problems=problems,
    )


def show_sample(rows: Sequence[Mapping[str, tuple[DataClass, Any]]]) -> ContractSample:
    """Stored records as text, each value with its class."""
    return ContractSample(
        rows=[
            [
                SampleCell(field=name, data_class=data_class, value=None if value is None else str(value))
                for name, (data_class, value) in row.items()
            ]
            for row in rows
        ]
    )


def _name(actor: str, names: Names) -> str:
    return names.get(actor, "Command line" if actor == "command-line" else actor)

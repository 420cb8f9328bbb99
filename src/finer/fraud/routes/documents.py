"""What fraud shows of rules and lists, and what it takes, as they leave and enter the system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from finer.decisions.types.alerts import Action
from finer.fraud.types import (
    ActivityHour,
    Brake,
    FirmList,
    ListEffect,
    ListEntry,
    ListKind,
    NewEntry,
    Price,
    RuleState,
    RuleText,
    RuleVersion,
    Severity,
)
from finer.kit.ids import show_id
from finer.kit.masking import DataClass, classified_by

RuleAction: TypeAlias = Literal["allow", "review", "block"]
VersionId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^rlv_[0-9a-f]{32}$")]
_Name: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{1,39}$")]
_Condition: TypeAlias = Annotated[str, msgspec.Meta(max_length=4_000)]
_EntryId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^lse_[0-9a-f]{32}$")]
_Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=1_000)]
_Value: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
_ShownValue: TypeAlias = Annotated[str | None, classified_by("data_class", "tail")]
FILES = {
    "200": {"description": "The rows as a file", "content": {"text/csv": {"schema": {"type": "string"}}}},
    "202": {
        "description": "So many rows wait for a second person",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FraudExportProposal"}}},
    },
}
"""What an export answers, for the OpenAPI document."""
_ACTIONS: dict[str, Action] = {"allow": Action.APPROVE, "review": Action.REVIEW, "block": Action.BLOCK}
_WORDS: dict[Action, RuleAction] = {Action.APPROVE: "allow", Action.REVIEW: "review", Action.BLOCK: "block"}


class RuleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule says."""

    title: _Words
    condition: _Condition
    action: RuleAction
    reason: _Words
    severity: Severity = "medium"
    brake: Brake | None = None
    owner: _Words = ""


class NewRuleDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft of a rule, new or known, named `rule`."""

    rule: _Name
    text: RuleBody
    note: _Words = ""


class RuleDraftBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another text of a draft, and the revision that it was made from."""

    text: RuleBody
    revision: int
    note: _Words = ""


class PriceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over how many days a rule is priced, and how many more alerts a day the team can work on."""

    revision: int
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    capacity_per_day: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100


class PricedVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of a rule at a revision."""

    id: Annotated[str, msgspec.Meta(pattern="^rlv_[0-9a-f]{32}$")]
    revision: int


class PricesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Versions that are priced by one reading of the lake, over how many days, and the team's alerts a day."""

    versions: Annotated[list[PricedVersion], msgspec.Meta(min_length=1, max_length=50)]
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    capacity_per_day: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100


class ShadowBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The revision that the caller has seen; `confirmed` that a rule for very many payments is meant so."""

    revision: int
    confirmed: bool = False


class RuleReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: _Words


class ProposedAct(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an act that takes two people: a proposal, or `done` where nobody has to approve."""

    proposal: str | None
    done: bool


class RuleAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition is worth: how it reads, what it costs, or what is wrong and where.

    `position` is an offset in characters from 0, `line` and `column` count from 1.
    """

    usable: bool
    reading: str = ""
    columns: list[str] = []
    lists: list[str] = []
    steps: int = 0
    steps_max: int = 0
    problem: str = ""
    hint: str = ""
    position: int | None = None
    line: int | None = None
    column: int | None = None


class RuleColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column that a rule can name; of a `hashed` one only equality is known."""

    name: str
    type: str
    description: str
    hashed: bool


class RuleListWord(msgspec.Struct, frozen=True, kw_only=True):
    """A list that a rule can ask, and the columns that it can be asked about."""

    name: str
    kind: ListKind
    columns: list[str]


class RuleVocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """The words of rules: columns, functions, lists, and the ways to write a value in a reason."""

    columns: list[RuleColumn]
    functions: list[str]
    lists: list[RuleListWord]
    formats: list[str]


class RuleVersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a rule; `price` is what its last backtest found."""

    id: VersionId
    rule: str
    version: int
    state: RuleState
    text: RuleBody
    revision: int
    note: str
    author: str
    approved_by: str
    created_at: datetime
    updated_at: datetime
    shadow_at: datetime | None
    live_at: datetime | None
    retired_at: datetime | None
    demoted_at: datetime | None
    demotion: str
    price: Price | None


class RuleCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did within a day."""

    hits: int = 0
    blocks: int = 0
    amount_usd_minor: int = 0


class RuleDraftSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The draft of a rule and what its backtest found, without segments: what is compared and priced together."""

    id: VersionId
    revision: int
    version: int
    title: str
    action: RuleAction
    price: Price | None


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in a list: its version in force or the newest one, what it did within a day, and how its alerts ended."""

    rule: str
    title: str
    action: RuleAction
    severity: Severity
    state: RuleState
    version: int
    shadow_version: int | None
    draft_version: int | None
    draft: RuleDraftSummary | None
    owner: str
    brake: Brake | None
    demoted_at: datetime | None
    demotion: str
    live: RuleCounts
    shadow: RuleCounts
    open: int
    confirmed: int
    dismissed: int
    updated_at: datetime


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the firm in the order in which they were made. `rule_set` names what decides now."""

    items: list[RuleSummary]
    rule_set: str
    decided: int
    as_of: datetime


class RuleDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its versions, the newest first, and what it did hour by hour within a week."""

    rule: str
    versions: list[RuleVersionView]
    hours: list[ActivityHour]
    confirmed: int
    dismissed: int
    open: int
    as_of: datetime


class NewListBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list. Kind and effect never change."""

    name: _Name
    kind: ListKind
    effect: ListEffect = ListEffect.NONE
    description: _Words = ""


class ListSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A list of the firm and the rules that ask it."""

    name: str
    kind: ListKind
    effect: ListEffect
    description: str
    entries: int
    version: int
    author: str
    updated_at: datetime
    used_by: list[str]


class EntryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry to be put on a list."""

    value: _Value
    reason: _Words
    source: _Words = ""
    expires_at: datetime | None = None


class EntriesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries to be put on a list, all or none."""

    entries: Annotated[list[EntryBody], msgspec.Meta(min_length=1, max_length=1_000)]


class RemovalBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries to be taken off a list that blocks, or with `whole` the list to be deleted; and why."""

    entries: Annotated[list[_EntryId], msgspec.Meta(max_length=100)] = []
    whole: bool = False
    reason: _Words


class ListFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CSV text of entries; `reason` and `source` are those of lines that have none.

    `replace` takes off the list what the file does not have.
    """

    csv: Annotated[str, msgspec.Meta(max_length=16_000_000)]
    reason: _Words
    source: _Words = ""
    replace: bool = False


class ListLookup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The value that is looked for, whole."""

    value: _Value


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list. Its value is shown as the caller may see values of its kind."""

    id: str
    value: _ShownValue
    data_class: DataClass
    reason: str
    source: str
    added_by: str
    added_at: datetime
    expires_at: datetime | None


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries, the newest first; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[EntryView]
    next: str | None


class FraudExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An export; `reason` says why so many rows are needed, for whoever approves it."""

    reason: _Words = ""


class FraudExportProposal(msgspec.Struct, frozen=True):
    """An export that waits for somebody else; the same request gets the file within a day of the approval."""

    proposal: str


def read_text(body: RuleBody) -> RuleText:
    """The text of a rule as it is kept."""
    return RuleText(
        title=body.title, condition=body.condition, action=_ACTIONS[body.action], reason=body.reason,
        severity=body.severity, brake=body.brake, owner=body.owner,
    )  # fmt: skip


def show_text(text: RuleText) -> RuleBody:
    """The text of a rule as it is shown."""
    return RuleBody(
        title=text.title, condition=text.condition, action=_WORDS[text.action], reason=text.reason,
        severity=text.severity, brake=text.brake, owner=text.owner,
    )  # fmt: skip


def show_version(one: RuleVersion, names: Mapping[str, str]) -> RuleVersionView:
    """A version as it is shown; `names` are those of people by their id."""
    return RuleVersionView(
        id=show_id("rlv", one.id), rule=one.rule, version=one.version, state=one.state, text=show_text(one.text),
        revision=one.revision, note=one.note, author=names.get(one.author, "Finer" if not one.author else ""),
        approved_by=names.get(one.approved_by, ""), created_at=one.created_at, updated_at=one.updated_at,
        shadow_at=one.shadow_at, live_at=one.live_at, retired_at=one.retired_at, demoted_at=one.demoted_at,
        demotion=one.demotion, price=one.price,
    )  # fmt: skip


def people_of_versions(*versions: RuleVersion) -> list[str]:
    """Everybody whom `show_version` calls by name."""
    return [person for one in versions for person in (one.author, one.approved_by)]


def show_list(found: FirmList, used_by: list[str], names: Mapping[str, str]) -> ListSummary:
    """A list as it is shown."""
    return ListSummary(
        name=found.name, kind=found.kind, effect=found.effect, description=found.description, entries=found.entries,
        version=found.version, author=names.get(found.author, ""), updated_at=found.updated_at, used_by=used_by,
    )  # fmt: skip


def show_entry(kind: ListKind, entry: ListEntry, names: Mapping[str, str]) -> EntryView:
    """An entry as it is shown."""
    open_kinds = (ListKind.COUNTRY, ListKind.MERCHANT)
    return EntryView(
        id=show_id("lse", entry.id), value=entry.value,
        data_class=DataClass.PUBLIC if kind in open_kinds else DataClass.PERSONAL, reason=entry.reason,
        source=entry.source, added_by=names.get(entry.added_by, "a machine"), added_at=entry.added_at,
        expires_at=entry.expires_at,
    )  # fmt: skip


def read_entry(body: EntryBody) -> NewEntry:
    """An entry as it is kept."""
    return NewEntry(value=body.value, reason=body.reason, source=body.source, expires_at=body.expires_at)

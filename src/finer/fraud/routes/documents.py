"""What fraud shows of rules, and what it takes, as they leave and enter the system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from finer.decisions.types.alerts import Action
from finer.fraud.types import (
    ActivityHour,
    Brake,
    ListKind,
    Price,
    RuleState,
    RuleText,
    RuleVersion,
    Severity,
)
from finer.kit.ids import show_id

RuleAction: TypeAlias = Literal["allow", "review", "block"]
VersionId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^rlv_[0-9a-f]{32}$")]
RuleName: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{1,39}$")]
_Condition: TypeAlias = Annotated[str, msgspec.Meta(max_length=4_000)]
Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=1_000)]
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

    title: Words
    condition: _Condition
    action: RuleAction
    reason: Words
    severity: Severity = "medium"
    brake: Brake | None = None
    owner: Words = ""


class NewRuleDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft of a rule, new or known, named `rule`."""

    rule: RuleName
    text: RuleBody
    note: Words = ""


class RuleDraftBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another text of a draft, and the revision that it was made from."""

    text: RuleBody
    revision: int
    note: Words = ""


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

    reason: Words


class ProposedAct(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an act that takes two people: a proposal, or `done` where nobody has to approve."""

    proposal: str | None
    done: bool


class RuleAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition is worth: how it reads, what it costs, or what is wrong and where.

    `example` is the reason as a sentence, with values that the condition could hold for.
    `position` is an offset in characters from 0, `line` and `column` count from 1.
    """

    usable: bool
    reading: str = ""
    example: str = ""
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


class FraudExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An export; `reason` says why so many rows are needed, for whoever approves it."""

    reason: Words = ""


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

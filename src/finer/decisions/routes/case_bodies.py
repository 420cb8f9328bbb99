"""What is sent to change cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from finer.decisions.routes.case_documents import AlertId, Verdict
from finer.decisions.routes.documents import TeamId, UserId
from finer.decisions.types.cases import ActionKind, LabelSource, Typology


class CaseAssignmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a case is given to (nobody, a person, a team, or both), and the version of the case looked at."""

    version: int
    assignee_id: UserId | None = None
    team_id: TeamId | None = None


class VersionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version of the case looked at."""

    version: int


class DistributionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many cases are given out at most."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases each person got, by name."""

    given: dict[str, int]


class CaseStateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the work is; of one that waits, for whom or what."""

    version: int
    state: Literal["open", "investigating", "waiting"]
    reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class CaseNoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note, as plain text."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class ChecklistBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a step is done."""

    done: bool


class ClosingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the open alerts of a case were found to be; `otherwise` names alerts that were something else."""

    version: int
    verdict: Verdict
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    source: LabelSource = LabelSource.ANALYST
    otherwise: dict[AlertId, Verdict] = {}


class ReopeningBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a closed case is opened again."""

    version: int
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class LabelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What payments of a case turned out to be, from whom that is known, since when (now, if not said), and how."""

    alerts: Annotated[list[AlertId], msgspec.Meta(min_length=1, max_length=1_000)]
    verdict: Verdict
    source: LabelSource
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    known_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class PaymentLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a payment turned out to be; `occurred_at` to within a day, `known_at` is now if not said."""

    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    verdict: Verdict
    source: LabelSource
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    known_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class LabelsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Labels of payments, each payment once."""

    labels: Annotated[list[PaymentLabel], msgspec.Meta(min_length=1, max_length=1_000)]


class ActionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do about the card, account, payment or customer of an alert of the case, and why."""

    kind: ActionKind
    alert_id: AlertId
    reason: Annotated[str, msgspec.Meta(max_length=1_000)]


class UndoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version of the action looked at, and why it is undone."""

    version: int
    reason: Annotated[str, msgspec.Meta(max_length=1_000)]


class AnalystBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody works on, and whether cases are given to them."""

    skills: Annotated[list[Typology], msgspec.Meta(max_length=5)]
    available: bool


class AttachmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: its name, its kind, and its content in base64."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    media_type: Annotated[str, msgspec.Meta(max_length=100)]
    content: bytes


class ActionOutcomeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of an action."""

    done: bool
    result: Annotated[str, msgspec.Meta(max_length=500)] = ""

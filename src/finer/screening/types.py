"""The nouns of screening: lists with versions, subjects, hits, judgements."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec

THRESHOLD = 0.7
"""From which score on two records are a hit: what the publisher of logic-v2 recommends for it."""
HIGH_SCORE = 0.9
"""From which score on two people are needed to say that a hit is none."""


class ListKind(StrEnum):
    """What a list holds."""

    SANCTIONS = "sanctions"
    PEP = "pep"
    WATCHLIST = "watchlist"


class SubjectKind(StrEnum):
    """Whom a firm screens."""

    CUSTOMER = "customer"
    PAYEE = "payee"


class EntityType(StrEnum):
    """What a name is the name of; `unknown` is compared with everything."""

    PERSON = "person"
    ORGANISATION = "organisation"
    OTHER = "other"
    UNKNOWN = "unknown"


class HitState(StrEnum):
    """What is known of a hit. `waiting`: somebody dismissed it, and a second person is asked. `gone`: off the list."""

    OPEN = "open"
    UNSURE = "unsure"
    WAITING = "waiting"
    MATCH = "match"
    NO_MATCH = "no_match"
    GONE = "gone"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What two records are compared by. Dates are as precise as they are known: 1970, 1970-03 or 1970-03-21.

    `countries` are ISO 3166 codes of two letters, `identifiers` numbers of passports, registers and the like.
    """

    names: tuple[str, ...]
    type: EntityType = EntityType.UNKNOWN
    birth_dates: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    genders: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or something on a list. `id` is the publisher's, `programme` why it is there, as the publisher says."""

    id: str
    profile: Profile
    programme: str = ""
    dataset: str = ""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was compared: how alike it is (0 to 1), its weight, what stood on both sides, and what it says.

    A positive weight is what a score begins with, and the best of them counts; a negative one is taken off.
    """

    name: str
    score: float
    weight: float
    subject: str
    entry: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How alike two records are, 0 to 1, and by what."""

    score: float
    features: tuple[Feature, ...]


class ScreeningList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of a firm. `version` counts the files that were loaded; `screened_version` has been held against all."""

    id: uuid.UUID
    name: str
    kind: ListKind
    description: str
    version: int
    screened_version: int
    entries: int
    sha256: str
    author: str
    created_at: datetime
    loaded_at: datetime | None


class ListLoad(msgspec.Struct, frozen=True, kw_only=True):
    """A file that became a version of a list: its hash, and what it changed."""

    version: int
    file_name: str
    sha256: str
    entries: int
    added: int
    changed: int
    removed: int
    loaded_by: str
    loaded_at: datetime


class ListedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with the list that it is on, and a hash of what it says."""

    list_id: uuid.UUID
    entry: Entry
    content_hash: bytes


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is screened: a customer by the firm's number, or a payee by the id that payments name."""

    kind: SubjectKind
    reference: str
    profile: Profile


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A listed entry that a subject is like."""

    listed: ListedEntry
    comparison: Comparison


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that is like an entry of a list, and what a person said of it.

    `again` says why a judged hit was asked again: what of the two changed; empty when it was never.
    """

    id: uuid.UUID
    kind: SubjectKind
    reference: str
    subject_name: str
    list_id: uuid.UUID
    list_name: str
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


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of a hit, why and when; `approved_by` is the second person where one was needed."""

    state: HitState
    reason: str
    by: str
    at: datetime
    approved_by: str


class ComparedHit(msgspec.Struct, frozen=True, kw_only=True):
    """A hit with both records side by side, by what they are alike, and what was said of it before."""

    hit: Hit
    subject: Profile
    entry: Entry
    features: tuple[Feature, ...]
    judgements: tuple[Judgement, ...]


class HitFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which hits to list. `before` is the last row seen: the highest score first, then the newest."""

    states: tuple[HitState, ...] = (HitState.OPEN, HitState.UNSURE)
    kind: SubjectKind | None = None
    list_id: uuid.UUID | None = None
    limit: int = 50
    before: tuple[float, uuid.UUID] | None = None


class HitCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many hits there are of each state."""

    open: int
    unsure: int
    waiting: int
    match: int
    no_match: int
    gone: int

"""The nouns of notifications."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec

from finer.identity.types.access import Permission

TITLE_MAX = 200
TEXT_MAX = 2_000


class Severity(StrEnum):
    """How soon somebody should look, from the mildest to the severest."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class NewNotification(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people should know, and who: everybody who holds `permission`, or the one `user`.

    `kind` says what sort of thing it is (`jobs.failing`), `link` is the page of the web app that shows more. With a
    `key`, there is one open notification at most: telling it again updates and counts that one. Texts name things and
    numbers, never people: they are shown without masking. Longer ones than TITLE_MAX and TEXT_MAX are cut.

    Raises ValueError for neither or both of `permission` and `user`, a permission that everybody has, and a link that
    leads out of the web app.
    """

    kind: str
    severity: Severity
    title: str
    text: str
    link: str
    permission: Permission | None = None
    user: uuid.UUID | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if (self.permission is None) == (self.user is None):
            raise ValueError("A notification is for those who hold a permission, or for one person: name one of them.")
        if self.permission is Permission.SESSION_OWN:
            raise ValueError("Everybody holds session:own, the firm's customers too. Name what the readers work with.")
        if not self.link.startswith("/") or self.link.startswith(("//", "/\\")):
            raise ValueError(f"The link {self.link!r} must be a path of the web app, such as /jobs.")


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as it is kept, and whether the one who asks has read it. `sequence` grows with every change."""

    id: uuid.UUID
    sequence: int
    kind: str
    severity: Severity
    title: str
    text: str
    link: str
    permission: str | None
    user: uuid.UUID | None
    key: str | None
    count: int
    first_at: datetime
    last_at: datetime
    settled_at: datetime | None
    read: bool


class Audience(msgspec.Struct, frozen=True):
    """Whose bell it is: what this person may do now, and who it is (None for Finer itself)."""

    permissions: frozenset[str]
    user: uuid.UUID | None

    def sees(self, one: Notification) -> bool:
        """Whether this person is one of those whom a notification is for."""
        if one.user is not None:
            return one.user == self.user
        return one.permission in self.permissions


class DeliveryState(StrEnum):
    """What became of a message that goes out."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What an e-mail says, as text and as HTML."""

    subject: str
    text: str
    html: str


class LastCall(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the newest document that went to an address outside, and since when it is so."""

    state: DeliveryState
    at: datetime
    problem: str


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """An address outside that alerts may go to; who knows its secret can tell what came from here."""

    id: uuid.UUID
    name: str
    url: str
    created_by: uuid.UUID
    created_at: datetime
    last: LastCall | None = None


class HookCall(msgspec.Struct, frozen=True, kw_only=True):
    """A document on its way to an address outside, signed."""

    url: str
    body: bytes
    headers: dict[str, str]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message to one person of the firm, or a document to an address outside, and what became of it.

    What it says is gone once it was sent.
    """

    id: uuid.UUID
    person_id: uuid.UUID | None
    hook_id: uuid.UUID | None
    state: DeliveryState
    text: str | None
    attempts: int
    problem: str
    created_at: datetime
    ended_at: datetime | None

"""HTTP of notifications: the caller's own list, how many are unread, and reading them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
from litestar import Controller, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter

from finer.identity.types.access import Permission
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.notifications import service, types
from finer.notifications.types import LastCall, Severity

NotificationId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^ntf_[0-9a-f]{32}$")]


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the caller should know. `link` is a page of the web app, `count` how often it was told.

    It is `settled` when its cause is gone; `sequence` grows with every change.
    """

    id: NotificationId
    sequence: int
    kind: str
    severity: Severity
    title: str
    text: str
    link: str
    count: int
    first_at: datetime
    last_at: datetime
    settled_at: datetime | None
    read: bool


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """How many notifications the caller has not read, by severity."""

    total: int
    info: int
    warning: int
    critical: int


class NotificationPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of notifications, the latest first."""

    items: list[Notification]
    next: str | None
    unread: Unread
    as_of: datetime


def show_notification(one: types.Notification) -> Notification:
    """A notification as the API shows it."""
    return Notification(
        id=show_id("ntf", one.id),
        sequence=one.sequence,
        kind=one.kind,
        severity=one.severity,
        title=one.title,
        text=one.text,
        link=one.link,
        count=one.count,
        first_at=one.first_at,
        last_at=one.last_at,
        settled_at=one.settled_at,
        read=one.read,
    )


class NotificationController(Controller):
    """The caller's own notifications."""

    path = "/api/v1/notifications"
    tags = ["Notifications"]

    @get("/", opt={"permission": Permission.SESSION_OWN}, sync_to_thread=True, summary="My notifications")
    def list(
        self,
        tx: Tx,
        unread: bool = False,
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        before: str | None = None,
    ) -> NotificationPage:
        """What is for the caller, the latest first, page by page: by what the caller may do now."""
        found, following = service.list_notifications(tx, unread=unread, limit=limit, before=before)
        return NotificationPage(
            items=[show_notification(one) for one in found], next=following, unread=_unread(tx), as_of=tx.now()
        )

    @get(
        "/unread",
        opt={"permission": Permission.SESSION_OWN},
        sync_to_thread=True,
        summary="How many of my notifications are unread",
    )
    def unread(self, tx: Tx) -> Unread:
        """The number on the bell, by severity."""
        return _unread(tx)

    @post(
        "/{notification_id:str}/read",
        opt={"permission": Permission.SESSION_OWN},
        sync_to_thread=True,
        status_code=200,
        summary="Read a notification",
    )
    def read(self, tx: Tx, notification_id: str) -> Unread:
        """Note that the caller has read it; it stays unread for everybody else. Answers what is left."""
        service.read(tx, read_id("ntf", notification_id))
        return _unread(tx)

    @post(
        "/read-all",
        opt={"permission": Permission.SESSION_OWN},
        sync_to_thread=True,
        status_code=200,
        summary="Read all notifications",
    )
    def read_all(self, tx: Tx) -> Unread:
        """Note that the caller has read everything that is there now."""
        service.read_all(tx)
        return _unread(tx)


class HookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address outside that alerts may go to."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    url: Annotated[str, msgspec.Meta(min_length=8, max_length=1000)]


class HookDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook: its name, the host that it is at, and what became of the newest document that went there."""

    id: str
    name: str
    host: str
    created_at: datetime
    last: LastCall | None


class Hooks(msgspec.Struct, frozen=True):
    """The firm's webhooks, by name."""

    items: list[HookDocument]


class HookMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new webhook with the secret that signs what goes there, which is told this once."""

    hook: HookDocument
    secret: str


class HookController(Controller):
    """Addresses outside that alerts may go to."""

    path = "/api/v1/hooks"
    tags = ["Notifications"]
    response_headers = [ResponseHeader(name="Cache-Control", value="no-store")]

    @get("/", opt={"permission": Permission.HOOKS_READ}, sync_to_thread=True, summary="Webhooks")
    def list(self, tx: Tx) -> Hooks:
        """The firm's webhooks. Their whole addresses, which may hold a key, are not shown."""
        return Hooks([_hook(one) for one in service.list_hooks(tx)])

    @post(
        "/",
        opt={"permission": Permission.HOOKS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        summary="Add a webhook",
    )
    def create(self, tx: Tx, data: HookBody, settings: Settings) -> HookMade:
        """Let alerts go to an address outside. Documents are signed as Standard Webhooks say."""
        hook, secret = service.add_hook(tx, settings, data.name, data.url)
        return HookMade(hook=_hook(hook), secret=secret)

    @post(
        "/{hook_id:str}/test",
        opt={"permission": Permission.HOOKS_WRITE},
        status_code=202,
        sync_to_thread=True,
        summary="Try a webhook",
    )
    def test(self, tx: Tx, hook_id: str) -> HookDocument:
        """Send a signed document that says nothing there; `last` tells within seconds whether it arrived."""
        return _hook(service.try_hook(tx, read_id(service.HOOK_PREFIX, hook_id)))

    @delete(
        "/{hook_id:str}",
        opt={"permission": Permission.HOOKS_WRITE, "step_up": True},
        sync_to_thread=True,
        summary="Take a webhook away",
    )
    def remove(self, tx: Tx, hook_id: str) -> None:
        """Let nothing go there any more."""
        service.remove_hook(tx, read_id(service.HOOK_PREFIX, hook_id))


def _hook(found: types.Hook) -> HookDocument:
    host = urlsplit(found.url).hostname or ""
    return HookDocument(
        id=show_id(service.HOOK_PREFIX, found.id), name=found.name, host=host, created_at=found.created_at,
        last=found.last,
    )  # fmt: skip


def _unread(tx: Tx) -> Unread:
    found = service.count_unread(tx)
    by_severity: dict[str, Any] = {str(severity): count for severity, count in found.items()}
    return Unread(total=sum(found.values()), **by_severity)


ROUTES: list[Any] = [NotificationController, HookController]

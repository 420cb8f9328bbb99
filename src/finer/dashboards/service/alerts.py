"""Alerts on metrics: looked at every minute as their owner, who is told when one fires and when that is over."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import structlog

from finer.dashboards.errors import AlertNotFound, CannotBeUsed, ChangedMeanwhile
from finer.dashboards.rules.telling import Told, line_of, message_of, payload_of, reason_of
from finer.dashboards.rules.watching import NAMES, Numbers, steadied, strayed, unknown, uses_band
from finer.dashboards.store.alerts import AlertStore
from finer.dashboards.types import ALERT_PREFIX, SILENCE_PREFIX, AlertState, Happening, MetricAlert, Silence
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import reach_of
from finer.identity.service.standing import acting_as
from finer.identity.types.access import Permission
from finer.kit.actors import Actor
from finer.kit.errors import FinerError
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.operations.service import metrics
from finer.operations.service.rollups import behind_since
from finer.quality.service.usual import seasonal_band
from finer.workspace.service import alerting
from finer.workspace.types import Watch, WatchState

_OWNED_MAX = 100
_SILENCES_MAX = 50
_SHOWN_MAX = 200
_SILENCE_MAX = timedelta(days=90)
_KEPT = timedelta(days=90)
_BEHIND = timedelta(minutes=1)
_BEHIND_TOLD = timedelta(minutes=15)
_LINK = "/metric-alerts"
_SHUT_OUT = "Its owner does not have alerts on metrics any more."
_ENDED = "It was changed, paused or deleted, so what was told of it stands no longer."
_STRAYED = "For minutes nobody looked, or a clock jumped. It is judged again at the next look."
_BROKEN = "Something went wrong inside Finer; the log of the jobs process says what. It is tried again."

_log = structlog.get_logger(__name__)


def list_alerts(tx: Tx) -> list[AlertState]:
    """The caller's alerts on metrics, by name."""
    return AlertStore(tx).find(owner=_person(tx))


def get_alert(tx: Tx, identifier: uuid.UUID) -> AlertState:
    """One alert of the caller. Raises AlertNotFound."""
    found = AlertStore(tx).find(owner=_person(tx), identifier=identifier)
    if not found:
        raise AlertNotFound(f"You have no alert {show_id(ALERT_PREFIX, identifier)} on a metric.")
    return found[0]


def create_alert(tx: Tx, alert: MetricAlert) -> AlertState:
    """Look out for something of a metric. Raises CannotBeUsed, UnknownMetric, PermissionMissing, HookNotFound."""
    _check(tx, alert)
    store, owner = AlertStore(tx), _person(tx)
    store.one_at_once(owner)
    if len(store.find(owner=owner)) >= _OWNED_MAX:
        raise CannotBeUsed(f"You have {_OWNED_MAX} alerts on metrics already. Delete one first.")
    identifier = new_id()
    store.add(identifier, alert, owner)
    _audit(tx, identifier, alert)
    return get_alert(tx, identifier)


def change_alert(tx: Tx, identifier: uuid.UUID, version: int, alert: MetricAlert, web_url: str) -> AlertState:
    """Look out for something else; it begins anew unless only its name or the way of telling changed.

    Raises AlertNotFound, ChangedMeanwhile, and what `create_alert` raises.
    """
    before = get_alert(tx, identifier)
    # One whose webhook was taken away can be paused all the same.
    _check(tx, alert, kept_hook=before.alert.hook_id)
    same = before.alert.active and alert.active and _looked_for(before.alert) == _looked_for(alert)
    if not AlertStore(tx).change(identifier, version, alert, before.watch if same else Watch(), anew=not same):
        raise ChangedMeanwhile("It was changed since you opened it. Load it again first.")
    if not same:
        _withdraw(tx, before, web_url)
    _audit(tx, identifier, alert)
    return get_alert(tx, identifier)


def delete_alert(tx: Tx, identifier: uuid.UUID, web_url: str) -> None:
    """Look no more, and forget what was seen. Raises AlertNotFound."""
    before = get_alert(tx, identifier)
    AlertStore(tx).remove(identifier)
    _withdraw(tx, before, web_url)
    record_audit(tx, "dashboards:unalert", show_id(ALERT_PREFIX, identifier))


def history(tx: Tx, identifier: uuid.UUID) -> list[Happening]:
    """What became of an alert, the latest first, at most 200. Raises AlertNotFound."""
    return AlertStore(tx).history(get_alert(tx, identifier).id, _SHOWN_MAX)


def list_silences(tx: Tx) -> list[Silence]:
    """When nobody is told of the caller's alerts."""
    return AlertStore(tx).silences(_person(tx))


def silence(tx: Tx, silence: Silence) -> list[Silence]:
    """Tell nobody until then, of one alert, of a group, or of all. Raises AlertNotFound, CannotBeUsed."""
    store, owner = AlertStore(tx), _person(tx)
    if silence.alert_id is not None:
        get_alert(tx, silence.alert_id)
    if not tx.now() < silence.until <= tx.now() + _SILENCE_MAX:
        raise CannotBeUsed("A silence ends in the future, within 90 days.")
    store.one_at_once(owner)
    if len(store.silences(owner)) >= _SILENCES_MAX:
        raise CannotBeUsed(f"You have {_SILENCES_MAX} silences already. End one first.")
    store.silence(owner, silence)
    about = {"until": silence.until.isoformat(), "group": silence.group}
    if silence.alert_id is not None:
        about["alert"] = show_id(ALERT_PREFIX, silence.alert_id)
    record_audit(tx, "dashboards:silence", show_id(SILENCE_PREFIX, silence.id), about)
    return store.silences(owner)


def end_silence(tx: Tx, identifier: uuid.UUID) -> list[Silence]:
    """Tell again. Raises AlertNotFound."""
    if not AlertStore(tx).end_silence(_person(tx), identifier):
        raise AlertNotFound(f"You have no silence {show_id(SILENCE_PREFIX, identifier)}.")
    record_audit(tx, "dashboards:unsilence", show_id(SILENCE_PREFIX, identifier))
    return list_silences(tx)


def is_silent(found: AlertState, silences: Sequence[Silence]) -> bool:
    """Whether one of its owner's silences is about an alert."""
    return any(
        one.alert_id == found.id or (one.alert_id is None and one.group in ("", found.alert.group)) for one in silences
    )


def due(tx: Tx, web_url: str) -> list[Actor]:
    """As whom alerts are looked at: their owners, with the rights of today. For the job.

    Alerts of those who are gone, or may not have them any more, are put to rest.
    """
    found: dict[uuid.UUID, list[AlertState]] = defaultdict(list)
    for one in AlertStore(tx).find(active=True):
        found[one.owner_id].append(one)
    people = []
    for owner, theirs in found.items():
        who = acting_as(tx, owner, Permission.DASHBOARDS_WRITE)
        if who is not None:
            people.append(who)
            continue
        for one in theirs:
            AlertStore(tx).pause(one.id, _SHUT_OUT)
            _withdraw(tx, one, web_url)
    return people


def look_at_own(tx: Tx, web_url: str) -> tuple[int, int]:
    """Look at all alerts of the caller, and tell what is to be told; how many, and of how many. For the job.

    Nobody changes them meanwhile. One that cannot be looked at stays as it was, and leaves the others as they are.
    """
    store, owner = AlertStore(tx), _person(tx)
    found, silences, late = store.find(owner=owner, active=True, hold=True), store.silences(owner), behind_since(tx)
    told = [said for one in found if (said := _look(tx, one, is_silent(one, silences), late)) is not None]
    if told:
        _tell(tx, told, web_url)
    return len(found), len(told)


def measure(tx: Tx, alert: MetricAlert) -> Numbers:
    """The numbers that the alert's conditions are about. Raises UnknownMetric, PermissionMissing."""
    watched = alert.watched
    metric = metrics.get_metric(watched.metric)
    reach_of(tx.actor, metric.needs)
    region, channel = watched.region or None, watched.channel or None
    found = metrics.read_metric(metrics.ground_of(tx, watched.span, region, channel), watched.metric)

    def major(minor: int) -> float:
        return float(Decimal(minor).scaleb(-found.exponent))

    if not uses_band(alert):
        value = None if found.total is None else major(found.total)
        return Numbers(value=value, change=found.change, currency=found.currency)
    hours = [(when, major(minor)) for when, minor in metrics.read_hours(tx, watched.metric, region, channel)]
    if not hours:
        return Numbers(value=None, change=found.change, currency=found.currency)
    at, latest = hours[-1]
    low, high = seasonal_band(hours, at, alert.sensitivity) or (None, None)
    return Numbers(value=latest, change=found.change, low=low, high=high, currency=found.currency)


def forget_old(tx: Tx) -> int:
    """Delete what happened 90 days ago or earlier, and silences that are long over."""
    return AlertStore(tx).forget(tx.now() - _KEPT)


def _look(tx: Tx, found: AlertState, quiet: bool, late: datetime | None) -> Told | None:
    """Note how one alert stands, and say what is to be told of it, if anything is."""
    store, now = AlertStore(tx), tx.now()
    before = steadied(found.watch, found.looked_at, now)
    if strayed(found.looked_at, now) and not found.problem:
        # Sums of a wrong hour fire and settle what they should not; a clock that is right is right a minute later, too.
        store.note(found.id, before, found.value, _STRAYED)
        _happened(tx, found, WatchState.ERROR, None, _STRAYED, told=False)
        return None
    if late is not None and now - late > _BEHIND:
        text = f"The sums do not hold records that came at {late:%H:%M} UTC. It is judged when they have caught up."
        _held_up(tx, found, text, say=now - late > _BEHIND_TOLD and not quiet)
        return None
    try:
        with tx.connection.begin_nested():
            numbers = measure(tx, found.alert)
            held = _holds(found.alert, numbers, firing=before.state is WatchState.FIRING)
    except FinerError as error:
        _held_up(tx, found, error.detail[:500], say=not quiet)
        return None
    except Exception:  # noqa: BLE001 - whatever is wrong with one alert, the others are looked at
        _log.exception("an alert on a metric could not be looked at", alert=show_id(ALERT_PREFIX, found.id))
        _held_up(tx, found, _BROKEN, say=not quiet)
        return None
    return _judge(tx, found, before, numbers, held=held, quiet=quiet)


def _judge(tx: Tx, found: AlertState, before: Watch, numbers: Numbers, *, held: bool, quiet: bool) -> Told | None:
    alert, now = found.alert, tx.now()
    reason = reason_of(alert, metrics.get_metric(alert.watched.metric).title, numbers)
    after, told, over = alerting.follow(
        before, held=held, reason=reason, now=now, pending_minutes=alert.pending_minutes,
        cooldown_minutes=alert.cooldown_minutes,
    )  # fmt: skip
    if quiet and (told or over):
        # What people were told stands until the silence ends; what is new then is told then.
        after, told, over = msgspec.structs.replace(after, told_at=before.told_at), False, False
    AlertStore(tx).note(found.id, after, numbers.value)
    if found.problem:
        notifications.settle(tx, _problem_key(found))
    if after.state is not found.watch.state or told or over or found.problem:
        _happened(tx, found, after.state, numbers.value, reason, told=told or over)
    if not (told or over):
        return None
    shown = show_id(ALERT_PREFIX, found.id)
    return Told(id=shown, alert=found, reason=reason, over=over, at=now, value=numbers.value)


def _holds(alert: MetricAlert, numbers: Numbers, *, firing: bool) -> bool:
    held = alerting.holds(alert.condition, numbers.named())
    if held or not firing:
        return held
    if alert.settles:
        # Once it fires it goes on until it has clearly settled: a value that hovers at its line says so once.
        return not alerting.holds(alert.settles, numbers.named())
    # What is not known settles nothing.
    return unknown(alert.condition, numbers)


def _held_up(tx: Tx, found: AlertState, problem: str, *, say: bool) -> None:
    """Note why an alert could not be looked at: it stays as it was, and its owner is told once."""
    AlertStore(tx).hold_up(found.id, problem)
    say = say and not notifications.is_open(tx, _problem_key(found))
    if say:
        notifications.notify(
            tx,
            NewNotification(
                kind="metric_alert", severity=Severity.WARNING, title=f"{found.alert.name} cannot be looked at",
                text=problem, link=_LINK, user=found.owner_id, key=_problem_key(found),
            ),
        )  # fmt: skip
    if say or not found.problem:
        _happened(tx, found, WatchState.ERROR, None, problem, told=say)


def _happened(tx: Tx, found: AlertState, state: WatchState, value: float | None, reason: str, *, told: bool) -> None:
    what = Happening(at=tx.now(), state=state, value=value, reason=reason, told=told)
    AlertStore(tx).happened(found.id, what)


def _tell(tx: Tx, told: Sequence[Told], web_url: str) -> None:
    """Tell the owner what was seen at one look: one message for what belongs to one group and goes one way.

    In the bell a group is one line, which stays open until all of it is over.
    """
    together: dict[tuple[str, bool, uuid.UUID | None], list[Told]] = defaultdict(list)
    for one in told:
        alert = one.alert.alert
        together[(alert.group or str(one.alert.id), alert.mail, alert.hook_id)].append(one)
    for (_, mail, hook), some in together.items():
        if mail:
            notifications.send_mail(tx, some[0].alert.owner_id, message_of(some, _link(web_url)))
        if hook is not None:
            notifications.send_hook(tx, hook, payload_of(some, _link(web_url)))
    for key in sorted({_key(one.alert) for one in told}):
        _ring(tx, key, told[0].alert.owner_id)


def _ring(tx: Tx, key: str, owner: uuid.UUID) -> None:
    firing = _firing(tx, key, owner)
    if not firing:
        notifications.settle(tx, key)
        return
    severity, title, text = line_of(firing)
    notifications.notify(
        tx,
        NewNotification(
            kind="metric_alert", severity=severity, title=title, text=text, link=_LINK, user=owner, key=key
        ),
    )


def _withdraw(tx: Tx, before: AlertState, web_url: str) -> None:
    """Take back what is told of an alert that is not looked at any more, or for something else."""
    key = _key(before)
    if not _firing(tx, key, before.owner_id):
        notifications.settle(tx, key)
    notifications.settle(tx, _problem_key(before))
    if before.watch.told_at is not None and before.alert.hook_id is not None:
        said = Told(id=show_id(ALERT_PREFIX, before.id), alert=before, reason=_ENDED, over=True, at=tx.now())
        notifications.send_hook(tx, before.alert.hook_id, payload_of([said], _link(web_url)))


def _firing(tx: Tx, key: str, owner: uuid.UUID) -> list[AlertState]:
    """The alerts of one line in the bell that fire, and were told to."""
    return [
        one for one in AlertStore(tx).find(owner=owner, active=True)
        if _key(one) == key and one.watch.state is WatchState.FIRING and one.watch.told_at is not None
    ]  # fmt: skip


def _key(found: AlertState) -> str:
    """What its line in the bell is known by: that of its group, or its own."""
    group = found.alert.group
    return f"metric-alert:{found.owner_id}:{group}" if group else f"metric-alert:{found.id}"


def _problem_key(found: AlertState) -> str:
    return f"metric-alert-problem:{found.id}"


def _link(web_url: str) -> str:
    return f"{web_url}{_LINK}"


def _looked_for(alert: MetricAlert) -> tuple[object, ...]:
    return alert.watched, alert.condition, alert.settles, alert.sensitivity, alert.group


def _check(tx: Tx, alert: MetricAlert, kept_hook: uuid.UUID | None = None) -> None:
    if not alert.name:
        raise CannotBeUsed("Give the alert a name.")
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    reach_of(tx.actor, metrics.get_metric(alert.watched.metric).needs)
    for condition in filter(None, (alert.condition, alert.settles)):
        alerting.check_condition(condition, NAMES)
    if alert.hook_id is not None and alert.hook_id != kept_hook:
        notifications.get_hook(tx, alert.hook_id)


def _audit(tx: Tx, identifier: uuid.UUID, alert: MetricAlert) -> None:
    about = {"metric": alert.watched.metric, "mail": alert.mail, "active": alert.active}
    if alert.hook_id is not None:
        about["hook"] = show_id(notifications.HOOK_PREFIX, alert.hook_id)
    record_audit(tx, "dashboards:alert", show_id(ALERT_PREFIX, identifier), about)


def _person(tx: Tx) -> uuid.UUID:
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    return uuid.UUID(tx.actor.id)

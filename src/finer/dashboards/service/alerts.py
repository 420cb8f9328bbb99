"""Alerts on metrics: looked at every minute as their owner, who is told when one fires and when that is over."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from finer.dashboards.errors import AlertNotFound, CannotBeUsed, ChangedMeanwhile
from finer.dashboards.rules.telling import BAND, NAMES, Told, message_of, payload_of, reason_of, uses_band
from finer.dashboards.store.alerts import AlertStore
from finer.dashboards.types import AlertState, Happening, MetricAlert, Silence
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
from finer.quality.service.usual import seasonal_band
from finer.workspace.service import alerting
from finer.workspace.types import Watch, WatchState

PREFIX = "mal"
SILENCE = "sil"
_OWNED_MAX = 100
_SILENCES_MAX = 50
_SHOWN_MAX = 200
_SILENCE_MAX = timedelta(days=90)
_KEPT = timedelta(days=90)
_LINK = "/metric-alerts"
_SHUT_OUT = "Its owner does not have alerts on metrics any more."


def list_alerts(tx: Tx) -> list[AlertState]:
    """The caller's alerts on metrics, by name."""
    return AlertStore(tx).find(owner=_person(tx))


def get_alert(tx: Tx, identifier: uuid.UUID) -> AlertState:
    """One alert of the caller. Raises AlertNotFound."""
    found = AlertStore(tx).find(owner=_person(tx), identifier=identifier)
    if not found:
        raise AlertNotFound(f"You have no alert {show_id(PREFIX, identifier)} on a metric.")
    return found[0]


def create_alert(tx: Tx, alert: MetricAlert) -> AlertState:
    """Look out for something of a metric. Raises CannotBeUsed, UnknownMetric, PermissionMissing, HookNotFound."""
    _check(tx, alert)
    store, owner = AlertStore(tx), _person(tx)
    if len(store.find(owner=owner)) >= _OWNED_MAX:
        raise CannotBeUsed(f"You have {_OWNED_MAX} alerts on metrics already. Delete one first.")
    identifier = new_id()
    store.add(identifier, alert, owner)
    _audit(tx, identifier, alert)
    return get_alert(tx, identifier)


def change_alert(tx: Tx, identifier: uuid.UUID, version: int, alert: MetricAlert) -> AlertState:
    """Look out for something else; it begins anew unless only the way of telling changed.

    Raises AlertNotFound, ChangedMeanwhile, and what `create_alert` raises.
    """
    before = get_alert(tx, identifier)
    _check(tx, alert)
    same = (before.alert.watched, before.alert.condition, before.alert.settles, before.alert.sensitivity) == (
        alert.watched, alert.condition, alert.settles, alert.sensitivity,
    ) and alert.active  # fmt: skip
    if not AlertStore(tx).change(identifier, version, alert, before.watch if same else Watch()):
        raise ChangedMeanwhile("It was changed since you opened it. Load it again first.")
    if not same:
        notifications.settle(tx, key_of(before))
    _audit(tx, identifier, alert)
    return get_alert(tx, identifier)


def delete_alert(tx: Tx, identifier: uuid.UUID) -> None:
    """Look no more, and forget what was seen. Raises AlertNotFound."""
    before = get_alert(tx, identifier)
    AlertStore(tx).remove(identifier)
    notifications.settle(tx, key_of(before))
    record_audit(tx, "dashboards:unalert", show_id(PREFIX, identifier))


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
    if len(store.silences(owner)) >= _SILENCES_MAX:
        raise CannotBeUsed(f"You have {_SILENCES_MAX} silences already. End one first.")
    store.silence(owner, silence)
    about = {"until": silence.until.isoformat(), "group": silence.group}
    if silence.alert_id is not None:
        about["alert"] = show_id(PREFIX, silence.alert_id)
    record_audit(tx, "dashboards:silence", show_id(SILENCE, silence.id), about)
    return store.silences(owner)


def end_silence(tx: Tx, identifier: uuid.UUID) -> list[Silence]:
    """Tell again. Raises AlertNotFound."""
    if not AlertStore(tx).end_silence(_person(tx), identifier):
        raise AlertNotFound(f"You have no silence {show_id(SILENCE, identifier)}.")
    record_audit(tx, "dashboards:unsilence", show_id(SILENCE, identifier))
    return list_silences(tx)


def look(tx: Tx, found: AlertState) -> Told | None:
    """Look at one alert, as its owner: note how it stands, and what is to be told of it, if anything is."""
    store, alert, before = AlertStore(tx), found.alert, found.watch
    try:
        numbers = measure(tx, alert)
        firing = before.state is WatchState.FIRING
        held = alerting.holds(alert.condition, numbers)
        if firing and alert.settles and not held:
            # Once it fires it goes on until it has clearly settled: a value that hovers at its line says so once.
            held = not alerting.holds(alert.settles, numbers)
        reason, value = reason_of(alert, metrics.get_metric(alert.watched.metric).title, numbers), numbers["value"]
    except FinerError as error:
        after = Watch(state=WatchState.ERROR, since=before.since, told_at=before.told_at, reason=error.detail[:500])
        _note(tx, store, found, after, None, told=False)
        return None
    after, told, over = alerting.follow(
        before, held=held, reason=reason, now=tx.now(), pending_minutes=alert.pending_minutes,
        cooldown_minutes=alert.cooldown_minutes,
    )  # fmt: skip
    quiet = is_silent(tx, found)
    if quiet and told:
        # It was not told, so it is told when the silence ends and it still holds.
        after = Watch(state=after.state, since=after.since, told_at=before.told_at, reason=after.reason)
    _note(tx, store, found, after, value, told=told and not quiet)
    if quiet or not (told or over):
        return None
    return Told(alert=found, reason=reason, over=over, at=tx.now())


def measure(tx: Tx, alert: MetricAlert) -> dict[str, float | None]:
    """The numbers that the alert's condition is about; None where nothing is known. Raises UnknownMetric."""
    watched = alert.watched
    metric = metrics.get_metric(watched.metric)
    reach_of(tx.actor, metric.needs)
    region, channel = watched.region or None, watched.channel or None
    at = metrics.ground_of(tx, watched.span, region, channel)
    found = metrics.read_metric(at, watched.metric)
    scale = 10**found.exponent
    numbers: dict[str, float | None] = {"value": found.total / scale, "change": found.change, "low": None, "high": None}
    if uses_band(alert):
        hours = [(when, value / scale) for when, value in metrics.read_hours(tx, watched.metric, region, channel)]
        numbers["value"] = hours[-1][1] if hours else None
        band = seasonal_band(hours, hours[-1][0], alert.sensitivity) if hours else None
        numbers |= dict(zip(BAND, band or (None, None), strict=True))
    return numbers


def tell(tx: Tx, told: Sequence[Told], web_url: str) -> None:
    """Tell the owner what was seen at one look: one message for what belongs to one group and goes one way.

    In the bell a group is one line, which stays open until all of it is over.
    """
    link = f"{web_url}{_LINK}"
    together: dict[tuple[str, bool, uuid.UUID | None], list[Told]] = defaultdict(list)
    for one in told:
        alert = one.alert.alert
        _bell(tx, one)
        together[(alert.group or str(one.alert.id), alert.mail, alert.hook_id)].append(one)
    for (_, mail, hook), some in together.items():
        if mail:
            notifications.send_mail(tx, uuid.UUID(tx.actor.id), message_of(some, link))
        if hook is not None:
            notifications.send_hook(tx, hook, payload_of(some, link))


def _bell(tx: Tx, one: Told) -> None:
    alert, key = one.alert.alert, key_of(one.alert)
    if one.over:
        if not _group_fires(tx, one.alert):
            notifications.settle(tx, key)
        return
    notifications.notify(
        tx,
        NewNotification(
            kind="metric_alert", severity=Severity(alert.severity), title=f"{alert.name} fires", text=one.reason,
            link=_LINK, user=uuid.UUID(tx.actor.id), key=key,
        ),
    )  # fmt: skip


def _group_fires(tx: Tx, found: AlertState) -> bool:
    """Whether another alert of its group fires still."""
    return bool(found.alert.group) and any(
        other.id != found.id and other.alert.group == found.alert.group and other.watch.told_at is not None
        for other in list_alerts(tx)
    )


def key_of(found: AlertState) -> str:
    """What its line in the bell is known by: that of its group, or its own."""
    group = found.alert.group
    return f"metric-alert:{found.owner_id}:{group}" if group else f"metric-alert:{found.id}"


def due(tx: Tx) -> dict[uuid.UUID, list[AlertState]]:
    """The alerts that are looked at, by owner. For the job."""
    found: dict[uuid.UUID, list[AlertState]] = defaultdict(list)
    for one in AlertStore(tx).find(active=True):
        found[one.owner_id].append(one)
    return found


def owner_now(tx: Tx, owner: uuid.UUID) -> Actor | None:
    """As whom somebody's alerts are looked at: with the rights of today. None when they may have none. For the job."""
    return acting_as(tx, owner, Permission.DASHBOARDS_WRITE)


def put_to_rest(tx: Tx, found: Sequence[AlertState]) -> None:
    """Look no more at alerts whose owner is gone or may not have them any more. For the job."""
    for one in found:
        AlertStore(tx).pause(one.id, _SHUT_OUT)
        notifications.settle(tx, key_of(one))


def forget_old(tx: Tx) -> int:
    """Delete what happened 90 days ago or earlier, and silences that are long over."""
    return AlertStore(tx).forget(tx.now() - _KEPT)


def is_silent(tx: Tx, found: AlertState) -> bool:
    """Whether nobody is told of an alert now."""
    return any(
        one.alert_id == found.id or (one.alert_id is None and one.group in ("", found.alert.group))
        for one in AlertStore(tx).silences(found.owner_id)
    )


def _note(tx: Tx, store: AlertStore, found: AlertState, after: Watch, value: float | None, *, told: bool) -> None:
    store.note(found.id, after, value)
    if after.state is not found.watch.state or told:
        what = Happening(at=tx.now(), state=after.state, value=value, reason=after.reason, told=told)
        store.happened(found.id, what)


def _check(tx: Tx, alert: MetricAlert) -> None:
    if not alert.name:
        raise CannotBeUsed("Give the alert a name.")
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    reach_of(tx.actor, metrics.get_metric(alert.watched.metric).needs)
    for condition in filter(None, (alert.condition, alert.settles)):
        alerting.check_condition(condition, NAMES)
    if alert.hook_id is not None:
        notifications.get_hook(tx, alert.hook_id)


def _audit(tx: Tx, identifier: uuid.UUID, alert: MetricAlert) -> None:
    about = {"metric": alert.watched.metric, "mail": alert.mail, "active": alert.active}
    if alert.hook_id is not None:
        about["hook"] = show_id(notifications.HOOK_PREFIX, alert.hook_id)
    record_audit(tx, "dashboards:alert", show_id(PREFIX, identifier), about)


def _person(tx: Tx) -> uuid.UUID:
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    return uuid.UUID(tx.actor.id)

"""Retention: what is past its time, counted or let go of. A legal hold wins over every term."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from finer.decisions.service import alerts as decisions
from finer.identity.service import forgetting
from finer.identity.service.audit import record_audit
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.privacy.errors import CannotBeUsed
from finer.privacy.service.holds import held_customers
from finer.privacy.store.registers import RegisterStore
from finer.privacy.store.subjects import SubjectStore
from finer.privacy.types import RetentionReport, RetentionRule

_DAYS_MIN, _DAYS_MAX = 1, 36_500


def _sessions(tx: Tx, before: datetime, forget: bool) -> int:
    return forgetting.old_sessions(tx, before, forget=forget)


def _links(tx: Tx, before: datetime, forget: bool) -> int:
    return forgetting.old_links(tx, before, forget=forget)


def _alerts(tx: Tx, before: datetime, forget: bool) -> int:
    return decisions.part_old_alerts(tx, before, held_customers(tx), secrets.token_hex(32) if forget else None)


def _requests(tx: Tx, before: datetime, forget: bool) -> int:
    store = SubjectStore(tx)
    return store.forget_closed(before) if forget else store.closed_before(before)


_RULES: dict[str, tuple[str, int, Callable[[Tx, datetime, bool], int]]] = {
    "sessions": ("Sessions are deleted this long after they were last used.", 90, _sessions),
    "sign_in_links": ("Sign-in links are deleted this long after they ended.", 30, _links),
    "alerts": ("Closed alerts are parted from the customer this long after they were closed.", 5 * 365, _alerts),
    "requests": ("Closed subject requests are deleted after this long.", 3 * 365, _requests),
}
WHAT = tuple(_RULES)


def report(tx: Tx) -> RetentionReport:
    """What a run would do now: nothing is changed."""
    return _run(tx, forget=False)


def run(tx: Tx) -> RetentionReport:
    """Let go of everything that is past its time and under no hold."""
    done = _run(tx, forget=True)
    if any(rule.due for rule in done.rules):
        record_audit(tx, "privacy:retain", show_id("ten", tx.tenant), {rule.what: rule.due for rule in done.rules})
    return done


def set_term(tx: Tx, what: str, days: int) -> RetentionReport:
    """Choose how long something is kept. Raises CannotBeUsed."""
    if what not in _RULES or not _DAYS_MIN <= days <= _DAYS_MAX:
        raise CannotBeUsed(f"Choose 1 to {_DAYS_MAX} days for one of: {', '.join(_RULES)}.")
    RegisterStore(tx).set_retention(what, days)
    record_audit(tx, "privacy:retention", what, {"days": days})
    return report(tx)


def _run(tx: Tx, *, forget: bool) -> RetentionReport:
    chosen = RegisterStore(tx).retention_days()
    rules = []
    for what, (describes, default, act) in _RULES.items():
        days = chosen.get(what, default)
        due = act(tx, tx.now() - timedelta(days=days), forget)
        rules.append(RetentionRule(what=what, describes=describes, days=days, default_days=default, due=due))
    return RetentionReport(dry_run=not forget, rules=rules)

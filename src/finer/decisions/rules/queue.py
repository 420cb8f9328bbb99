"""How cases are ranked: what is expected to be lost, until when somebody has to look, and the order of the queue.

From which loss a case is urgent, and until when it is due, says the policy of its firm (`decisions.rules.policy`).
The expected loss of an alert is its amount times the probability that it is fraud: the score of the model where one
decided, else how often alerts of its rules were confirmed before. The queue is in the order of the due times, each
brought forward by half an hour for every doubling of the expected loss above 100 US dollars: of two cases that are due
at the same time the costlier comes first, and a small one that is long overdue is not passed over for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import GroupedAlert, Outcome, Subject, Typology

WINDOW = timedelta(days=7)
"""An alert joins the open case of its subject when its payment came no later than this after the case's last one."""
_DOUBLING, _FREE_USD_MINOR = timedelta(minutes=30), 10_000
_PRIOR_CONFIRMED, _PRIOR_ALERTS = 1.0, 2.0
"""Before anything was judged, an alert of a rule is as likely fraud as not."""
_TYPOLOGIES = {
    "new_device_high_amount": Typology.ACCOUNT_TAKEOVER,
    "country_change_too_fast": Typology.ACCOUNT_TAKEOVER,
    "many_cards_one_merchant": Typology.CARD,
    "velocity_10s": Typology.CARD,
    "night_burst": Typology.CARD,
    "structuring": Typology.LAUNDERING,
    "first_payee_high_amount": Typology.SCAM,
}
_ORDER = (Typology.ACCOUNT_TAKEOVER, Typology.LAUNDERING, Typology.SCAM, Typology.CARD)


def subject_of(alert: GroupedAlert) -> tuple[Subject, str]:
    """What an alert is grouped by: its customer, else its account, else itself."""
    if alert.customer_id:
        return Subject.CUSTOMER, alert.customer_id
    if alert.account_id:
        return Subject.ACCOUNT, alert.account_id
    return Subject.EVENT, alert.event_id


def typology_of(rules: Iterable[str]) -> Typology:
    """What kind of fraud the rules of a case point to; the kind that costs a customer most wins."""
    found = {_TYPOLOGIES[rule] for rule in rules if rule in _TYPOLOGIES}
    return next((one for one in _ORDER if one in found), Typology.GENERAL)


def probability(alert: GroupedAlert, judged: Mapping[str, tuple[int, int]]) -> float:
    """How likely an alert is fraud, 0 to 1; `judged` are confirmed and all judged alerts by rule."""
    if alert.score is not None:
        return min(1.0, max(0.0, alert.score))
    shares = [
        (confirmed + _PRIOR_CONFIRMED) / (total + _PRIOR_ALERTS)
        for confirmed, total in (judged.get(rule, (0, 0)) for rule in alert.rules)
    ]
    return max(shares, default=_PRIOR_CONFIRMED / _PRIOR_ALERTS)


def expected_loss(alerts: Iterable[GroupedAlert], judged: Mapping[str, tuple[int, int]]) -> int:
    """What is expected to be lost in the open alerts of a case, in USD cents."""
    return sum(
        round(max(0, one.amount_usd_minor) * probability(one, judged))
        for one in alerts
        if one.state == AlertState.OPEN.value
    )


def rank(due_at: datetime, expected_loss_usd_minor: int) -> datetime:
    """The moment that the queue is ordered by, the earliest first."""
    doublings = math.log2(max(1.0, expected_loss_usd_minor / _FREE_USD_MINOR))
    return due_at - _DOUBLING * doublings


def outcome_of(verdicts: Sequence[str]) -> Outcome:
    """What a case turned out to be, from the states of its alerts, none of which is open."""
    words = {
        AlertState.CONFIRMED.value: Outcome.CONFIRMED_FRAUD,
        AlertState.DISMISSED.value: Outcome.GENUINE,
        AlertState.UNDETERMINED.value: Outcome.UNDETERMINED,
    }
    found = {words[one] for one in verdicts}
    if not found:
        return Outcome.UNDETERMINED
    return found.pop() if len(found) == 1 else Outcome.MIXED

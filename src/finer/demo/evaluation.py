"""How well alerts find the injected fraud: the arithmetic of row F3 of the numbers to reach."""

from __future__ import annotations

import msgspec
import numpy as np

from finer.demo.chance import Array
from finer.demo.fraud import SCENARIOS
from finer.demo.people import ACCOUNTS_MAX
from finer.demo.places import in_usd
from finer.demo.tables import Table

VELOCITY_PAYMENTS, VELOCITY_US = 3, 10_000_000
HIGH_AMOUNT_USD = 800.0


class Evaluation(msgspec.Struct, frozen=True):
    """Counts, and shares from 0 to 1 (1 where there is nothing to find).

    `recall` counts payments, `episode_recall` crimes of which at least one payment was found; `fpr` is the share of
    honest payments with an alert. `rule_cases` are payments that the two rules of the brief define: the fourth and
    later within 10 seconds of an account, and those above 800 US dollars; `high_value` only the latter.
    """

    payments: int
    frauds: int
    alerts: int
    recall: float
    episode_recall: float
    fpr: float
    precision: float
    accuracy: float
    rule_cases: int
    rule_cases_flagged: float
    high_value: int
    high_value_covered: float
    by_scenario: dict[str, float]


def evaluate(payments: Table, country: Array, alerted: Array) -> Evaluation:
    """Compare alerts (bool, a row per payment) with the labels. `payments` are in time order."""
    scenario = payments["scenario"]
    fraud = scenario > 0
    episodes = payments["episode"]
    high = in_usd(payments["amount"], country) > HIGH_AMOUNT_USD
    cases = high | rapid(payments)
    return Evaluation(
        payments=len(payments),
        frauds=int(fraud.sum()),
        alerts=int(alerted.sum()),
        recall=_share(alerted, fraud),
        episode_recall=_ratio(len(np.unique(episodes[fraud & alerted])), len(np.unique(episodes[fraud]))),
        fpr=_ratio(int((alerted & ~fraud).sum()), int((~fraud).sum()), nothing=0.0),
        precision=_share(fraud, alerted),
        accuracy=_ratio(int((alerted == fraud).sum()), len(payments)),
        rule_cases=int(cases.sum()),
        rule_cases_flagged=_share(alerted, cases),
        high_value=int(high.sum()),
        high_value_covered=_share(alerted, high),
        by_scenario={
            SCENARIOS[number]: _share(alerted, scenario == number) for number in np.unique(scenario[fraud]).tolist()
        },
    )


def rapid(payments: Table) -> Array:
    """Which payments have at least three others of their account in the 10 seconds before, shape (n,), bool."""
    account = payments["customer"] * ACCOUNTS_MAX + payments["account"]
    order = np.lexsort((np.arange(len(account)), account))
    sorted_account, at = account[order], payments["occurred_us"][order]
    found = np.zeros(len(account), np.bool_)
    back = VELOCITY_PAYMENTS
    close = (sorted_account[back:] == sorted_account[:-back]) & (at[back:] - at[:-back] < VELOCITY_US)
    found[order[back:]] = close
    return found


def _share(of: Array, within: Array) -> float:
    return _ratio(int((of & within).sum()), int(within.sum()))


def _ratio(part: int, whole: int, nothing: float = 1.0) -> float:
    return part / whole if whole else nothing

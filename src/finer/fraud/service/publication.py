"""What putting a rule in force changes, in words for the one who approves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finer.fraud.errors import RuleNotAcceptable
from finer.fraud.service import rules, vocabulary
from finer.fraud.types import RuleText
from finer.identity.types.proposals import Change
from finer.kit.conditions.errors import ConditionError
from finer.kit.tx import Tx


def describe_publication(tx: Tx, payload: Mapping[str, Any]) -> list[Change]:
    """What a publication changes of the rule in force, and what the backtest found. Raises as `rules.proposed`."""
    version = rules.proposed(tx, payload)
    live = rules.live_version(tx, version.rule)
    found = [Change(f"Version of {version.rule}", "" if live is None else str(live.version), str(version.version))]
    found += _differences(tx, None if live is None else live.text, version.text)
    if version.price is not None:
        price = version.price
        found.append(
            Change(
                "Price",
                "",
                f"{price.hits:,} of {price.events:,} payments, {price.fraud:,} known frauds and {price.legitimate:,} "
                f"known good ones among them; {price.alerts_per_day:,.1f} more alerts a day",
            )
        )
    return found


def _differences(tx: Tx, old: RuleText | None, new: RuleText) -> list[Change]:
    before, after = ({} if text is None else _shown(text) for text in (old, new))
    changed = {name: (before.get(name, ""), value) for name, value in after.items() if before.get(name, "") != value}
    found = [Change(name, *values) for name, values in changed.items() if name != "Reason"]
    if not changed.keys() & {"Condition", "Reason"}:
        return found
    (read_before, said_before), (read, said) = (("", "") if text is None else _read(tx, text) for text in (old, new))
    if "Condition" in changed and read != read_before:
        found.append(Change("In words", read_before, read))
    if "Reason" in changed and said != said_before:
        found.append(Change("Reason, with example values", said_before, said))
    elif "Reason" in changed:  # it reads the same with these values, so only what is written tells the difference
        found.append(Change("Reason, as it is written", *changed["Reason"]))
    return found


def _read(tx: Tx, text: RuleText) -> tuple[str, str]:
    """The condition in plain language and the reason as a sentence; empty where a word of theirs is gone by now."""
    try:
        _, reading, _, example = vocabulary.assess(tx, text)
    except (ConditionError, RuleNotAcceptable):
        return "", ""
    return reading, example


def _shown(text: RuleText) -> dict[str, str]:
    brake = text.brake
    caps: list[str] = []
    if brake is not None:
        caps += [f"{brake.most:,} payments"] if brake.most is not None else []
        caps += [f"{brake.share:.1%} of payments"] if brake.share is not None else []
    return {
        "Title": text.title,
        "Condition": text.condition,
        "Action": "allow" if text.action.value == 0 else text.action.word,
        "Reason": text.reason,
        "Severity": text.severity,
        "Brake": "" if brake is None else f"{' or '.join(caps)} within {brake.minutes} minutes",
        "Owner": text.owner,
    }

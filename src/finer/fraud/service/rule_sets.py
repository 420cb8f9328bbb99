"""The rule set that decides for a firm: read and compiled, made anew after a change, pinned to offsets of the log."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache

import msgspec
import structlog

from finer.decisions.types.alerts import Action
from finer.features.types import FeatureSet
from finer.fraud.rules.lists import members
from finer.fraud.rules.pack import RULES
from finer.fraud.rules.rule_set import (
    CompiledRules,
    built_in,
    encoded,
    rule_set,
    version_of,
)
from finer.fraud.rules.windows import feature_set
from finer.fraud.store.lists import ListStore
from finer.fraud.store.rules import RuleStore
from finer.fraud.types import ListPin, Rule, RuleSet, RuleState, RuleText, RuleVersion
from finer.kit.conditions.tree import ColumnType
from finer.kit.hash_set import HashSet
from finer.kit.tx import Tx

_log = structlog.get_logger(__name__)
CHANNEL = "finer_rules"
"""Notified with the firm's id when another rule set is in force."""


_BUILT_IN = uuid.UUID("6e9d5f0e-6c0b-4f55-9c53-1d1f3f9f4a61")


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """From `from_offset` on, records of a position were decided with this rule set and model; a challenger tried."""

    from_offset: int
    rule_set: str
    model: str | None
    threshold: float | None
    challenger: str | None = None
    challenger_threshold: float | None = None


@cache
def windows() -> FeatureSet:
    """The windows that rules can read, validated once."""
    return feature_set()


@cache
def feature_types() -> dict[str, ColumnType]:
    """The windows as columns of the conditions language."""
    texts = windows().text_names
    return {name: ColumnType.TEXT if name in texts else ColumnType.NUMBER for name in windows().names}


@cache
def built_in_rules() -> CompiledRules:
    """The built-in rules, compiled once: what decides for a firm without rules and lists of its own."""
    return CompiledRules(built_in(), feature_types())


def load(tx: Tx, known: CompiledRules | None = None) -> CompiledRules:
    """The rules in force for the firm; `known` is given back when they still are. Compiled once for each set."""
    head = RuleStore(tx).head()
    if not head:
        return built_in_rules()
    if known is not None and known.version == head:
        return known
    found = read(tx, head, known)
    if found is None:
        _log.error("the rule set in force is not there; the built-in one decides", tenant=str(tx.tenant), rule_set=head)
        return built_in_rules()
    return found


def version_in_force(tx: Tx) -> str:
    """The name of the rule set in force for the firm; of the built-in one where it has written none."""
    return RuleStore(tx).head() or built_in_rules().version


def read(tx: Tx, version: str, known: CompiledRules | None = None) -> CompiledRules | None:
    """A rule set by its name, with its lists as they were then; None when there is none of that name."""
    text = RuleStore(tx).document(version)
    if text is None:
        return built_in_rules() if version == built_in_rules().version else None
    document = msgspec.json.decode(text, type=RuleSet)
    compiled = CompiledRules(document, feature_types(), _lists(tx, document, known), known=known)
    for rule, problem in compiled.broken.items():
        # It was checked before it was published, by another version of Finer. One rule must not stop the rest.
        _log.error("a rule cannot be used any more", tenant=str(tx.tenant), rule=rule, problem=problem)
    return compiled


def _lists(tx: Tx, document: RuleSet, known: CompiledRules | None) -> dict[str, HashSet]:
    store, before = ListStore(tx), {} if known is None else known.document.lists
    found = {}
    for name, pin in document.lists.items():
        if known is not None and before.get(name) == pin:
            found[name] = known.lists[name]
        else:
            found[name] = members(pin.kind, store.values(pin.id, pin.version))
    return found


def begin_change(tx: Tx) -> RuleStore:
    """Lock the firm's rules and lists; the built-in rules become the first versions of the firm's own."""
    store = RuleStore(tx)
    store.lock(tx.now())
    if not store.is_seeded():
        for position, rule in enumerate(RULES, 1):
            store.add(first_version(rule, tx.now()), position)
    return store


def first_version(rule: Rule, at: datetime) -> RuleVersion:
    """A built-in rule as the first version of a firm's; it has one id at every firm, also before it is stored."""
    return RuleVersion(
        id=uuid.uuid5(_BUILT_IN, rule.id), rule=rule.id, version=1, state=RuleState.LIVE, text=text_of(rule),
        revision=1, note="Comes with Finer.", author="", created_at=at, updated_at=at, live_at=at,
    )  # fmt: skip


def text_of(rule: Rule) -> RuleText:
    """What is written of a built-in rule."""
    return RuleText(
        title=rule.title, condition=rule.condition, action=rule.action, reason=rule.reason, severity=rule.severity,
        brake=rule.brake, owner="Finer",
    )  # fmt: skip


def as_rule(version: RuleVersion) -> Rule:
    """A version of a rule as it decides."""
    text = version.text
    brake = text.brake if text.action is Action.BLOCK else None
    return Rule(
        version.rule, text.title, text.condition, text.action, text.reason, text.severity, version.version, brake
    )


def list_pins(tx: Tx) -> dict[str, ListPin]:
    """The firm's lists as a rule set names them."""
    return {
        one.name: ListPin(id=one.id, kind=one.kind, effect=one.effect, version=one.version)
        for one in ListStore(tx).all()
    }


def renew(tx: Tx) -> str:
    """Put in force what the firm's rules and lists now are; the worker takes it up within a second."""
    store = RuleStore(tx)
    live, shadow = (
        tuple(as_rule(one) for one in store.versions(states=[state])) for state in (RuleState.LIVE, RuleState.SHADOW)
    )
    document = rule_set(live, shadow, list_pins(tx))
    version = version_of(document)
    store.add_set(version, encoded(document).decode(), tx.now())
    store.set_head(version)
    tx.notify(CHANNEL, [str(tx.tenant)])
    return version


def without(rules: CompiledRules, stopped: set[str]) -> CompiledRules:
    """The same rules with some of them in shadow."""
    document = rules.document
    waiting = {rule.id for rule in document.shadow}
    moved = tuple(rule for rule in document.rules if rule.id in stopped and rule.id not in waiting)
    changed = msgspec.structs.replace(
        document,
        rules=tuple(rule for rule in document.rules if rule.id not in stopped),
        shadow=(*document.shadow, *moved),
    )
    return CompiledRules(changed, feature_types(), rules.lists, known=rules)


def pin(tx: Tx, position: tuple[str, int], rules: CompiledRules, found: Pin) -> None:
    """Note by what the records of a position are decided from an offset on; `rules` are those that the pin names."""
    store, (stream, partition) = RuleStore(tx), position
    store.add_set(rules.version, encoded(rules.document).decode(), tx.now())
    store.add_pin({"stream": stream, "partition": partition, "at": tx.now()} | msgspec.structs.asdict(found))


def pins(tx: Tx, position: tuple[str, int]) -> list[Pin]:
    """What decided the records of a position, the lowest offset first."""
    return [Pin(**row._mapping) for row in RuleStore(tx).pins(*position)]

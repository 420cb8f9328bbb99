"""A rule set compiled: its name, the rules that its lists stand for, evaluation of batches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property

import msgspec
import numpy as np

from finer.decisions.types.alerts import Action
from finer.fraud.rules.evaluate import BASE_COLUMNS, Array
from finer.fraud.rules.lists import COLUMNS, columns_of
from finer.fraud.rules.pack import DERIVED, RULES
from finer.fraud.rules.reasons import columns_in
from finer.fraud.types import ListEffect, ListPin, Rule, RuleSet, Verdicts
from finer.kit.columns import Columns
from finer.kit.conditions.condition import Condition, parse_condition
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import Catalogue, ColumnType
from finer.kit.hash_set import EMPTY, HashSet

RULES_MAX = 64  # a verdict is one 64-bit word, a bit for each rule
OWN_RULES_MAX = 48
"""Live rules of a firm, and as many in shadow; the lists and the model need bits as well."""
LISTS_MAX = 15
SCORE_RULE = "model_score"
"""The rule that asks somebody to look at what the model finds."""
_SCORE = Rule(
    SCORE_RULE,
    "The model sees a likely fraud",
    "score >= score_threshold",
    Action.REVIEW,
    "The model gives this payment a probability of fraud of {score:percent}.",
    "high",
)
_EFFECTS = {
    ListEffect.ALLOW: (Action.APPROVE, False, "allowed"),
    ListEffect.BLOCK: (Action.BLOCK, False, "blocked"),
    ListEffect.FINAL_BLOCK: (Action.BLOCK, True, "blocked whatever allows it"),
}


def list_rule(name: str, pin: ListPin) -> Rule | None:
    """The rule that a list with an effect stands for."""
    if pin.effect is ListEffect.NONE:
        return None
    action, final, word = _EFFECTS[pin.effect]
    asked = " or ".join(f"in_list({column}, '{name}')" for column in COLUMNS[pin.kind])
    reason = f"The {pin.kind.value} is on the list {name}: what is on it is {word}."
    return Rule(f"list:{name}", f"On the list {name}", asked, action, reason, "high", pin.version, None, final)


def rule_set(
    rules: tuple[Rule, ...], shadow: tuple[Rule, ...] = (), lists: Mapping[str, ListPin] | None = None
) -> RuleSet:
    """The set that decides with these rules and lists; the model's own rule comes last."""
    pins = dict(sorted((lists or {}).items()))
    by_lists = [rule for name, pin in pins.items() if (rule := list_rule(name, pin)) is not None]
    return RuleSet(rules=(*rules, *by_lists, _SCORE), shadow=shadow, lists=pins, derived=dict(sorted(DERIVED.items())))


def built_in() -> RuleSet:
    """What a firm has until it writes a rule or a list of its own."""
    return rule_set(RULES)


def encoded(found: RuleSet) -> bytes:
    """A set as it is stored: the same set gives the same bytes."""
    return msgspec.json.encode(found, order="sorted")


def version_of(found: RuleSet) -> str:
    """The name of a set: two sets with one version decide alike."""
    return hashlib.sha256(encoded(found)).hexdigest()[:12]


def catalogue(features: Mapping[str, ColumnType], lists: Mapping[str, ListPin]) -> Catalogue:
    """The columns and lists that a rule can name."""
    texts = frozenset(name for name, kind in features.items() if kind is ColumnType.TEXT)
    columns = BASE_COLUMNS | {"card": ColumnType.TEXT} | dict.fromkeys(DERIVED, ColumnType.BOOLEAN) | dict(features)
    listed = {name: columns_of(pin.kind) for name, pin in lists.items()}
    return Catalogue(columns, hashed=texts | {"card"}, lists=listed)


class CompiledRules:
    """A rule set parsed and checked against the columns that exist; evaluates batches."""

    def __init__(
        self,
        document: RuleSet,
        features: Mapping[str, ColumnType],
        lists: Mapping[str, HashSet] | None = None,
        *,
        known: CompiledRules | None = None,
    ) -> None:
        """`known` is the set in force before: what it compiled is not compiled again.

        A rule that cannot be compiled any more is left out, and says why in `broken`.
        """
        self.document = document
        self.version = version_of(document)
        self.lists: Mapping[str, HashSet] = dict.fromkeys(document.lists, EMPTY) | dict(lists or {})
        self.broken: dict[str, str] = {}
        self._catalogue = catalogue(features, document.lists)
        same = known is not None and known._catalogue.lists == self._catalogue.lists  # noqa: SLF001 - one of its kind
        self._compiled: dict[str, Condition] = {}
        self._known = known._compiled if known is not None and same else {}  # noqa: SLF001 - one of its kind
        self.rules, self.conditions = self._compile(document.rules)
        self.shadow, self.shadow_conditions = self._compile(document.shadow)
        self._known = {}
        self._spare = tuple(rule.action is Action.APPROVE or rule.final for rule in self.rules)

    def _compile(self, rules: tuple[Rule, ...]) -> tuple[tuple[Rule, ...], tuple[Condition, ...]]:
        if len(rules) > RULES_MAX:
            raise ValueError(f"A set holds at most {RULES_MAX} rules, this one has {len(rules)}.")
        found: list[tuple[Rule, Condition]] = []
        for rule in rules:
            try:
                condition = self._known.get(rule.condition) or parse_condition(rule.condition, self._catalogue)
            except ConditionError as error:
                self.broken[rule.id] = error.detail
                continue
            self._compiled[rule.condition] = condition
            found.append((rule, condition))
        return tuple(rule for rule, _ in found), tuple(condition for _, condition in found)

    def evaluate(self, columns: Columns, scores: Array | None) -> Verdicts:
        """What the rules that hold for each row ask for, which rules those are, and which hold in shadow."""
        actions, fired = self.decide(columns)
        return Verdicts(actions, fired, scores, self._shadowed(columns))

    def decide(self, columns: Columns) -> tuple[Array, Array]:
        """What the live rules ask for in each row (uint8, see Action), and which rules those are (uint64, by bit).

        The severest action counts; a rule that allows overrides it, and a final rule overrides that.
        """
        columns.lists = self.lists
        actions = np.zeros(columns.rows, np.uint8)
        fired = np.zeros(columns.rows, np.uint64)
        allowed: Array | None = None
        final: Array | None = None
        for bit, (rule, condition, spare) in enumerate(zip(self.rules, self.conditions, self._spare, strict=True)):
            mask = condition.mask(columns)
            if not np.count_nonzero(mask):
                continue
            fired |= mask.astype(np.uint64) << np.uint64(bit)
            if not spare:
                np.maximum(actions, mask.astype(np.uint8) * np.uint8(rule.action), out=actions)
            elif rule.final:
                final = mask if final is None else final | mask
            else:
                allowed = mask if allowed is None else allowed | mask
        if allowed is not None:
            actions[allowed] = np.uint8(Action.APPROVE)
        if final is not None:
            actions[final] = np.uint8(Action.BLOCK)
        return actions, fired

    def _shadowed(self, columns: Columns) -> Array | None:
        if not self.shadow:
            return None
        fired = np.zeros(columns.rows, np.uint64)
        for bit, condition in enumerate(self.shadow_conditions):
            mask = condition.mask(columns)
            if np.count_nonzero(mask):
                fired |= mask.astype(np.uint64) << np.uint64(bit)
        return fired

    def of(self, fired: int) -> list[Rule]:
        """The rules behind the bits of one row."""
        return [rule for bit, rule in enumerate(self.rules) if fired >> bit & 1]

    @cached_property
    def named(self) -> frozenset[str]:
        """The columns that the reasons of the rules name."""
        return frozenset(name for rule in self.rules for name in columns_in(rule.reason))

    def ids(self) -> tuple[str, ...]:
        """The rules by their bits."""
        return tuple(rule.id for rule in self.rules)

    def shadow_ids(self) -> tuple[str, ...]:
        """The rules in shadow by their bits."""
        return tuple(rule.id for rule in self.shadow)

"""What must always be true of rules, lists and label rows; each function returns sentences, empty when all is well."""

from __future__ import annotations

from finer.fraud.store.label_rows import LabelRowStore
from finer.fraud.store.lists import ListStore
from finer.fraud.store.rules import RuleStore
from finer.kit.tx import Tx


def the_rule_set_in_force_is_there(tx: Tx) -> list[str]:
    """What decides can be read again: the rule set in force is kept."""
    store = RuleStore(tx)
    head = store.head()
    if not head or store.document(head) is not None:
        return []
    return [f"The rule set {head} is in force, and is not kept. Publish any rule to make it anew."]


def lists_count_their_entries(tx: Tx) -> list[str]:
    """A list says how many entries are on it."""
    return [
        f"The list {name} says that it has {kept} entries, and has {real}."
        for name, kept, real in ListStore(tx).counted()
        if kept != real
    ]


def frauds_are_counted_once(tx: Tx) -> list[str]:
    """A payment is a fraud to the windows once at most, and what takes it back has the time of what it takes back."""
    return [
        f"The label rows of the payment {event} add up to {weight}, or take back what was not told. "
        "Windows of frauds that hold it are wrong."
        for event, weight in LabelRowStore(tx).broken()
    ]

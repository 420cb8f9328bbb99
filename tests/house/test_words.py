"""What the web app says by hand of things that the server decides."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from finer.decisions.types.cases import EntryKind
from finer.identity.rules.grants import GRANTS
from finer.identity.service.api_keys import MachineAct
from finer.identity.types.access import Permission, Role
from finer.ingest.service.acts import Kind
from finer.privacy.types import Step
from tests.house.checks.tree import REPOSITORY, Module, modules
from tests.house.conftest import Plant

_WEB = REPOSITORY / "web/src"
# What begins the name of an act whose end is put together, and all of its ends.
_FAMILIES: dict[str, Iterable[str]] = {
    "cases:": EntryKind,
    "privacy:": Step,
    "quarantine:": get_args(Kind),
    "{area}:": (),
    "api_keys:": get_args(MachineAct),
    "oauth_clients:": get_args(MachineAct),
}
_WRITERS = frozenset({"record_audit", "note_read", "audit_entry"})
_ACT = re.compile(r"[a-z_]+:[a-z_-]+")
# Kinds of proposals, of notifications and of nodes of the lineage have the form of an act and are none, and so has an
# option of Arrow's allocator.
_NO_ACTS = frozenset({
    "about:blank", "alert:verdict", "background_thread:false", "cases:urgent", "lists:allow", "lists:unblock",
    "machines:enable", "machines:widen", "people:enable", "people:role", "screening:dismiss",
})  # fmt: skip


def test_the_page_of_api_clients_offers_what_machines_may_be_given() -> None:
    words = (_WEB / "features/identity/clients/words.ts").read_text("utf-8")
    assert sorted(re.findall(r'\{ scope: "([a-z_:]+)"', words)) == sorted(GRANTS[Role.SERVICE])


def test_every_act_that_the_trail_can_hold_has_words_of_its_own() -> None:
    words: dict[str, str] = json.loads((_WEB / "shared/acts.json").read_text("utf-8"))
    written = _acts(REPOSITORY) | {f"{area}{end}" for area, ends in _FAMILIES.items() for end in ends}
    assert sorted(written - words.keys()) == []
    assert sorted(words.keys() - written) == []
    assert _loose(REPOSITORY) == []


def test_an_act_is_found_wherever_its_name_is_written(plant: Plant) -> None:
    text = 'def f(tx, kind):\n    record_audit(tx, f"loans:{kind}", "")\n    _note(tx, "loans:grant")\n'
    root = plant({"src/finer/ledger/service.py": text})
    assert "loans:grant" in _acts(root)
    assert _loose(root) == ["src/finer/ledger/service.py:2 puts the name of an act together: write it out."]


def _acts(root: Path) -> set[str]:
    """Permissions, which denied and unwritten requests are noted by, and every name of an act in the source."""
    named = {
        node.value
        for module in _servers(root)
        for node in module.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ACT.fullmatch(node.value)
    }
    return (named | set(Permission) | {"reveal"}) - _NO_ACTS


def _loose(root: Path) -> list[str]:
    """Names of acts that are put together in a way that nobody listed here."""
    return [
        f"{module.at(node)} puts the name of an act together: write it out."
        for module in _servers(root)
        for node in module.nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] in _WRITERS
        for name in node.args[1:2]
        if isinstance(name, ast.JoinedStr) and _beginning(name) not in _FAMILIES
    ]


def _beginning(name: ast.JoinedStr) -> str:
    return ast.unparse(name)[2:-1].partition(":")[0] + ":"


def _servers(root: Path) -> list[Module]:
    # The table of commands names functions in the form of acts.
    return [module for module in modules(root) if module.parts != ("app", "cli")]

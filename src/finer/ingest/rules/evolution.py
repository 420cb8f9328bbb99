"""What differs between two versions of a contract, and whom it breaks.

*Backward*: whatever the old version accepts, the new one accepts too, so senders go on as they are. *Forward*: whatever
the new version accepts fits what readers of the old one know. A change that quarantines what was accepted, or takes a
column or its type away from readers, needs a major version; any other change of meaning a minor one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, localcontext

from finer.ingest.rules.classes import CLASSES, severity
from finer.ingest.rules.times import read_date, read_timestamp
from finer.ingest.types.contracts import CONFIDENTIAL, Comparison, Contract, ContractChange, Field, Kind, Level, RowRule
from finer.kit.masking import DataClass

_BREAKING, _MINOR, _PATCH = Level.MAJOR, Level.MINOR, Level.PATCH
_SEVERITY = list(Level).index


def compare(old: Contract, new: Contract) -> Comparison:
    """Every change from `old` to `new`, the gravest first, and what they are together."""
    before, after = {one.name: one for one in old.fields}, {one.name: one for one in new.fields}
    changes = [_removed(field) for name, field in before.items() if name not in after]
    changes += [_added(field) for name, field in after.items() if name not in before]
    for name in before.keys() & after.keys():
        changes += _field_changes(before[name], after[name])
    changes += _rule_changes(old.rules, new.rules)
    changes += _contract_changes(old, new)
    changes.sort(key=lambda one: (-_SEVERITY(one.level), one.field, one.kind))
    level = max((one.level for one in changes), key=_SEVERITY, default=Level.NONE)
    return Comparison(
        changes=tuple(changes),
        level=level,
        backward=all(one.backward for one in changes),
        forward=all(one.forward for one in changes),
        lowest_version=_next(old.version, level),
    )


def _next(version: str, level: Level) -> str:
    """The lowest version that changes of this level may have."""
    major, minor, patch = (int(part) for part in version.split("."))
    if level is Level.MAJOR:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if level is Level.MINOR else f"{major}.{minor}.{patch + 1}"


def lost_to_finer(built_in: Contract, draft: Contract) -> list[str]:
    """Why Finer itself could not work with a firm's version of a built-in contract, as sentences; empty when it can."""
    found = []
    after = {field.name: field for field in draft.fields}
    for field in built_in.fields:
        other = after.get(field.name)
        if other is None:
            if field.required:
                found.append(f"{field.name} is missing; decisions and windows read it, so it has to stay.")
        elif other.kind is not field.kind or other.currency != field.currency:
            found.append(f"{field.name} has to stay a {field.kind.value} as in the built-in contract.")
        elif field.required and not other.required:
            found.append(f"{field.name} has to stay required; decisions and windows read it.")
    return found


def _change(
    kind: str, field: str, sentence: str, level: Level, *, backward: bool = True, forward: bool = True
) -> ContractChange:
    return ContractChange(kind=kind, field=field, sentence=sentence, level=level, backward=backward, forward=forward)


def _removed(field: Field) -> ContractChange:
    sentence = f"{field.name} is gone: it is not read any more, and its column in the lake stays empty from then on."
    return _change("field_removed", field.name, sentence, _BREAKING, forward=False)


def _added(field: Field) -> ContractChange:
    if field.required and not _fills_itself(field):
        sentence = f"{field.name} is new and required: records without it are quarantined."
        return _change("required_field_added", field.name, sentence, _BREAKING, backward=False)
    return _change("optional_field_added", field.name, f"{field.name} is new; records may come without it.", _MINOR)


def _fills_itself(field: Field) -> bool:
    return field.default is not None or field.derived_from is not None or field.content_hash


def _field_changes(old: Field, new: Field) -> Iterator[ContractChange]:
    name = new.name
    if old.kind is not new.kind:
        sentence = f"{name} was a {old.kind.value} and is a {new.kind.value}: a column of the lake keeps its type."
        yield _change("type_changed", name, sentence, _BREAKING, backward=False, forward=False)
        return
    yield from _presence(old, new)
    yield from _names(old, new)
    yield from _texts(old, new)
    yield from _limits(old, new)
    if old.currency != new.currency:
        sentence = f"{name} is counted in the currency of {new.currency} and no longer of {old.currency}."
        yield _change("currency_changed", name, sentence, _BREAKING, backward=False, forward=False)
    if old.classification != new.classification:
        was, now = (one.classification or "internal" for one in (old, new))
        sentence = f"{name} was classified as {was} and is {now}: who sees it in clear changes."
        yield _change("classification_changed", name, sentence, _MINOR)
    if old.description != new.description:
        yield _change("description_changed", name, f"{name} is described in other words.", _PATCH)


def _presence(old: Field, new: Field) -> Iterator[ContractChange]:
    name = new.name
    needed = new.required and not _fills_itself(new)
    if needed and not (old.required and not _fills_itself(old)):
        sentence = f"{name} is required now: records without it are quarantined."
        yield _change("became_required", name, sentence, _BREAKING, backward=False)
    elif old.required and not new.required:
        yield _change(
            "became_optional", name, f"{name} may be absent now: readers meet empty values.", _MINOR, forward=False
        )
    elif not old.required and new.required:
        yield _change("became_required", name, f"{name} is never empty now; Finer fills it in.", _MINOR)
    if new.default is not None and old.default != new.default:
        yield _change("default_changed", name, f"{name} is {new.default} where a record does not say it.", _MINOR)
    if new.derived_from is not None and old.derived_from != new.derived_from:
        yield _change("source_changed", name, f"{name} is taken from {new.derived_from} when absent.", _MINOR)


def _names(old: Field, new: Field) -> Iterator[ContractChange]:
    for gone in sorted({*old.aliases, *old.combined_aliases} - {*new.aliases, *new.combined_aliases}):
        sentence = f"{new.name} is no longer read from {gone}: senders who write that lose the value."
        yield _change("alias_removed", new.name, sentence, _BREAKING, backward=False)
    for more in sorted({*new.aliases, *new.combined_aliases} - {*old.aliases, *old.combined_aliases}):
        yield _change("alias_added", new.name, f"{new.name} is also read from {more}.", _MINOR)


def _texts(old: Field, new: Field) -> Iterator[ContractChange]:
    yield from _values(old, new)
    yield from _patterns(old, new)
    yield from _readings(old, new)


def _values(old: Field, new: Field) -> Iterator[ContractChange]:
    name = new.name
    less, more = sorted(set(old.allowed) - set(new.allowed)), sorted(set(new.allowed) - set(old.allowed))
    if new.allowed and not old.allowed:
        sentence = f"{name} must be one of: {', '.join(new.allowed)}. Other values are quarantined."
        yield _change("values_restricted", name, sentence, _BREAKING, backward=False)
    elif old.allowed and not new.allowed:
        yield _change("values_opened", name, f"{name} may hold any text.", _MINOR, forward=False)
    elif less or more:
        if less:
            sentence = f"{name} may not be {' or '.join(less)} any more: such records are quarantined."
            yield _change("values_removed", name, sentence, _BREAKING, backward=False)
        if more:
            yield _change("values_added", name, f"{name} may also be {' or '.join(more)}.", _MINOR, forward=False)


def _patterns(old: Field, new: Field) -> Iterator[ContractChange]:
    name = new.name
    if old.pattern != new.pattern:
        if new.pattern is None:
            yield _change(
                "pattern_removed", name, f"{name} need not match {old.pattern} any more.", _MINOR, forward=False
            )
        else:
            sentence = f"{name} must match {new.pattern}: values that do not are quarantined."
            yield _change("pattern_changed", name, sentence, _BREAKING, backward=False, forward=old.pattern is None)


def _readings(old: Field, new: Field) -> Iterator[ContractChange]:
    name = new.name
    for old_flag, new_flag, what in (
        (old.fold, new.fold, "in any case of letters"),
        (old.from_number, new.from_number, "as a plain number"),
    ):
        if old_flag and not new_flag:
            sentence = f"{name} is not taken {what} any more."
            yield _change("reading_narrowed", name, sentence, _BREAKING, backward=False)
        elif new_flag and not old_flag:
            yield _change("reading_widened", name, f"{name} is also taken {what}.", _MINOR)


def _limits(old: Field, new: Field) -> Iterator[ContractChange]:
    if old.kind is Kind.STRING:
        before, after = [(Decimal(one.shortest), Decimal(one.longest)) for one in (old, new)]
        yield from _range_changes(new.name, "its length", before, after, old, new)
    else:
        yield from _range_changes(new.name, "it", _bounds(old), _bounds(new), old, new)


Bounds = tuple[Decimal, Decimal]
_LITTLE = Decimal("1e-30")


def _bounds(field: Field) -> Bounds:
    """The smallest and the largest value, to compare by; an exclusive limit is a little further in."""
    read: Callable[[str], int | None] | None = {Kind.TIMESTAMP: read_timestamp, Kind.DATE: read_date}.get(field.kind)

    def value(text: str | None, absent: str) -> Decimal:
        if text is None:
            return Decimal(absent)
        return Decimal(text) if read is None else Decimal(read(text) or 0)

    with localcontext(prec=400):
        low = value(field.minimum, "-Infinity") + (_LITTLE if field.exclusive_minimum else 0)
        high = value(field.maximum, "Infinity") - (_LITTLE if field.exclusive_maximum else 0)
    return low, high


def _range_changes(
    name: str, what: str, old: Bounds, new: Bounds, before: Field, after: Field
) -> Iterator[ContractChange]:
    tighter, wider = new[0] > old[0] or new[1] < old[1], new[0] < old[0] or new[1] > old[1]
    was, now = _range(before), _range(after)
    if tighter:
        sentence = f"{name}: {what} must be {now} and no longer {was}; records beyond are quarantined."
        yield _change("range_narrowed", name, sentence, _BREAKING, backward=False, forward=not wider)
    elif wider:
        sentence = f"{name}: {what} may be {now} and no longer only {was}."
        yield _change("range_widened", name, sentence, _MINOR, forward=False)


def _range(field: Field) -> str:
    if field.kind is Kind.STRING:
        return f"{field.shortest} to {field.longest} characters"
    parts = []
    if field.minimum is not None:
        parts.append(f"{'more than' if field.exclusive_minimum else 'at least'} {field.minimum}")
    if field.maximum is not None:
        parts.append(f"{'less than' if field.exclusive_maximum else 'at most'} {field.maximum}")
    return " and ".join(parts) or "anything"


def _rule_changes(old: Iterable[RowRule], new: Iterable[RowRule]) -> Iterator[ContractChange]:
    before, after = {one.name: one for one in old}, {one.name: one for one in new}
    for name, rule in before.items():
        if name not in after:
            yield _change("rule_removed", name, f"The rule {name} is gone: {rule.reason}", _MINOR, forward=False)
    for name, rule in after.items():
        was = before.get(name)
        if was is None:
            yield _change("rule_added", name, f"There is a new rule: {rule.reason}", _BREAKING, backward=False)
        elif " ".join(was.condition.split()) != " ".join(rule.condition.split()):
            sentence = f"The rule {name} asks something else: {rule.reason}"
            yield _change("rule_changed", name, sentence, _BREAKING, backward=False, forward=False)
        elif was.reason != rule.reason:
            yield _change("rule_described", name, f"The rule {name} is told in other words.", _PATCH)


def _contract_changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    if old.fingerprint_fields != new.fingerprint_fields:
        sentence = "Other fields make two records the same: one that is sent again may count as a conflict."
        yield _change("fingerprint_changed", "", sentence, _MINOR)
    before, after = {one.name: one for one in old.payloads}, {one.name: one for one in new.payloads}
    for name in before.keys() | after.keys():
        if name not in before:
            yield _change("payload_added", "", f"Bodies of the {name} are taken as they come.", _MINOR)
        elif before[name] != after.get(name):
            sentence = (
                f"Bodies of the {name} are {'taken apart in another way' if name in after else 'not taken any more'}."
            )
            yield _change("payload_changed", "", sentence, _BREAKING, backward=False)
    about = (old.description, old.team, old.service_levels)
    if about != (new.description, new.team, new.service_levels):
        yield _change("about_changed", "", "Its description, its owner or its service levels change.", _PATCH)


def _of_a_person(field: Field) -> bool:
    """Whether its values say something of a person; what is confidential is a secret of the firm."""
    return (
        severity(CLASSES[field.classification]) >= severity(DataClass.PERSONAL) and field.classification != CONFIDENTIAL
    )


def not_publishable(earlier: Iterable[Contract], built_in: Contract | None, contract: Contract) -> list[str]:
    """Why the lake or the erasure of people could not follow this version, in sentences.

    `earlier` are all versions that were ever in force: the lake keeps the column of a field that one of them had, also
    when the version now in force has it no more.
    """
    kinds: dict[str, set[Kind]] = {}
    for one in earlier:
        for field in one.fields:
            kinds.setdefault(field.name, set()).add(field.kind)
    known = {} if built_in is None else {field.name: CLASSES[field.classification] for field in built_in.fields}
    found = [
        f"{field.name} changes its type, which a column of the lake cannot. Add a field of another name instead."
        for field in contract.fields
        if not kinds.get(field.name, set()) <= {field.kind}
    ]
    found += [
        f"{field.name} is classified {field.classification or 'internal'}, which shows it to more people than the "
        "built-in contract does. Keep its classification, or make it a stricter one."
        for field in contract.fields
        if field.name in known and severity(CLASSES[field.classification]) < severity(known[field.name])
    ]
    personal = severity(DataClass.PERSONAL)
    return found + [
        f"{field.name} is classified {field.classification}, but Finer would not find it when a person is erased. "
        "Send what belongs to a person in the fields that the built-in contracts have for it."
        for field in contract.fields
        if _of_a_person(field) and (field.name not in known or severity(known[field.name]) < personal)
    ]

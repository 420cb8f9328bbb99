"""Screening people and firms: one at once when somebody asks, all customers of the lake, and all again for new entries.

A pair that a person judged is not asked again unless the subject's record or the entry changed since.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from finer.identity.service.audit import record_audit
from finer.kit.tx import Tx
from finer.screening.errors import SubjectNotAcceptable
from finer.screening.rules.candidates import Candidates
from finer.screening.rules.names import words
from finer.screening.service.lists import candidates
from finer.screening.store.customers import CUSTOMERS, LAST_OFFSETS, NEW_CUSTOMERS
from finer.screening.store.lists import ListStore
from finer.screening.store.subjects import SubjectStore
from finer.screening.types import EntityType, Found, Hit, Profile, ScreeningList, Subject, SubjectKind

__all__ = [
    "CUSTOMERS", "LAST_OFFSETS", "NEW_CUSTOMERS", "check", "kept", "new_entries", "note_position", "note_screened",
    "of_customer", "positions", "screen_customers", "screen_payees", "tidy", "waiting_lists",
]  # fmt: skip

NAMES_MAX, VALUES_MAX, VALUE_MAX, REFERENCE_MAX = 20, 20, 300, 128
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_COUNTRY = re.compile(r"[A-Z]{2}")
Row = dict[str, Any]


def check(tx: Tx, subject: Subject) -> list[Hit]:
    """Screen somebody now; keeps who it was, and every hit for a person to judge. Raises SubjectNotAcceptable.

    The answer holds every hit that stands, the likest first, with what was said of it: whoever pays can wait for it.
    """
    checked = tidy(subject)
    store = SubjectStore(tx)
    identifier = store.keep(checked)
    asked = _hold(store, identifier, checked, candidates(tx))
    record_audit(tx, "screening:check", f"{checked.kind.value}:{identifier.hex}", {"hits_asked": asked})
    return [one.hit for one in store.of_subject(identifier)]


def kept(tx: Tx, kind: SubjectKind, reference: str) -> tuple[Subject | None, list[Hit]]:
    """What is kept of somebody who was screened, and their hits; nothing once they were erased."""
    store = SubjectStore(tx)
    identifier = store.find_known(Subject(kind=kind, reference=reference, profile=Profile(names=())))
    if identifier is None:
        return None, []
    found = store.get(identifier)
    return found, [] if found is None else [one.hit for one in store.of_subject(identifier)]


def screen_customers(tx: Tx, rows: Iterable[Row], against: Candidates) -> int:
    """Screen customers from rows of CUSTOMERS; only those that are like somebody are kept.

    Returns how many hits a person is asked about now.
    """
    store, asked = SubjectStore(tx), 0
    for row in rows:
        subject = of_customer(row)
        if subject is None:
            continue
        found = against.find(subject.profile)
        if found or store.find_known(subject) is not None:
            asked += _record(store, store.keep(subject), subject, found, against)
    return asked


def screen_payees(
    tx: Tx, against: Candidates, after: uuid.UUID | None, limit: int
) -> tuple[int, int, uuid.UUID | None]:
    """Hold some payees against new entries of lists.

    Returns the hits asked about, how many payees were seen, and the last of them; None when there are no more.
    """
    store, asked = SubjectStore(tx), 0
    found = store.known(SubjectKind.PAYEE, after, limit)
    for identifier, subject in found:
        if subject is not None:
            asked += _hold(store, identifier, subject, against)
    return asked, len(found), found[-1][0] if len(found) == limit else None


def waiting_lists(tx: Tx) -> list[ScreeningList]:
    """Lists with a version that not everybody was held against yet."""
    return [one for one in ListStore(tx).all() if one.screened_version < one.version]


def new_entries(tx: Tx, waiting: Sequence[ScreeningList]) -> Candidates:
    """What is new or changed on some lists since they were last held against everybody."""
    return Candidates(ListStore(tx).listed(since={one.id: one.screened_version for one in waiting}))


def note_screened(tx: Tx, waiting: Sequence[ScreeningList]) -> None:
    """Everybody was held against these versions."""
    for one in waiting:
        ListStore(tx).change(one.id, screened_version=one.version)


def positions(tx: Tx) -> dict[int, int]:
    """Up to which offset of each partition customer profiles were screened."""
    return SubjectStore(tx).positions()


def note_position(tx: Tx, partition: int, next_offset: int) -> None:
    """Customer profiles up to before this offset were screened."""
    SubjectStore(tx).move(partition, next_offset)


def of_customer(row: Row) -> Subject | None:
    """A customer as screening compares them; None for a name without a letter."""
    name = str(row["full_name"] or "")
    if not words(name):
        return None
    born = row["date_of_birth"]
    codes = (str(row[field] or "").strip().upper() for field in ("citizenship_code", "residence_country"))
    profile = Profile(
        names=(" ".join(name.split()),),
        type=EntityType.UNKNOWN if born is None else EntityType.PERSON,
        birth_dates=() if born is None else (str(born)[:10],),
        countries=tuple(dict.fromkeys(code for code in codes if _COUNTRY.fullmatch(code))),
        genders=tuple(filter(None, (str(row["gender"] or "").strip().lower(),))),
    )
    return Subject(kind=SubjectKind.CUSTOMER, reference=str(row["customer_id"]), profile=profile)


def tidy(subject: Subject) -> Subject:
    """The subject with blanks taken away. Raises SubjectNotAcceptable for what cannot be compared."""
    reference, profile = subject.reference.strip(), subject.profile
    if not 1 <= len(reference) <= REFERENCE_MAX or not reference.isprintable():
        raise SubjectNotAcceptable(f"The reference has 1 to {REFERENCE_MAX} printable characters.")
    names = _values("names", profile.names, NAMES_MAX)
    if not names or not any(words(name) for name in names):
        raise SubjectNotAcceptable("There is no name to compare.")
    births = _values("birth_dates", profile.birth_dates, VALUES_MAX)
    for value in births:
        if not _DATE.fullmatch(value):
            raise SubjectNotAcceptable("A birth date is written 1970-03-21, 1970-03 or 1970.")
    countries = _values("countries", profile.countries, VALUES_MAX, str.upper)
    for value in countries:
        if not _COUNTRY.fullmatch(value):
            raise SubjectNotAcceptable("A country is named by its two letters of ISO 3166: PH.")
    cleaned = Profile(
        names=names, type=profile.type, birth_dates=births, countries=countries,
        identifiers=_values("identifiers", profile.identifiers, VALUES_MAX),
        genders=_values("genders", profile.genders, VALUES_MAX, str.lower),
    )  # fmt: skip
    return Subject(kind=subject.kind, reference=reference, profile=cleaned)


def _values(
    what: str, given: Iterable[str], most: int, shape: Callable[[str], str] = lambda text: text
) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(shape(" ".join(value.split())) for value in given if value.strip()))
    if len(found) > most:
        raise SubjectNotAcceptable(f"There are {len(found)} {what}; {most} are possible.")
    if any(len(value) > VALUE_MAX or not value.isprintable() for value in found):
        raise SubjectNotAcceptable(f"Each of the {what} has at most {VALUE_MAX} printable characters.")
    return found


def _hold(store: SubjectStore, identifier: uuid.UUID, subject: Subject, against: Candidates) -> int:
    return _record(store, identifier, subject, against.find(subject.profile), against)


def _record(
    store: SubjectStore, identifier: uuid.UUID, subject: Subject, found: list[Found], against: Candidates
) -> int:
    asked = store.record(identifier, store.profile_index(subject), found)
    still = {(one.listed.list_id, one.listed.entry.id) for one in found}
    gone = [
        hit for hit, list_id, entry_id in store.undecided(identifier)
        if against.holds(list_id, entry_id) and (list_id, entry_id) not in still
    ]  # fmt: skip
    store.close_unlike(gone)
    return asked

"""What the bank's core system knows about its customers; half of it comes with the field names of an older system."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np

from finer.demo.chance import Array, key, scatter, uniforms
from finer.demo.people import People, full_name
from finer.demo.places import CITIES, COUNTRIES, INCOME_USD

_EMPLOYMENT = ("employed", "employed", "employed", "self-employed", "student", "retired", "unemployed")
_MARITAL = ("single", "married", "married", "divorced", "widowed")
_GENDERS = ("female", "male", "female", "male", "female", "male", "other")
_DIALLING = {"PH": 63, "SG": 65, "MY": 60, "TH": 66, "ID": 62, "VN": 84, "US": 1}
_ADULT_DAYS = 18 * 365 + 5
_AS_OF = date(2025, 1, 1)
_LEGACY = {
    "customer_id": "customerNumber",
    "date_of_birth": "dateOfBirth",
    "branch_number": "branchNumber",
    "citizenship_code": "citizenshipCode",
    "residence_country": "currCountryCode",
    "employment_status": "employmentStatus",
    "income_thousands": "incomeInThousands",
    "market_segment": "marketSegment",
    "marital_status": "maritalStatus",
    "state_code": "stateCode",
    "city": "City",
    "customer_since": "customerOpeningDate",
    "gender": "Gender",
}
_encoder = msgspec.json.Encoder()


def profile(people: People, number: int, chance: Array, traits: int, prefix: str) -> dict[str, Any]:
    """One customer's profile, under the contract's own names."""
    country = COUNTRIES[int(people.country[number])]
    born = date(1950, 1, 1) + timedelta(days=int(chance[0] * 20_000))
    grown = born + timedelta(days=_ADULT_DAYS)
    opened = grown + timedelta(days=int(chance[1] * (_AS_OF - grown).days))
    income = float(people.income_usd[number])
    usual = float(INCOME_USD[people.country[number]])
    name = full_name(int(people.country[number]), traits & 0xFFFF)
    return {
        "event_id": f"{prefix}-p{number:x}",
        "occurred_at": f"{_AS_OF.isoformat()}T00:00:00Z",
        "customer_id": f"{1_000_000 + number}",
        "full_name": name,
        "email": f"{name.lower().replace(' ', '.')}.{number}@mail.example",
        "phone": f"+{_DIALLING[country.code]} 555 {number % 10_000:04d}",
        "date_of_birth": born.isoformat(),
        "gender": _GENDERS[(traits >> 16) % len(_GENDERS)],
        "marital_status": _MARITAL[(traits >> 20) % len(_MARITAL)],
        "citizenship_code": country.code,
        "residence_country": country.code,
        "state_code": CITIES[int(people.city[number])].state[:16],
        "city": CITIES[int(people.city[number])].name,
        "branch_number": f"{1 + int(people.city[number]) * 10 + (traits >> 24) % 8:04d}",
        "employment_status": _EMPLOYMENT[(traits >> 28) % len(_EMPLOYMENT)],
        "income_thousands": round(income * 12 / 1000, 1),
        "market_segment": "affluent" if income > 2.2 * usual else "mass" if income < 1.2 * usual else "middle",
        "customer_since": opened.isoformat(),
    }


def profile_lines(people: People, prefix: str, first: int, size: int) -> bytes:
    """Profiles of customers `first` .. as NDJSON: every second hundred with the names of the older system."""
    numbers = np.arange(first, min(first + size, people.count))
    chance = uniforms(numbers, key(people.seed, "profiles"), 2)
    traits = scatter(numbers, key(people.seed, "traits")).tolist()
    found = []
    for place, number in enumerate(numbers.tolist()):
        record = profile(people, number, chance[place], traits[place], prefix)
        if number // 100 % 2:
            record = {_LEGACY.get(name, name): value for name, value in record.items()}
        found.append(record)
    return _encoder.encode_lines(found)

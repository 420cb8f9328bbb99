"""The demo firm: made once, with people of every role, a key for the simulated world, and sign-in links."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from finer.app.flow import deliver
from finer.app.keys import keyring
from finer.app.process import database_url
from finer.identity.service import api_keys, people, tenants
from finer.identity.types.access import Permission, Role
from finer.kit.actors import SYSTEM
from finer.kit.db import API, NO_TENANT, Database
from finer.kit.ids import new_id
from finer.kit.settings import Settings

SLUG = "demo"
PEOPLE = (
    ("Ana Cruz", Role.RISK_ANALYST, "risk_analyst"),
    ("Budi Santoso", Role.DATA_ENGINEER, "data_engineer"),
    ("Chen Li Wei", Role.EXECUTIVE, "executive"),
    ("Dewi Lestari", Role.CREDIT_OFFICER, "credit_officer"),
    ("Elena Reyes", Role.CUSTOMER_MANAGER, "customer_manager"),
    ("Farid Rahman", Role.MARKETING_MANAGER, "marketing_manager"),
    ("Grace Tan", Role.AUDITOR, "auditor"),
    ("Hugo Lim", Role.ADMINISTRATOR, "administrator"),
    ("Jun Dela Cruz", Role.CUSTOMER, "customer"),
    # What one person proposes, another of the same role approves.
    ("Ines Navarro", Role.ADMINISTRATOR, "second_administrator"),
    ("Kiko Ramos", Role.DATA_ENGINEER, "second_data_engineer"),
    ("Lara Domingo", Role.RISK_ANALYST, "second_risk_analyst"),
)
"""Everybody of the demo firm: name, role, and the part of the address before the @."""
_KEY_SCOPES = frozenset(
    {
        Permission.EVENTS_WRITE,
        Permission.RECEIPTS_READ,
        Permission.DECISIONS_WRITE,
        Permission.PIPELINE_READ,
        Permission.JOBS_RUN,
        Permission.LAKE_READ,
    }
)


@dataclass(frozen=True)
class DemoFirm:
    """Sign-in links (role, name, address) of the demo firm."""

    links: list[tuple[str, str, str]]


def prepare_demo(url: str, settings: Settings) -> DemoFirm:
    """Make the demo firm and its people when they are not there; make fresh sign-in links."""
    database = Database(url, API, connections=2, deliver=deliver, keys=keyring(settings))
    try:
        tenant = _firm(database)
        links = []
        with database.transaction(tenant, SYSTEM) as tx:
            known = {user.email for user in people.list_users(tx)}
            for name, role, account in PEOPLE:
                email = f"{account}@demo.example"
                if email not in known:
                    people.create_user(tx, settings, email=email, name=name, role=role, password=None)
                token = people.create_sign_in_link(tx, email=email)
                links.append((role.value, name, f"{settings.web_url}/sign-in?token={token}"))
        return DemoFirm(links)
    finally:
        database.close()


def _firm(database: Database) -> uuid.UUID:
    with database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
        for tenant in tenants.list_tenants(tx):
            if tenant.slug == SLUG:
                return tenant.id
    with database.transaction(new_id(), SYSTEM) as tx:
        made = tenants.create_tenant(
            tx, slug=SLUG, name="Bayani Bank (demo)", base_currency="PHP", timezone="Asia/Manila",
            second_factor_required=False,
        )  # fmt: skip
        return made.id


def prepare_world(settings: Settings) -> tuple[str, str, str]:
    """What the simulated world signs in with: an API key, and links of an analyst and of a marketing manager."""
    url, _ = database_url(settings)
    database = Database(url, API, connections=1, deliver=deliver, keys=keyring(settings))
    try:
        with database.transaction(_firm(database), SYSTEM) as tx:
            _, key = api_keys.create_api_key(tx, name="simulated world", scopes=_KEY_SCOPES, lifetime=timedelta(days=7))
            analyst, marketer = (
                people.create_sign_in_link(tx, email=f"{role.value}@demo.example")
                for role in (Role.RISK_ANALYST, Role.MARKETING_MANAGER)
            )
        return key, analyst, marketer
    finally:
        database.close()

"""A firm with as many people as a load test wants, each signed in at a browser of their own."""

from __future__ import annotations

from dataclasses import dataclass

from finer.app.commands.common import running_database, tenant_id
from finer.identity.service import people, sessions
from finer.identity.types.access import Factor, Role
from finer.kit.actors import SYSTEM
from finer.kit.settings import load_settings
from tests.support.identity import PASSWORD
from tests.support.server import Server

AGENT = "Mozilla/5.0 (X11; Linux x86_64) load"
_CHUNK = 100


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    email: str
    role: Role
    token: str

    @property
    def cookie(self) -> str:
        """The header line of their browser."""
        return f"cookie: finer_session={self.token}\r\nuser-agent: {AGENT}\r\n"


def sign_in_people(server: Server, roles: dict[Role, int], *, passwords: int = 0) -> list[Person]:
    """Make people of these roles with a session each, without the sign-in page; the first `passwords` of each role can
    also sign in with `PASSWORD`, which takes a slow hash each."""
    settings, found = load_settings({}, data_dir=str(server.folder)), []
    with running_database(settings) as database:
        firm = tenant_id(database, server.tenant)
        wanted = [(role, number) for role, count in roles.items() for number in range(count)]
        for start in range(0, len(wanted), _CHUNK):
            with database.transaction(firm, SYSTEM) as tx:
                for role, number in wanted[start : start + _CHUNK]:
                    email = f"{role.value}{number}@acme.example"
                    password = PASSWORD if number < passwords else None
                    name = f"{role.value.replace('_', ' ').title()} {number}"
                    user = people.create_user(tx, settings, email=email, name=name, role=role, password=password)
                    token = sessions.begin_session(tx, user.id, AGENT, factor=Factor.PASSWORD, address="127.0.0.1")
                    found.append(Person(email, role, token))
    return found

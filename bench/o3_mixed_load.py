"""O3: 1,000 people and their machines at work: 70 % reads, 20 % writes, 5 % sign-ins, 5 % decisions.

Requests come at random moments at a mean rate of one by each person in ten seconds, and their latency counts from when
they were to begin. Each tenth person has a live stream open. Security is on: sessions, permissions, row-level
security, audit, argon2id at every sign-in.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bench.load.arrivals import Seen, drive
from bench.load.mix import ROLES, Mix
from bench.load.people import Person, sign_in_people
from bench.streams.crowd import Crowd, allow_open_files
from bench.support.report import median, percentile, report
from finer.identity.types.access import Role
from tests.support.server import Server, serving

EACH_S = 10.0
"""Seconds between two requests of one person, in the mean."""
PASSWORDS = 25
"""People of each role that sign in anew: all share so many accounts, a few browsers each."""


def people_of(server: Server, count: int) -> tuple[list[Person], list[Person]]:
    """People of all roles of the mix, and others who sign in.

    A person has ten sessions at most, and a further one ends the oldest: who signs in by the hundred cannot be one of
    those whose session is asked with.
    """
    each = -(-count // len(ROLES))
    found = sign_in_people(server, dict.fromkeys(ROLES, each + PASSWORDS), passwords=PASSWORDS)
    able = [one for place, one in enumerate(found) if place % (each + PASSWORDS) < PASSWORDS]
    return [one for place, one in enumerate(found) if place % (each + PASSWORDS) >= PASSWORDS], able


def watching(port: int, people: Sequence[Person]) -> Crowd:
    """A live stream of a tenth of the people, opened; raises RuntimeError when one is refused."""
    paths = {Role.EXECUTIVE: "/api/v1/operations/finance/stream", Role.RISK_ANALYST: "/api/v1/alerts/stream"}
    viewers = [(paths.get(one.role, "/api/v1/notifications/stream"), one.cookie) for one in people[::10]]
    crowd = Crowd(port, viewers)
    crowd.start()
    if not crowd.all_open.wait(60):
        raise RuntimeError(f"Only {crowd.open} of {len(viewers)} streams were opened: {crowd.refused[:3]}")
    return crowd


def main() -> None:
    """Run in turn and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    allow_open_files(4000)
    rate = arguments.people / EACH_S
    with serving() as server:
        people, able = people_of(server, arguments.people)
        crowd = watching(server.port, people)
        mix = Mix(people, able, server.api_key)
        runs = [drive(server.port, mix, rate, arguments.seconds, seed=run + 1) for run in range(arguments.runs)]
        crowd.stop()
    errors = sum(len(run.failures) for run in runs)
    p95 = median([percentile(run.all(), 0.95) for run in runs])
    figures = {"p95_ms": p95, "errors": errors, "requests_per_s": rate, **_each(runs)}
    settings = {
        "people": arguments.people, "seconds": arguments.seconds, "runs": arguments.runs, "streams": len(people) // 10,
        "failures": [failure for run in runs for failure in run.failures][:3],
    }  # fmt: skip
    report("O3", figures, "p95 <= 100 ms, 0 errors", p95 <= 100 and not errors, settings=settings)


def _each(runs: Sequence[Seen]) -> dict[str, float]:
    whole = {"p50_ms": median([percentile(run.all(), 0.5) for run in runs])}
    kinds = {kind for run in runs for kind in run.latencies}
    return whole | {
        f"{kind}_p95_ms": median([percentile(run.latencies.get(kind, []), 0.95) for run in runs])
        for kind in sorted(kinds)
    }


if __name__ == "__main__":
    main()

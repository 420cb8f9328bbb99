"""B01, B02: the matrix of every route, every principal and both firms; a refused write leaves no row changed."""

from __future__ import annotations

import pytest
from litestar import Litestar

from tests.security.matrix import FILE, Row, ask, gone_lines, live_routes, missing_lines, read_rows
from tests.security.world import PRINCIPALS, World, bodies
from tests.support.asgi import Driver
from tests.support.fingerprint import changed, fingerprint

REFUSED = {"401", "403"}
TOLD = {
    # Refusals are written down and wait to be sealed, reads are counted to notice mass reading, and those who try too
    # often have to wait; nothing else may change.
    "public.identity_audit_entries",
    "public.identity_audit_waiting",
    "public.identity_read_counts",
    "public.identity_sign_in_attempts",
}
NO_ID = {"path", "contract", "what", "law", "job", "field", "entry", "rule", "step"}
"""Path parameters that name nothing of a firm."""
SEEN = ("last_seen_at", "last_used_at")
"""Columns that say when a session or a key was used last."""


def test_b02_every_route_is_in_the_matrix_and_every_cell_is_decided(app: Litestar) -> None:
    rows = read_rows()
    missing = missing_lines(app, rows)
    assert not missing, "Add to tests/security/authz_matrix.csv, with a status for each ?:\n" + "\n".join(missing)
    assert gone_lines(app, rows) == []
    assert [row for row in rows if not all(cell.isdigit() for cell in row.expected.values())] == []
    assert [(row.path, row.method) for row in rows] == sorted((row.path, row.method) for row in rows)
    assert len({(row.method, row.path) for row in rows}) == len(rows)


def test_b02_who_has_no_credential_gets_nothing_but_what_is_public(app: Litestar) -> None:
    public = live_routes(app)
    for row in read_rows():
        strangers = {row.expected["anonymous"], row.expected["expired"]}
        assert public[row.method, row.path] or strangers == {"401"}, row


def test_b02_the_refused_change_nothing(driver: Driver, ours: World, database_url: str) -> None:
    samples, wrong = ours.samples(), []
    refused = [(row, who) for row in read_rows() for who in PRINCIPALS if row.expected[who] in REFUSED]
    assert len(refused) > 200
    credentials = {who: ours.headers(who) for who in PRINCIPALS}
    for row, _ in refused:
        samples.path(row.path)
    bodies(samples)
    before = fingerprint(database_url, without_columns=SEEN)
    for row, who in refused:
        answer = ask(driver, row, credentials[who], samples)
        if str(answer.status) != row.expected[who]:
            wrong.append(f"{who}: {row.method} {row.path} answered {answer.status}, not {row.expected[who]}")
    assert wrong == []
    assert changed(before, fingerprint(database_url, without_columns=SEEN)) <= TOLD


@pytest.mark.parametrize("who", PRINCIPALS)
def test_b02_the_matrix_holds(driver: Driver, ours: World, who: str) -> None:
    wrong, samples = [], ours.samples()
    for row in read_rows():
        if row.expected[who] in REFUSED:
            continue
        # Each with a session of its own: some routes end the others.
        answer = ask(driver, row, ours.headers(who), ours.samples() if row.writes else samples)
        if str(answer.status) != row.expected[who]:
            wrong.append(f"{row.method} {row.path}: {answer.status}, not {row.expected[who]}. {answer.text[:200]}")
    assert wrong == []


@pytest.mark.parametrize("who", [who for who in PRINCIPALS if who not in ("anonymous", "expired")])
def test_b01_what_belongs_to_another_firm_is_not_there(
    driver: Driver, ours: World, theirs: World, database_url: str, who: str
) -> None:
    """Ids of the other firm in every path: 404 for whoever would get our own, and no row of anybody changes."""
    rows = [row for row in read_rows() if set(row.parameters) - NO_ID and row.expected[who] not in REFUSED]
    credentials, samples, wrong = ours.headers(who), theirs.samples(), []
    for row in rows:
        samples.path(row.path)
    bodies(samples)
    before = fingerprint(database_url, without_columns=SEEN)
    for row in rows:
        answer = ask(driver, row, credentials, samples)
        # A body that no sample is known for is refused before anybody looks for the thing.
        good = {404} | ({400} if row.expected[who] == "400" else set())
        if answer.status not in good:
            wrong.append(f"{row.method} {row.path}: {answer.status}")
        if theirs.mark in answer.everything():
            wrong.append(f"{row.method} {row.path} shows {theirs.mark}")
    assert wrong == []
    assert changed(before, fingerprint(database_url, without_columns=SEEN)) <= TOLD


def test_the_matrix_itself_is_found_wanting_when_a_route_is_new(app: Litestar) -> None:
    rows = read_rows()
    [line] = missing_lines(app, [row for row in rows if (row.method, row.path) != ("GET", "/api/v1/alerts")])
    assert line.startswith("GET,/api/v1/alerts,401,401,?,?")
    assert gone_lines(app, [*rows, Row("GET", "/api/v1/gone", {})]) == ["GET /api/v1/gone"]
    assert FILE.read_text().isascii()

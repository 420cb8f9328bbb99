"""Attacks on cases: those of others, files that are not what they say, texts that are scripts, reports that leave."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from finer.app.proposals import PROPOSAL_KINDS
from finer.decisions.errors import AttachmentRefused, AttachmentTooLarge, CaseChanged, CaseNotFound, NotYourCase
from finer.decisions.rules.attachments import BYTES_MAX, FILES_MAX, file_name, media_type
from finer.decisions.rules.links import NODES_MAX, graph
from finer.decisions.service import actions, alerts, attachments, cases, judgements, reports
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import ActionKind, LabelSource
from finer.decisions.types.reports import ReportDraft
from finer.identity.service import proposals
from finer.identity.types.access import Role, User
from finer.kit.db import Database
from finer.kit.ids import show_id
from tests.decisions.desk import CaseDesk, acting
from tests.support.alerts import AT, alert_routes
from tests.support.identity import Firm, client_of, sign_in, small_app

_SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def browser(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[User], TestClient[Litestar]]]:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    app = small_app(firm.database, firm.settings, alert_routes())[0]
    with ExitStack() as stack:

        def open_for(user: User) -> TestClient[Litestar]:
            client = stack.enter_context(client_of(app))
            sign_in(client, user)
            return client

        yield open_for


def test_b01_a_case_of_another_firm_or_of_nobody_is_not_there(
    desk: CaseDesk, other_firm: Firm, worker_database: Database
) -> None:
    case, (alert,) = desk.one()
    stranger = CaseDesk(other_firm, worker_database)
    settings = other_firm.settings
    attempts: list[Callable[[Any], Any]] = [
        lambda tx: cases.detail(tx, case.id),
        lambda tx: cases.take(tx, case.id, case.version),
        lambda tx: cases.add_note(tx, case.id, "x"),
        lambda tx: judgements.close_case(tx, case.id, case.version, AlertState.DISMISSED, "x"),
        lambda tx: judgements.relabel(
            tx, case.id, [alert.id], AlertState.CONFIRMED, source=LabelSource.ISSUER, known_at=None, reason="x"
        ),
        lambda tx: actions.ask(tx, settings, PROPOSAL_KINDS, case.id, ActionKind.BLOCK_CARD, alert.id, "why"),
        lambda tx: attachments.add(tx, case.id, "a.txt", "text/plain", b"x"),
        lambda tx: reports.get_report(tx, case.id),
    ]
    for attempt in attempts:
        with other_firm.tx(stranger.ana) as tx, pytest.raises(CaseNotFound):
            attempt(tx)
        with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseNotFound):
            cases.get_case(tx, uuid.uuid4())
    assert stranger.queue() == []
    assert desk.queue()[0].version == case.version


def test_b13_a_case_is_seen_by_who_works_on_it_and_its_team_only(desk: CaseDesk) -> None:
    case, (alert,) = desk.one()
    taken = desk.take(case)
    assert desk.queue(desk.budi) == []
    with desk.firm.tx(desk.budi) as tx:
        assert cases.summarise(tx).open == 0
        for attempt in (cases.detail, lambda tx, one: cases.take(tx, one, taken.version)):
            with pytest.raises(CaseNotFound):
                attempt(tx, case.id)
        # A case cannot be got at by its alert either.
        with pytest.raises(Exception, match="There is no alert"):
            alerts.get_alert(tx, alert.id)
    auditor = acting(desk.firm.user(Role.AUDITOR))
    assert [one.id for one in desk.queue(auditor)] == [case.id]
    with desk.firm.tx(auditor) as tx, pytest.raises(Exception, match="permission"):
        cases.add_note(tx, case.id, "x")


def test_b05_ids_are_masked_and_cannot_be_searched(
    desk: CaseDesk, browser: Callable[[User], TestClient[Litestar]]
) -> None:
    case, _ = desk.one(customer_id="CUST-0055443322", account_id="ACCT-0099887766")
    client = browser(desk.firm.user())
    shown = client.get(f"/api/v1/cases/{show_id('cas', case.id)}")
    assert (shown.status_code, "CUST-0055443322" in shown.text, "ACCT-0099887766" in shown.text) == (200, False, False)
    assert "****3322" in shown.text
    assert client.get("/api/v1/cases", params={"q": "CUST-0055443322"}).json()["items"] == []
    assert len(client.get("/api/v1/cases", params={"q": f"#{case.number}"}).json()["items"]) == 1


def test_c10_a_note_is_a_text_whatever_it_says(desk: CaseDesk, browser: Callable[[User], TestClient[Litestar]]) -> None:
    case, _ = desk.one()
    client = browser(desk.firm.user())
    path = f"/api/v1/cases/{show_id('cas', case.id)}"
    assert client.post(f"{path}/notes", json={"text": _SCRIPT}).status_code == 200
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["entries"][0]["text"] == _SCRIPT


def test_d03_a_file_leaves_as_a_file_and_its_name_names_no_folder(
    desk: CaseDesk, browser: Callable[[User], TestClient[Litestar]]
) -> None:
    case, _ = desk.one()
    client = browser(desk.firm.user())
    path = f"/api/v1/cases/{show_id('cas', case.id)}/attachments"
    content = base64.b64encode(_SCRIPT.encode()).decode()
    name = '../../etc/passwd\r\nSet-Cookie: a=b"; filename="x.html'
    made = client.post(path, json={"name": name, "media_type": "text/plain", "content": content})
    assert made.status_code == 201, made.text
    fetched = client.get(f"{path}/{made.json()['id']}")
    assert fetched.content == _SCRIPT.encode()
    assert fetched.headers["content-type"] == "application/octet-stream"
    assert fetched.headers["content-disposition"].startswith("attachment; filename=")
    assert "sandbox" in fetched.headers["content-security-policy"]
    assert "set-cookie" not in fetched.headers
    assert "/" not in made.json()["name"]
    assert client.post(path, json={"name": "a.html", "media_type": "text/html", "content": content}).status_code == 415
    assert (
        client.post(path, json={"name": "a.pdf", "media_type": "application/pdf", "content": content}).status_code
        == 415
    )
    assert client.get(f"{path}/{show_id('att', uuid.uuid4())}").status_code == 404


@given(st.text(max_size=300), st.sampled_from(["application/pdf", "image/png", "text/csv", "text/plain"]))
def test_d03_no_name_leaves_its_folder_or_its_kind(said: str, kind: str) -> None:
    name = file_name(said, kind)
    assert 0 < len(name) <= 120
    assert not set(name) & set('/\\"<>|:*?\r\n\0')
    assert name.isprintable()
    assert name.rpartition(".")[0].strip(" .")
    assert file_name(name, kind) == name


def test_d05_files_are_bounded_in_size_number_and_kind(desk: CaseDesk) -> None:
    case, _ = desk.one()
    with desk.firm.tx(desk.ana) as tx:
        with pytest.raises(AttachmentTooLarge):
            attachments.add(tx, case.id, "a.txt", "text/plain", b"x" * (BYTES_MAX + 1))
        for number in range(FILES_MAX):
            attachments.add(tx, case.id, f"{number}.txt", "text/plain", b"x")
        with pytest.raises(Exception, match="up to 20 files"):
            attachments.add(tx, case.id, "b.txt", "text/plain", b"x")
        found, _ = cases.detail(tx, case.id)
        attachments.remove(tx, case.id, found.attachments[0].id)
        _, content = attachments.fetch(tx, case.id, found.attachments[1].id)
        assert content == b"x"
    for kind, content in (("image/svg+xml", b"<svg/>"), ("image/png", b"GIF89a"), ("text/plain", b"\xff\x00")):
        with pytest.raises(AttachmentRefused):
            media_type(kind, content)


def test_i05_what_people_write_is_sealed(desk: CaseDesk, database: Database) -> None:
    case, _ = desk.one()
    with desk.firm.tx(desk.ana) as tx:
        cases.add_note(tx, case.id, "Their secret is out")
        attachments.add(tx, case.id, "secret.txt", "text/plain", b"Their secret is out")
    with desk.firm.tx() as tx:
        for table in ("decisions_case_entries", "decisions_case_attachments"):
            for row in tx.connection.exec_driver_sql(f"select * from {table}"):
                assert b"secret" not in b" ".join(bytes(one) for one in row if isinstance(one, bytes | memoryview))


def test_i01_a_report_leaves_in_clear_with_two_people_only(desk: CaseDesk) -> None:
    case, (alert,) = desk.one(customer_id="CUST-0055443322", merchant_name=_SCRIPT)
    settings = desk.firm.settings
    with desk.firm.tx(desk.budi) as tx, pytest.raises(NotYourCase):
        reports.get_report(tx, case.id)
    desk.take(case)

    def export(*, html: bool) -> Any:
        with desk.firm.tx(desk.ana) as tx:
            return reports.export_report(tx, settings, PROPOSAL_KINDS, case.id, html=html, reason="The law asks.")

    with desk.firm.tx(desk.ana) as tx:
        first = reports.get_report(tx, case.id)
        assert (first.version, "1 transactions" in first.draft.reason) == (0, True)
        written = ReportDraft(reason=f"Structured. {_SCRIPT}", action="Blocked.", indicators=["Structuring"])
        assert reports.save_report(tx, case.id, 0, written).version == 1
        with pytest.raises(CaseChanged, match="A Person has changed this report"):
            reports.save_report(tx, case.id, 0, ReportDraft())
    waits = export(html=False)
    assert export(html=True).id == waits.id
    administrator = acting(desk.firm.user(Role.ADMINISTRATOR))
    with desk.firm.tx(administrator) as tx:
        proposals.decide(tx, PROPOSAL_KINDS, waits.id, approve=True, sha256=waits.payload_sha256, reason="It is due.")
    made = json.loads(export(html=False))
    assert (made["report_code"], made["entity_reference"]) == ("STR", f"CASE-{case.number}")
    assert made["transaction"][0]["transactionnumber"] == alert.event_id
    assert made["activity"]["report_parties"][0]["client_number"] == "CUST-0055443322"
    page = export(html=True).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    # What was approved is this text; another one is asked for again.
    with desk.firm.tx(desk.ana) as tx:
        reports.save_report(tx, case.id, 1, ReportDraft(reason="Another story."))
    assert not isinstance(export(html=False), bytes)


def test_i02_an_erased_customer_is_gone_from_cases(desk: CaseDesk, worker_database: Database) -> None:
    case, _ = desk.one(customer_id="CUST-gone")
    taken = desk.take(case)
    with desk.firm.tx(desk.ana) as tx:
        cases.add_note(tx, case.id, "CUST-gone called.")
        attachments.add(tx, case.id, "a.txt", "text/plain", b"CUST-gone")
        reports.save_report(tx, case.id, 0, ReportDraft(reason="CUST-gone"))
        judgements.close_case(tx, case.id, cases.get_case(tx, case.id).version, AlertState.CONFIRMED, "CUST-gone did.")
    with desk.worker.transaction(desk.firm.tenant.id, desk.ana) as tx:
        assert alerts.part_customer(tx, "CUST-gone", "salt") == 1
    with desk.firm.tx(desk.ana) as tx:
        found, _ = cases.detail(tx, taken.id)
        assert found.case.subject.startswith("erased-")
        assert found.attachments == []
        assert not [one for one in found.entries if one.text]
        assert not [one for one in found.judgements if one.reason]
        assert reports.get_report(tx, case.id).version == 0
    desk.check()


_THING = st.sampled_from(["device:d1", "device:d2", "payee:p1", "card:a|1"])
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.none() | st.integers(0, 300).map(lambda n: f"c{n}"),
            "account_id": st.none() | st.integers(0, 300).map(lambda n: f"a{n}"),
            "thing": _THING,
            "times": st.integers(1, 50),
            "last_at": st.just(AT),
        }
    ),
    max_size=300,
)


@given(_ROWS)
def test_a_graph_is_bounded_and_every_edge_has_its_ends(rows: list[dict[str, Any]]) -> None:
    found = graph("customer_id", "c0", rows, [], {"device:d1": (2, 1)}, rows_max=500)
    ids = {one.id for one in found.nodes}
    assert len(found.nodes) == len(ids) <= NODES_MAX
    assert [one.id for one in found.nodes if one.here] == ["customer:c0"]
    assert all(edge.source in ids and edge.target in ids for edge in found.edges)
    assert all(one.open_alerts == (2 if one.id == "device:d1" else 0) for one in found.nodes)

"""Digests go out when they are due, with the rights of that moment, and say what rows would not."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
import pytest

from finer.dashboards.rules.digest import line_of, message_of
from finer.dashboards.service import dashboards, digests
from finer.dashboards.types import Dashboard, Draft, QueryPart, TileData, TileKind, TileState
from finer.identity.service import people
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.mail import Mail, Mailer, MailNotSent
from finer.notifications import service as notifications
from finer.notifications.types import DeliveryState
from finer.workspace.errors import CannotBeUsed
from finer.workspace.types import ResultColumn, Sharing
from tests.dashboards.conftest import make_board, query_tile, save, tile
from tests.support.mail import relay
from tests.workspace.conftest import Desk

_CRON = "*/1 * * * *"


def _due(desk: Desk, board: Dashboard) -> None:
    with desk.firm.tx() as tx:
        tx.connection.exec_driver_sql(
            "update dashboards_digests set next_at = now() - interval '1 minute' where dashboard_id = %s", (board.id,)
        )


def _send(desk: Desk) -> list[uuid.UUID]:
    with desk.firm.tx(SYSTEM) as tx:
        due = digests.take_due(tx)
    for digest, reader in due:
        with desk.firm.tx(reader) as tx:
            digests.send(tx, desk.settings, digest)
    with desk.firm.tx() as tx:
        rows = tx.connection.exec_driver_sql(
            "select id from notifications_deliveries where state = 'waiting' order by created_at"
        )
        return [row[0] for row in rows]


def _mail(desk: Desk, identifier: uuid.UUID) -> Mail | None:
    with desk.firm.tx(SYSTEM) as tx:
        found = notifications.mail_to_send(tx, identifier)
        if found is not None:
            notifications.delivered(tx, identifier)
        return found


def test_a_digest_goes_out_once_and_names_what_its_reader_may_see(desk: Desk) -> None:
    hidden = save(desk, "select 'secret' as word", Sharing.OWN)
    board = make_board(desk, tile("m", kind=TileKind.NUMBER, title="Placed <b>"), query_tile(hidden))
    with desk.tx(Role.EXECUTIVE) as tx:
        digests.set_digest(tx, board.id, _CRON, "Asia/Manila")
        assert digests.take_due(tx) == []
    _due(desk, board)
    waiting = _send(desk)
    assert len(waiting) == 1
    assert _send(desk) == waiting
    mail = _mail(desk, waiting[0])
    assert mail is not None
    assert mail.to == desk.people[Role.EXECUTIVE].email
    assert "Placed <b>: 0" in mail.text
    assert "&lt;b&gt;" in mail.html
    assert "You may not see this tile." in mail.text
    assert "secret" not in mail.text
    assert _mail(desk, waiting[0]) is None
    with desk.firm.tx() as tx:
        kept = notifications.get_delivery(tx, waiting[0])
    assert kept is not None
    assert (kept.state, kept.text, kept.attempts) == (DeliveryState.SENT, None, 1)
    with desk.tx(Role.EXECUTIVE) as tx:
        digests.end_digest(tx, board.id)
        assert digests.own_digest(tx, board.id) is None


def test_a_digest_of_what_is_not_shared_any_more_rests_and_says_why(desk: Desk) -> None:
    board = make_board(desk, tile("m"))
    with desk.tx(Role.EXECUTIVE) as tx:
        digests.set_digest(tx, board.id, _CRON, "UTC")
    with desk.tx() as tx:
        dashboards.change_dashboard(tx, board.id, 1, Draft(name="Mine", sharing=Sharing.OWN))
    _due(desk, board)
    assert _send(desk) == []
    with desk.tx() as tx:
        dashboards.change_dashboard(tx, board.id, 2, Draft(name="Ours", sharing=Sharing.TENANT))
    with desk.tx(Role.EXECUTIVE) as tx:
        found = digests.own_digest(tx, board.id)
    assert found is not None
    assert (found.next_at, found.problem) == (None, "The dashboard is not shared with you any more.")


def test_whoever_is_shut_out_gets_nothing_that_waits(desk: Desk) -> None:
    board = make_board(desk, tile("m"))
    before = desk.people.pop(Role.CUSTOMER_MANAGER, None)
    with desk.tx(Role.CUSTOMER_MANAGER) as tx:
        digests.set_digest(tx, board.id, _CRON, "UTC")
    _due(desk, board)
    (waiting,) = _send(desk)
    with desk.firm.tx() as tx:
        people.disable_user(tx, email=desk.people[Role.CUSTOMER_MANAGER].email)
    assert _mail(desk, waiting) is None
    _due(desk, board)
    assert _send(desk) == []
    if before is not None:
        desk.people[Role.CUSTOMER_MANAGER] = before


@pytest.mark.parametrize(("cron", "zone"), [("every day", "UTC"), ("0 8 * * *", "Mars/Olympus")])
def test_times_that_never_come_are_refused(desk: Desk, cron: str, zone: str) -> None:
    board = make_board(desk, tile("m"))
    with desk.tx() as tx, pytest.raises(CannotBeUsed):
        digests.set_digest(tx, board.id, cron, zone)


def test_numbers_are_said_and_rows_are_not() -> None:
    columns = [ResultColumn("name", "text"), ResultColumn("n", "number")]
    data = TileData(state=TileState.SHOWN, columns=columns, rows=[["Maria", 1234]], total=1)
    part = QueryPart(saved=f"sav_{'0' * 32}")
    assert line_of(tile("q", kind=TileKind.NUMBER, query=part), data) == ("Tile q", "1,234")
    assert "Maria" not in line_of(tile("q", kind=TileKind.TABLE, query=part), data)[1]
    money = TileData(state=TileState.SHOWN, value=123456, exponent=2, currency="PHP", change=-0.051)
    assert line_of(tile("m"), money)[1] == "1,234.56 PHP (-5.1% against the time before)"
    grown = msgspec.structs.replace(money, change=920.67)
    assert line_of(tile("m"), grown)[1] == "1,234.56 PHP (\u00d7 922 against the time before)"
    unknown = TileData(state=TileState.SHOWN, exponent=2, currency="PHP")
    assert line_of(tile("m"), unknown)[1] == "Nothing is known of it in this time."


def test_a_message_is_handed_to_the_relay_and_never_split_into_headers() -> None:
    said = message_of("Board\r\nBcc: x@evil.example", "https://finer.example/d", [("A", "1")], datetime.now(UTC))
    with relay() as (port, taken):
        mailer = Mailer(f"smtp://127.0.0.1:{port}", "finer@firm.example")
        mailer.send(Mail(id="1", to="a@firm.example", subject=said.subject, text=said.text, html=said.html))
    (mail,) = taken
    assert mail["To"] == "a@firm.example"
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == "<1@firm.example>"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "A: 1" in text.get_content()


def test_a_relay_that_is_not_there_is_said_without_the_address() -> None:
    mailer = Mailer("smtp://127.0.0.1:9", "finer@firm.example")
    with pytest.raises(MailNotSent) as caught:
        mailer.send(Mail(id="1", to="a@firm.example", subject="s", text="t", html="h"))
    assert "a@firm.example" not in caught.value.detail

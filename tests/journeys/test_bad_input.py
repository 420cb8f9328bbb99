"""Bad input, one kind after the other, through the API and the command line.

Each gives a clear problem document or a quarantined record; nothing is lost, nothing is half applied, and the next
request works.
"""

from __future__ import annotations

import functools
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bombs import gzip_bomb
from tests.support.server import Server

_GOOD: dict[str, Any] = {
    "event_id": "good",
    "type": "purchase",
    "occurred_at": "2026-01-05T10:00:00Z",
    "customer_id": "c1",
    "account_id": "a1",
    "amount": 10.25,
    "currency": "USD",
}
_NDJSON = "application/x-ndjson"


def _line(**fields: Any) -> bytes:
    return json.dumps(_GOOD | fields).encode() + b"\n"


def _post(server: Server, body: bytes, path: str = "/api/v1/events/transaction", **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {server.api_key}", "Content-Type": _NDJSON}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(server.url + path, content=body, headers=given, timeout=60)


def _still_works(server: Server, mark: str) -> None:
    answer = _post(server, _line(event_id=f"after-{mark}"))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


_QUARANTINED = {
    "broken json in the middle": (
        _line(event_id="q1") + b'{"event_id": "x", "amount": \n' + _line(event_id="q2"),
        2,
        "",
    ),
    "wrong types": (_line(amount="ten", event_id="q3") + _line(event_id=7), 0, "amount"),
    "nan": (b'{"event_id":"q4","occurred_at":"2026-01-05T10:00:00Z","customer_id":"c","amount":NaN}\n', 0, "amount"),
    "infinity": (_line(event_id="q5").replace(b"10.25", b"1e999"), 0, "amount"),
    "overflow": (_line(event_id="q6", amount=10**30), 0, "amount"),
    "more decimals than the currency has": (_line(event_id="q7", amount=1.005), 0, "amount"),
    "year 0": (_line(event_id="q8", occurred_at="0000-01-01T00:00:00Z"), 0, "occurred_at"),
    "year 9999": (_line(event_id="q9", occurred_at="9999-12-31T23:59:59Z"), 0, "occurred_at"),
    "a text of 10 MB": (_line(event_id="q10", merchant_name="x" * 10_000_000), 0, "merchant_name"),
    "invalid utf-8": (_line(event_id="q11", merchant_name="XX").replace(b"XX", b"\xff\xfe"), 0, ""),
    "missing required": (b'{"event_id":"q12"}\n', 0, "customer_id"),
    "not an object": (b"[1, 2]\nnull\n", 0, ""),
}


@pytest.mark.parametrize("name", _QUARANTINED)
def test_a_bad_record_is_kept_with_its_reason(server: Server, name: str) -> None:
    body, accepted, field = _QUARANTINED[name]
    answer = _post(server, body)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert receipt["accepted"] == accepted
    assert receipt["received"] == accepted + receipt["quarantined"]
    assert receipt["quarantined"] >= 1
    assert any(problem["field"] == field for problem in receipt["problems"]), receipt["problems"]
    assert all(problem["reason"].endswith(".") for problem in receipt["problems"])
    stored = httpx.get(
        f"{server.url}/api/v1/quarantine", params={"receipt": receipt["id"]},
        headers={"Authorization": f"Bearer {server.api_key}"},
    ).json()  # fmt: skip
    assert len(stored["items"]) == receipt["quarantined"]
    _still_works(server, name.replace(" ", "-"))


@functools.cache
def _refusals() -> dict[str, tuple[bytes, str, dict[str, str], int]]:
    events = "/api/v1/events/transaction"
    return {
        "empty body": (b"", events, {}, 400),
        "only white space": (b" \n\n", events, {}, 400),
        "wrong content type": (_line(), events, {"Content_Type": "application/xml"}, 415),
        "wrong encoding": (_line(), events, {"Content_Encoding": "br"}, 415),
        "truncated gzip": (gzip.compress(_line() * 100)[:-10], events, {"Content_Encoding": "gzip"}, 400),
        "not gzip at all": (_line(), events, {"Content_Encoding": "gzip"}, 400),
        "decompression bomb": (gzip_bomb(b"\n", 400), events, {"Content_Encoding": "gzip"}, 413),
        "over the limit": (_line() * 250_000, events, {}, 413),
        "unknown contract": (_line(), "/api/v1/events/nonsense", {}, 404),
        "not parquet": (b"PAR1 nonsense", events, {"Content_Type": "application/vnd.apache.parquet"}, 400),
        "not arrow": (b"ARROW1 nonsense", events, {"Content_Type": "application/vnd.apache.arrow.stream"}, 400),
        "no key": (_line(), events, {"Authorization": ""}, 401),
        "wrong key": (_line(), events, {"Authorization": "Bearer fk_00000000_nonsense"}, 401),
    }


@pytest.mark.parametrize("name", _refusals())
def test_a_bad_request_gets_a_problem_document(server: Server, name: str) -> None:
    body, path, headers, status = _refusals()[name]
    answer = _post(server, body, path, **headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert len(problem["detail"]) > 20
    _still_works(server, name.replace(" ", "-"))


@pytest.mark.parametrize("path", ["/api/v1/recipts", "/api/v1/recipts/rct_1", "/api/recipts"])
def test_an_endpoint_that_does_not_exist_is_told_in_a_problem_document(server: Server, path: str) -> None:
    answer = httpx.get(server.url + path, timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == f"There is no endpoint {path}. /api/v1/openapi.json lists them."


def test_a_body_without_a_length_is_refused_at_the_same_limit(server: Server) -> None:
    answer = httpx.post(
        f"{server.url}/api/v1/events/transaction",
        content=(_line() * 1_000 for _ in range(400)),
        headers={"Authorization": f"Bearer {server.api_key}", "Content-Type": "application/x-ndjson"},
        timeout=60,
    )
    assert answer.status_code == 413
    assert "Send it in parts" in answer.json()["detail"]
    _still_works(server, "chunked")


def test_the_same_id_with_another_content_is_told(server: Server) -> None:
    receipts = [_post(server, _line(event_id="twice", amount=amount)).json() for amount in (5, 5, 6)]
    found = []
    for receipt in receipts:
        while receipt["state"] != "done":
            receipt = httpx.get(  # noqa: PLW2901 - the same receipt, later
                f"{server.url}/api/v1/receipts/{receipt['id']}", headers={"Authorization": f"Bearer {server.api_key}"}
            ).json()
        found.append((receipt["accepted"], receipt["duplicate"], receipt["conflicting"]))
    assert found == [(1, 0, 0), (0, 1, 0), (0, 1, 1)]


def test_unknown_fields_are_named_and_left_out(server: Server) -> None:
    receipt = _post(server, _line(event_id="unknown", colour="red", secret=1)).json()
    assert (receipt["accepted"], sorted(receipt["unknown_fields"])) == (1, ["colour", "secret"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ingest", "transaction", "no-such-file.csv", "--tenant", "{tenant}"), "There is no file"),
        (("ingest", "nonsense", "{file}", "--tenant", "{tenant}"), "There is no contract 'nonsense'"),
        (("ingest", "transaction", "{file}", "--tenant", "nobody"), "There is no firm 'nobody'"),
        (("sql", "drop table transactions", "--tenant", "{tenant}"), "SELECT"),
        (("sql", "select * from nonsense", "--tenant", "{tenant}"), "nonsense"),
        (("sql", "select * from read_csv('/etc/passwd')", "--tenant", "{tenant}"), "finer:"),
        (("key", "create", "x", "--scope", "everything", "--tenant", "{tenant}"), "everything is no permission"),
        (("tenant", "create", "Not A Slug", "Name"), "short name"),
        (
            (
                "quarantine",
                "fix",
                "--contract",
                "order",
                "--field",
                "quantty",
                "--set",
                "quantity=1",
                "--tenant",
                "{tenant}",
            ),
            "There is no field 'quantty' in the contract order. Did you mean quantity? `finer quarantine causes`",
        ),
        (
            ("export", "transactions", "--from", "2026-04-01", "--to", "2026-03-01", "--tenant", "{tenant}"),
            "The range ends before it begins",
        ),
        (
            ("audit", "export", "--from", "2026-04-01", "--to", "2026-03-01", "--tenant", "{tenant}"),
            "The range ends before it begins",
        ),
        (
            ("model", "register", "{file}", "--name", "x", "--threshold", "0.5", "--tenant", "{tenant}"),
            "not a LightGBM model",
        ),
    ],
)
def test_the_command_line_says_what_is_wrong(
    server: Server, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    file = tmp_path / "bad.ndjson"
    file.write_bytes(b"nonsense\n")
    done = server.run_here(*(argument.format(file=file, tenant=server.tenant) for argument in arguments))
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), done.exception
    assert says in done.stderr


def test_a_wrong_command_ends_a_process_without_a_traceback(server: Server) -> None:
    command = [sys.executable, "-m", "finer.app.cli", "sql", "select", "--tenant", server.tenant]
    done = subprocess.run([*command, "--data-dir", str(server.folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("finer: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", ["", "/causes"])
def test_quarantine_of_a_contract_that_does_not_exist_is_not_found(server: Server, path: str) -> None:
    answer = httpx.get(
        f"{server.url}/api/v1/quarantine{path}", params={"contract": "ordr"},
        headers={"Authorization": f"Bearer {server.api_key}"},
    )  # fmt: skip
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:finer:problem:unknown-contract"


def test_a_file_with_bad_lines_is_accounted_for(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "mixed.ndjson.gz"
    file.write_bytes(gzip.compress(_line(event_id="f1") + b"broken\n" + _line(event_id="f2", amount=-1)))
    done = server.run_here("ingest", "transaction", str(file), "--tenant", server.tenant, "--json")
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["received"], report["accepted"], report["quarantined"]) == (3, 1, 2)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.ndjson", b"", "The file is empty."),
        ("cut.ndjson.gz", gzip.compress(_line() * 100)[:-10], "ends too early"),
        ("cut.parquet", b"PAR1 and no more", "The Parquet data cannot be read"),
        ("cut.arrow", b"ARROW1 and no more", "The Arrow data cannot be read"),
        ("one.json", b'{"a": 1}', "One record per line is .ndjson"),
        ("notes.txt", b"x", "tells no format"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(server: Server, tmp_path: Path, name: str, data: bytes, says: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    done = server.run_here("ingest", "transaction", str(file), "--tenant", server.tenant)
    assert done.exit_code == 1
    assert says in done.stderr
    assert name in done.stderr
    assert isinstance(done.exception, SystemExit), done.exception


def test_everything_still_holds(server: Server) -> None:
    assert json.loads(server.finer_here("verify", "--json")) == {"ok": True, "violations": []}

"""`finer contract` for the CI of producers: files only, sentences for people, exit codes and JSON for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finer.app.cli import main
from tests.ingest.contract_texts import document, field, text, with_field, with_options
from tests.ingest.records import line, lines


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["contract", *arguments])


def test_good_records_end_with_zero_and_bad_ones_with_one(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.ndjson"
    good.write_bytes(lines(3))
    bad.write_bytes(lines(2) + b"\n" + line(amount=-1) + b"\n")
    done = _run("test", "transaction", str(good))
    assert (done.exit_code, done.output) == (
        0,
        "transaction/1.0.0: 3 records, 3 would be accepted, 0 quarantined.\n",
    )
    done = _run("test", "transaction", str(good), str(bad), "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert (found["received"], found["quarantined"]) == (6, 1)
    (cause,) = found["causes"]
    assert (cause["field"], cause["rule"]) == ("amount", "range")
    assert "bad.ndjson:" in cause["example"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("test", "nothing.yaml", "x.ndjson"), "neither a readable file nor a built-in contract"),
        (("test", "transaction", "x.ndjson"), "There is no file x.ndjson"),
        (("diff", "transaction", "nothing"), "neither a readable file"),
    ],
)
def test_what_is_not_there_is_told(arguments: tuple[str, ...], sentence: str) -> None:
    done = _run(*arguments)
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_file_that_cannot_be_read_is_named_among_several(tmp_path: Path) -> None:
    good, empty = tmp_path / "good.ndjson", tmp_path / "empty.ndjson"
    good.write_bytes(lines(1))
    empty.write_bytes(b"")
    done = _run("test", "transaction", str(good), str(empty))
    assert done.exit_code == 1
    assert f"{empty}: The file is empty." in done.output


def test_a_broken_contract_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(with_field(logicalType="colour"))
    done = _run("diff", "transaction", str(path))
    assert done.exit_code == 1
    assert "mine.yaml: schema[0].properties[20] (loyalty_id): logicalType 'colour'" in done.output


def test_a_difference_asks_for_its_version(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(with_field("1.1.0"))
    done = _run("diff", "transaction", str(path))
    assert done.exit_code == 0
    assert "minor  loyalty_id is new; records may come without it." in done.output
    path.write_text(with_options("amount", "1.1.0", maximum=5))
    done = _run("diff", "transaction", str(path), "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert (found["level"], found["lowest_version"], found["version_is_enough"]) == ("major", "2.0.0", False)
    done = _run("diff", "transaction", "transaction")
    assert (done.exit_code, done.output) == (0, "Nothing differs.\n")


def test_a_change_that_publication_refuses_ends_with_1_and_its_sentence(tmp_path: Path) -> None:
    found = document("order", "2.0.0")
    field(found, "region").update(logicalType="integer", logicalTypeOptions={})
    path = tmp_path / "mine.yaml"
    path.write_text(text(found))
    done = _run("diff", "order", str(path))
    assert done.exit_code == 1
    assert "It cannot be published: region changes its type, which a column of the lake cannot." in done.output
    told = json.loads(_run("diff", "order", str(path), "--json").output)
    assert (told["version_is_enough"], len(told["refused"])) == (True, 2)

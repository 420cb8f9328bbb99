"""Files of lists: each format, and the files that somebody sends to do harm."""

from __future__ import annotations

import json

import pytest

from finer.screening.errors import ScreeningListNotAcceptable
from finer.screening.rules.files import ENTRIES_MAX, read_list
from finer.screening.types import EntityType

SIMPLE = (
    '"id","schema","name","aliases","birth_date","countries","addresses","identifiers","sanctions","phones","emails",'
    '"dataset","first_seen","last_seen","last_change"\n'
    '"Q7747","Person","Vladimir Putin","Putin;Владимир Путин","1952-10-07","ru;suhh","Moscow","P123456","Reg 1",'
    '"","","EU FSF","2022-01-01","2026-01-01","2025-01-01"\n'
)


def refused(text: str) -> ScreeningListNotAcceptable:
    """Why a file is not taken."""
    with pytest.raises(ScreeningListNotAcceptable) as caught:
        read_list(text)
    return caught.value


def test_the_simple_targets_of_opensanctions_are_read() -> None:
    (one,) = read_list("\ufeff" + SIMPLE)
    assert (one.id, one.programme, one.dataset) == ("Q7747", "Reg 1", "EU FSF")
    assert one.profile.names == ("Vladimir Putin", "Putin", "Владимир Путин")
    assert (one.profile.type, one.profile.birth_dates) == (EntityType.PERSON, ("1952-10-07",))
    assert (one.profile.countries, one.profile.identifiers) == (("RU",), ("P123456",))


def test_entities_of_followthemoney_are_read_and_their_links_passed_over() -> None:
    lines = [
        {"id": "a", "schema": "Person", "datasets": ["un"], "properties": {
            "name": ["Kim Jong Un"], "alias": ["Kim\u2028Jong"[:3]], "birthDate": ["1984-01-08"], "country": ["kp"]}},
        {"id": "b", "schema": "Sanction", "properties": {"entity": ["a"]}},
        {"id": "c", "schema": "Company", "properties": {"name": ["Acme"], "registrationNumber": ["77-1"]}},
    ]  # fmt: skip
    found = read_list("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    assert [one.id for one in found] == ["a", "c"]
    assert found[0].profile.countries == ("KP",)
    assert (found[1].profile.type, found[1].profile.identifiers) == (EntityType.ORGANISATION, ("77-1",))


def test_a_file_of_ones_own_needs_names_alone_and_keeps_its_ids() -> None:
    one, other = read_list("name,birth_date\nAna Cruz,1970\n\nBen Reyes,\n")
    again, _ = read_list("name,birth_date\nCRUZ Ana,1970\nBen Reyes,\n")
    assert one.id == again.id != other.id
    assert one.id.startswith("own-")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "names the columns"),
        ("nome\nAna", 1, "names the columns"),
        ("name,secret\nAna,1", 1, "names the columns"),
        ("name\n", None, "no entries"),
        ("name,id\nAna\n", 2, "1 columns"),
        ("name\n\u200b\n", 2, "no name"),
        ("name,birth_date\nAna,07/10/1952\n", 2, "no birth date"),
        ("id,name\n1,Ana\n1,Ben\n", 3, "earlier line"),
        ('name\n"Ana\n', None, "unexpected end"),
        ('{"id": "a"', 1, "FollowTheMoney"),
        ('{"id": 5, "schema": "Person"}', 1, "FollowTheMoney"),
        ("name\n" + "x" * 2_000, 2, "1000 printable"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, line: int | None, said: str) -> None:
    error = refused(text)
    assert said in error.detail
    if line is not None:
        assert error.members["line"] == line


def test_d01_a_file_made_to_exhaust_is_refused_early() -> None:
    assert "at most 1000 printable" in refused('name\n"' + "a" * 200_000 + '"\n').detail
    assert "at most 1,000,000 letters" in refused('name\n"' + "a" * 2_000_000 + '"\n').detail
    assert "at most 1000 names" in refused("name,aliases\nAna," + ";".join(f"A{n}" for n in range(1_200)) + "\n").detail
    assert refused("[" * 100_000).members["line"] == 1
    assert "FollowTheMoney" in refused('{"id":"a","schema":"Person","properties":' + "[" * 100_000).detail
    many = "name\n" + "".join(f"Person {n}\n" for n in range(ENTRIES_MAX + 2))
    assert f"{ENTRIES_MAX:,} entries" in refused(many).detail


def test_c11_a_formula_is_a_name_like_any_other() -> None:
    (one,) = read_list("name\n\"=cmd|' /C calc'!A0\"\n")
    assert one.profile.names == ("=cmd|' /C calc'!A0",)

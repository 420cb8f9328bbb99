"""Bodies of the social networks in recorded shapes, written by hand, taken apart and held to `social_post`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.ingest.errors import ContractInvalid
from finer.ingest.rules.contract import compile_contract
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body, ParsedBody
from finer.kit.errors import TooLarge

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POST = contracts.contract("social_post")
X_SEARCH: dict[str, Any] = {
    "data": [
        {
            "id": "1725870000000000001",
            "text": "Blocked again at checkout, thanks @acmebank #fail",
            "author_id": "2244994945",
            "created_at": "2026-11-20T10:00:00.000Z",
            "conversation_id": "1725870000000000001",
            "edit_history_tweet_ids": ["1725870000000000001"],
            "lang": "en",
            "entities": {
                "hashtags": [{"start": 44, "end": 49, "tag": "fail"}],
                "mentions": [{"start": 34, "end": 43, "username": "acmebank", "id": "77"}],
            },
            "public_metrics": {
                "retweet_count": 3, "reply_count": 2, "like_count": 11, "quote_count": 0, "impression_count": 950,
            },
        },
        {
            "id": "1725870000000000002",
            "text": "same here",
            "author_id": "999",
            "created_at": "2026-11-20T10:01:00.000Z",
            "edit_history_tweet_ids": ["1725870000000000002"],
            "referenced_tweets": [{"type": "replied_to", "id": "1725870000000000001"}],
        },
    ],
    "includes": {
        "users": [
            {
                "id": "2244994945", "name": "Ana Cruz", "username": "anacruz", "verified": False,
                "description": "never mapped", "public_metrics": {"followers_count": 512, "tweet_count": 90},
            }
        ]
    },
    "meta": {"newest_id": "1725870000000000002", "result_count": 2},
}  # fmt: skip
GRAPH_FEED: dict[str, Any] = {
    "data": [
        {
            "id": "1234_5678",
            "created_time": "2026-11-20T09:30:00+0000",
            "message": "Great service",
            "story": "Ana was at Acme Bank.",
            "from": {"id": "100", "name": "Ana Cruz"},
            "permalink_url": "https://www.facebook.com/1234/posts/5678",
            "status_type": "mobile_status_update",
            "shares": {"count": 4},
            "reactions": {"data": [], "summary": {"total_count": 20, "viewer_reaction": "NONE"}},
            "likes": {"data": [], "summary": {"total_count": 18}},
            "comments": {"data": [], "summary": {"total_count": 6}},
        }
    ],
    "paging": {"cursors": {"before": "a", "after": "b"}},
}


def _parse(data: bytes, kind: str = "json") -> ParsedBody:
    return parsing.parse_body(POST, Body(data=data, format=kind), NOW)


def test_a_search_of_x_is_accepted_with_its_authors() -> None:
    parsed = _parse(json.dumps(X_SEARCH).encode())
    assert (parsed.received, parsed.refused) == (2, [])
    first, second = parsed.batch.to_pylist()
    assert (first["network"], first["post_id"], first["lang"]) == ("x", "1725870000000000001", "en")
    assert (first["author_handle"], first["author_name"], first["author_followers"]) == ("anacruz", "Ana Cruz", 512)
    assert (first["likes"], first["shares"], first["replies"], first["impressions"]) == (11, 3, 2, 950)
    assert (first["hashtags"], first["mentions"], first["author_verified"]) == ("fail", "acmebank", False)
    assert first["occurred_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (second["author_id"], second["author_handle"], second["kind"]) == ("999", None, "replied_to")


def test_a_feed_of_the_graph_api_is_accepted_and_the_preferred_of_two_names_counts() -> None:
    parsed = _parse(json.dumps(GRAPH_FEED).encode())
    assert parsed.refused == []
    (post,) = parsed.batch.to_pylist()
    assert (post["network"], post["text"], post["likes"], post["replies"]) == ("facebook", "Great service", 20, 6)
    assert (post["author_id"], post["author_name"], post["shares"]) == ("100", "Ana Cruz", 4)
    assert post["occurred_at"] == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_a_stream_brings_one_payload_per_line_and_other_lines_stay_as_they_are() -> None:
    one = {"data": X_SEARCH["data"][0], "includes": X_SEARCH["includes"], "matching_rules": [{"id": "1"}]}
    flat = {"post_id": "9", "network": "linkedin", "text": "hi", "occurred_at": "2026-11-20T10:00:00Z"}
    bare = {**X_SEARCH["data"][1]}
    lines = [json.dumps(one), json.dumps(flat), "{broken", json.dumps(bare), "[1]", ""]
    parsed = _parse("\n".join(lines).encode(), "ndjson")
    assert parsed.batch.column("network").to_pylist() == ["x", "linkedin", "x"]
    assert [(record.line, record.raw) for record in parsed.refused] == [(3, b"{broken"), (5, b"[1]")]
    assert parsed.received == 5


def test_the_same_reading_twice_is_the_same_record_and_another_one_is_not() -> None:
    later = json.loads(json.dumps(X_SEARCH))
    later["data"][0]["public_metrics"]["like_count"] = 12
    ids = [
        _parse(json.dumps(body).encode()).batch.column("event_id").to_pylist() for body in (X_SEARCH, X_SEARCH, later)
    ]
    assert ids[0] == ids[1]
    assert ids[0][0] != ids[2][0]
    assert ids[0][1] == ids[2][1]


def test_an_empty_page_is_no_record_and_a_broken_post_is_kept_with_all_it_said() -> None:
    empty = _parse(json.dumps({"data": [], "meta": {"result_count": 0}}).encode())
    assert (empty.received, empty.batch.num_rows) == (0, 0)
    broken = {**X_SEARCH["data"][0], "created_at": "yesterday", "unmapped": {"deep": [1, {"x": 1.10}]}}
    (record,) = _parse(json.dumps({"data": [broken]}).encode()).refused
    assert [error.field for error in record.errors] == ["occurred_at"]
    assert json.loads(record.raw)["unmapped.deep[]"] == '[1,{"x":1.1}]'


def test_what_is_no_object_among_posts_is_refused_and_not_passed_over() -> None:
    parsed = _parse(json.dumps(X_SEARCH | {"data": [X_SEARCH["data"][0], None, 1, "x", []]}).encode())
    assert (parsed.received, parsed.batch.num_rows) == (5, 1)
    assert {record.errors[0].rule for record in parsed.refused} == {"json"}


def test_what_refused_records_say_can_be_sent_again() -> None:
    broken = {**X_SEARCH["data"][0], "lang": "x" * 30}
    (record,) = _parse(json.dumps({"data": [broken], "includes": X_SEARCH["includes"]}).encode()).refused
    mended = json.loads(record.raw) | {"lang": "en"}
    again = _parse(json.dumps(mended).encode(), "ndjson")
    assert again.refused == []
    assert again.batch.column("author_handle").to_pylist() == ["anacruz"]


def test_joining_does_not_multiply_a_small_body_beyond_the_limit() -> None:
    author = {"id": "1", "username": "u" * 100_000}
    posts = [{"id": str(i), "author_id": "1", "text": "t"} for i in range(2_000)]
    body = Body(data=json.dumps({"data": posts, "includes": {"users": [author]}}).encode(), format="json")
    with pytest.raises(TooLarge, match="Taken apart"):
        parsing.parse_body(POST, body, NOW, unpacked_bytes_max=1 << 20)


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_does_no_harm(depth: int) -> None:
    data = b'{"data": [{"author_id": "1", "x": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}]}"
    parsed = _parse(data, "ndjson")
    assert (parsed.received, parsed.batch.num_rows, len(parsed.refused)) == (1, 0, 1)


@pytest.mark.parametrize("start", ['{"data": ', '{"object": "page", "entry": '])
def test_lists_in_lists_do_no_harm(start: str) -> None:
    parsed = _parse((start + "[" * 900 + "]" * 900 + "}").encode(), "ndjson")
    assert parsed.received == len(parsed.refused)


@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_files_of_payloads_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.{suffix}"
    path.write_text(json.dumps(X_SEARCH) + "\n")
    groups = list(parsing.read_file(path, POST))
    assert sum(group.parsed.bodies[0].accepted for group in groups) == 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "id", "author_id", "includes",
        "object", "entry", "changes", "value", "users", "text", "public_metrics", "like_count", "x"]), inner,
        max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(_JSON, min_size=1, max_size=4))
def test_whatever_comes_is_counted(values: list[Any]) -> None:
    parsed = _parse(b"\n".join(json.dumps(value).encode() for value in values), "ndjson")
    assert parsed.received == parsed.batch.num_rows + len(parsed.refused)


def test_a_wrong_payload_names_its_place() -> None:
    text = contracts.built_in_texts()["social_post"].replace("records: [data]", "records: []", 1)
    with pytest.raises(ContractInvalid, match=r"payloads\[0\]: name, records and marks"):
        compile_contract(text, "mine.yaml")


FEED_CHANGES: dict[str, Any] = {
    "object": "page",
    "entry": [
        {
            "id": "1234",
            "time": 1795168806,
            "changes": [
                {
                    "field": "feed",
                    "value": {
                        "from": {"id": "100", "name": "Ana Cruz"}, "item": "status", "verb": "add",
                        "post_id": "1234_5678", "created_time": 1795168800, "published": 1, "message": "Great service",
                        "post": {"permalink_url": "https://www.facebook.com/1234/posts/5678", "id": "1234_5678"},
                    },
                },
                {
                    "field": "feed",
                    "value": {
                        "from": {"id": "101", "name": "Ben Lim"}, "item": "comment", "verb": "edited",
                        "comment_id": "5678_9", "post_id": "1234_5678", "parent_id": "1234_5678",
                        "created_time": 1795168805, "message": "Not for me",
                    },
                },
                {
                    "field": "feed",
                    "value": {
                        "from": {"id": "102", "name": "Chi"}, "item": "reaction", "verb": "add",
                        "reaction_type": "love", "post_id": "1234_5678", "created_time": 1795168806,
                    },
                },
                {"field": "feed", "value": {"item": "post", "verb": "remove", "post_id": "1234_1"}},
            ],
        }
    ],
}  # fmt: skip


def test_changes_that_facebook_tells_are_posts_and_comments_and_nothing_else() -> None:
    for kind in ("json", "ndjson"):
        parsed = _parse(json.dumps(FEED_CHANGES).encode(), kind)
        assert (parsed.received, parsed.refused) == (2, [])
        rows = {row["post_id"]: row for row in parsed.batch.to_pylist()}
        post, comment = rows["1234_5678"], rows["5678_9"]
        assert (post["network"], post["kind"], post["text"]) == ("facebook", "status", "Great service")
        assert (post["author_id"], post["author_name"]) == ("100", "Ana Cruz")
        assert post["url"] == "https://www.facebook.com/1234/posts/5678"
        assert post["occurred_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
        assert (comment["kind"], comment["conversation_id"], comment["text"]) == ("comment", "1234_5678", "Not for me")


def test_a_change_that_instagram_tells_is_as_old_as_its_notice() -> None:
    value = {
        "id": "17865", "text": "Nice", "from": {"id": "7", "username": "ana"},
        "media": {"id": "555", "media_product_type": "FEED"},
    }  # fmt: skip
    entry = {"id": "1", "time": 1795168800123, "changes": [{"field": "comments", "value": value}]}
    parsed = _parse(json.dumps({"object": "instagram", "entry": [entry]}).encode())
    assert parsed.refused == []
    (post,) = parsed.batch.to_pylist()
    assert (post["network"], post["post_id"], post["author_handle"]) == ("instagram", "17865", "ana")
    assert (post["conversation_id"], post["text"]) == ("555", "Nice")
    assert post["occurred_at"] == datetime(2026, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize("entry", [None, 7, "x", [], [None], [{"changes": "x"}], [{"changes": [{"value": [1, None]}]}]])
def test_a_notice_without_changes_is_no_record(entry: Any) -> None:
    assert _parse(json.dumps({"object": "page", "entry": entry}).encode()).received == 0

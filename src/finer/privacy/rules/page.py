"""A person's file as a page that a browser shows and a printer prints: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#111}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem;font-size:13px;display:block;overflow-x:auto}"
    "th,td{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}th{background:#f4f4f4}"
)


def page(document: Mapping[str, Any]) -> str:
    """The page of a document of `about`, `why` and `records`. Every value is escaped."""
    about = document["about"]
    parts = [
        f"<h1>What is kept about {escape(str(about['id']))}</h1><p>Made on {escape(str(about['made_at']))}.</p>",
        "<h2>Why it is kept</h2>",
        _table(document["why"]),
    ]
    for name, rows in document["records"].items():
        parts += [f"<h2>{escape(name)} ({len(rows)})</h2>", _table(rows) if rows else "<p>Nothing.</p>"]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Personal data</title>"
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in names) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "<br>".join(f"{escape(str(name))}: {_cell(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(one) for one in value)
    return escape(str(value))

"""The matrix: what every principal gets from every route, read from authz_matrix.csv and compared with the live app.

`python -m tests.security.matrix --missing` prints the lines of routes that the file does not have yet. It knows only
what holds for every route (401 without a credential that works); who else is let in is for a person to read from the
plan of the roles, and a `?` that is left fails the test.
"""

from __future__ import annotations

import csv
import functools
import itertools
import re
import sys
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path

import msgspec
from litestar import Litestar

from finer.app.api import create_app, route_handlers
from finer.identity.routes.edge import PUBLIC
from finer.kit.settings import Settings
from tests.security.world import PRINCIPALS, Samples, body_of
from tests.support.asgi import Answer, Driver

FILE = Path(__file__).with_name("authz_matrix.csv")
HEADER = ["method", "path", *PRINCIPALS]
_ADDRESSES = itertools.count(1)
_PARAMETER = re.compile(r"\{([a-z_]+):[a-z]+\}")


class Row(msgspec.Struct, frozen=True):
    """One route, and the status that each principal of its own firm gets."""

    method: str
    path: str
    expected: dict[str, str]

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"\{([a-z_]+)\}", self.path)

    @property
    def writes(self) -> bool:
        """Whether the route may change something."""
        return self.method not in ("GET", "HEAD")


@functools.cache
def read_rows(file: Path = FILE) -> tuple[Row, ...]:
    """The checked-in matrix. Raises ValueError for a header that is not that of the principals."""
    with file.open(newline="", encoding="utf-8") as handle:
        reader = csv.reader(handle)
        if (header := next(reader)) != HEADER:
            raise ValueError(f"The header of {file.name} is {header}; it must be {HEADER}.")
        return tuple(Row(line[0], line[1], dict(zip(PRINCIPALS, line[2:], strict=True))) for line in reader)


def live_routes(app: Litestar) -> dict[tuple[str, str], bool]:
    """Every (method, path) of the running app, and whether it is public; paths as in the file."""
    found = {}
    handlers = route_handlers(app)
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler in handlers:
                path = _PARAMETER.sub(r"{\1}", route.path)
                for method in handler.http_methods:
                    found[method, path] = handler.opt.get("permission") == PUBLIC
    return found


def missing_lines(app: Litestar, rows: Iterable[Row]) -> list[str]:
    """The lines to add: `?` stands where a person has to read what is right."""
    known = {(row.method, row.path) for row in rows}
    lines = []
    for (method, path), public in sorted(live_routes(app).items(), key=lambda one: (one[0][1], one[0][0])):
        if (method, path) not in known:
            stranger = "?" if public else "401"
            lines.append(",".join([method, path, stranger, stranger, *["?"] * (len(PRINCIPALS) - 2)]))
    return lines


def gone_lines(app: Litestar, rows: Iterable[Row]) -> list[str]:
    """Rows of routes that do not exist any more."""
    live = live_routes(app)
    return [f"{row.method} {row.path}" for row in rows if (row.method, row.path) not in live]


def ask(driver: Driver, row: Row, headers: dict[str, str], samples: Samples) -> Answer:
    """Ask a route for one of the samples, with a good body when one is known."""
    path = samples.path(row.path)
    if not row.writes:
        return driver.call(row.method, path, headers)
    body = body_of(samples, f"{row.method} {row.path}")
    # Attempts are counted by address, in a database that all tests of a process share: here nobody is to wait.
    number = next(_ADDRESSES)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return driver.call(row.method, path, headers | {"idempotency-key": uuid.uuid4().hex}, body, address)


def main() -> None:
    """Print what the file lacks."""
    if sys.argv[1:] != ["--missing"]:
        sys.exit("usage: python -m tests.security.matrix --missing")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=folder))
        print("\n".join(missing_lines(app, read_rows())))
        for gone in gone_lines(app, read_rows()):
            print(f"{gone} does not exist any more; take its line out.", file=sys.stderr)


if __name__ == "__main__":
    main()

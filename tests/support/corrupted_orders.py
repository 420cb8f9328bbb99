"""Order files with damage of the kinds that real ones arrive with, and what mends each kind.

As a program it damages a file of UCI Online Retail (Parquet) and writes it as CSV beside what undoes the damage:

    python -m tests.support.corrupted_orders online_retail.parquet damaged.csv --share 0.01 --seed 4
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

Row = dict[str, str]
COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country",
    "Currency",
)  # fmt: skip
MAPPING = Path(__file__).parents[2] / "docs/examples/online_retail_mapping.yaml"


class Mending(NamedTuple):
    """What mends one kind of damage: the cause by which quarantine shows it, the column, and its new value."""

    field: str
    rule: str
    column: str
    expression: str


def _swapped(row: Row) -> str | None:
    # Only a day that is no month shows that both were swapped; the others pass for other dates.
    month, day = row["InvoiceDate"][5:7], row["InvoiceDate"][8:10]
    return f"{row['InvoiceDate'][:5]}{day}-{month}{row['InvoiceDate'][10:]}" if int(day) > 12 else None


DAMAGE: dict[str, tuple[str, Callable[[Row], str | None]]] = {
    "a price with a comma": ("UnitPrice", lambda row: row["UnitPrice"].replace(".", ",")),
    "a negative price": ("UnitPrice", lambda row: f"-{row['UnitPrice']}"),
    "a currency in lower case": ("Currency", lambda row: row["Currency"].lower()),
    "a currency in words": ("Currency", lambda _: "POUNDS STERLING"),
    "day and month swapped": ("InvoiceDate", _swapped),
    "a quantity with its unit": ("Quantity", lambda row: f"{row['Quantity']} pcs"),
    "an invoice without a number": ("InvoiceNo", lambda _: ""),
    "an article padded with blanks": ("StockCode", lambda row: f"{row['StockCode']:^80}"),
    "a date of another century": ("InvoiceDate", lambda row: f"19{row['InvoiceDate'][2:]}"),
    "a date that is to come": ("InvoiceDate", lambda row: f"21{row['InvoiceDate'][2:]}"),
}
"""By kind: the column, and its damaged value; None where it would not show."""

MENDINGS: tuple[Mending, ...] = (
    Mending("UnitPrice", "type", "UnitPrice", "number(replace(raw.UnitPrice, ',', '.'))"),
    Mending("unit_price", "range", "UnitPrice", "case when InvoiceNo like 'A%' then UnitPrice else abs(UnitPrice) end"),
    Mending(
        "unit_price", "currency", "Currency",
        "case when Currency like 'POUND%' then 'GBP' else upper(Currency) end",
    ),
    Mending(
        "InvoiceDate", "type", "InvoiceDate",
        "concat(substring(InvoiceDate, 1, 5), substring(InvoiceDate, 9, 2), '-', substring(InvoiceDate, 6, 2), "
        "substring(InvoiceDate, 11, 9))",
    ),
    Mending("InvoiceDate", "timestamp_range", "InvoiceDate", "concat('20', substring(InvoiceDate, 3, 17))"),
    Mending("occurred_at", "timestamp_range", "InvoiceDate", "concat('20', substring(InvoiceDate, 3, 17))"),
    Mending("Quantity", "type", "Quantity", "number(replace(raw.Quantity, ' pcs', ''))"),
    Mending("order_id", "required", "InvoiceNo", "case when Quantity < 0 then 'C-lost' else 'lost' end"),
    Mending("product_id", "max_length", "StockCode", "trim(StockCode)"),
)  # fmt: skip


def mapping_text() -> str:
    """The mapping of the example, for a file that names its currency."""
    text = MAPPING.read_text("utf-8").replace("""currency: "'GBP'\"""", "currency: Currency")
    return text.replace("  Country: string\n", "  Country: string\n  Currency: string\n")


def orders(count: int, seed: int) -> list[Row]:
    """Made-up lines of invoices in the shape of that file."""
    chance = random.Random(seed)
    at = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    found = []
    for number in range(count):
        at += timedelta(minutes=chance.randrange(1, 200))
        back = chance.random() < 0.03
        quantity, price = chance.randrange(1, 40), chance.randrange(10, 2_000)
        found.append(
            {
                "InvoiceNo": f"{'C' if back else ''}{536_365 + number // 4}",
                "StockCode": f"{chance.randrange(20_000, 90_000)}{chance.choice(('', 'A', 'B'))}",
                "Description": chance.choice(('WHITE LANTERN, "LARGE"', "HEART T-LIGHT HOLDER", "JAM JAR")),
                "Quantity": str(-quantity if back else quantity),
                "InvoiceDate": f"{at:%Y-%m-%d %H:%M:%S}",
                "UnitPrice": f"{price // 100}.{price % 100:02}",
                "CustomerID": str(chance.randrange(12_000, 18_000)) if chance.random() < 0.8 else "",
                "Country": chance.choice(("United Kingdom", "United Kingdom", "France", "EIRE")),
                "Currency": "GBP",
            }
        )
    return found


def retail_orders(path: Path) -> Iterator[Row]:
    """The lines of the real file as texts, each in British pounds."""
    for batch in pq.ParquetFile(path).iter_batches():
        for row in batch.to_pylist():
            yield {name: "" if row.get(name) is None else str(row[name]) for name in COLUMNS} | {"Currency": "GBP"}


def damaged(rows: Iterable[Row], share: float, seed: int, told: Counter[str]) -> Iterator[Row]:
    """The rows, that share of them damaged in one way each; `told` counts the kinds."""
    chance = random.Random(seed)
    kinds = list(DAMAGE)
    for row in rows:
        if chance.random() >= share:
            yield row
            continue
        kind = chance.choice(kinds)
        column, damage = DAMAGE[kind]
        value = damage(row)
        if value is None or value == row[column]:
            yield row
            continue
        told[kind] += 1
        yield row | {column: value}


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """The rows as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Damage a file and say how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=4)
    chosen = parser.parse_args()
    told: Counter[str] = Counter()
    write_csv(damaged(retail_orders(chosen.source), chosen.share, chosen.seed, told), chosen.target)
    chosen.target.with_suffix(".mapping.yaml").write_text(mapping_text(), "utf-8")
    for kind, count in told.most_common():
        print(f"{count:>8,}  {kind}")


if __name__ == "__main__":
    main()

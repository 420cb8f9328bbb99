"""Spark over Parquet files of the lake: what `finer export` writes, or a folder of such files.

    spark-submit read_lake_with_spark.py transactions.parquet

Spark does not read the folder of a DuckLake by itself: it would also read files that were merged into others, and rows
that were erased since. An export holds each row once.
"""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f


def main(path: str) -> None:
    """Print rows and amounts by currency and month."""
    spark = (
        SparkSession.builder.appName("finer-lake")
        .master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    rows = spark.read.parquet(path)
    by_month = (
        rows.groupBy(f.date_trunc("month", "occurred_at").alias("month"), "currency")
        .agg(f.count("*").alias("rows"), f.sum("amount_minor").alias("amount_minor"))
        .orderBy("month", "currency")
    )
    by_month.show(truncate=False)
    print(f"{rows.count()} rows, {len(rows.columns)} columns")
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])

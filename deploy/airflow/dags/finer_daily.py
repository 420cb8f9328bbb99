"""Every day: send yesterday's file, wait until the lake holds it, and have its small files merged.

The connection `finer_default` names Finer and the API key. FINER_FILES is where the files are, one for each day.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2
    from airflow.decorators import dag

from finer_airflow.operators import FinerJobOperator, FinerSendFileOperator, FinerTableSensor


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["finer"],
)
def finer_daily() -> None:
    """Send, wait, merge."""
    folder = os.environ.get("FINER_FILES", "/srv/finer")
    send = FinerSendFileOperator(
        task_id="send_transactions",
        contract="transaction",
        path=f"{folder}/transactions-{{{{ ds }}}}.ndjson",
        quarantined_share_max=0.01,
    )
    wait = FinerTableSensor(
        task_id="wait_for_lake",
        table="transactions",
        until="{{ data_interval_start.isoformat() }}",
        mode="reschedule",
        poke_interval=30,
        timeout=3600,
    )
    merge = FinerJobOperator(task_id="merge_files", job="compact_lake", deferrable=True)
    send >> wait >> merge


finer_daily()

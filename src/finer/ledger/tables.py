"""Tables of the ledger; seen by the store and by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from finer.kit.db import metadata

exchange_rates = sa.Table(
    "ledger_exchange_rates",
    metadata,
    sa.Column("tenant_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("usd_per_unit", sa.Numeric, nullable=False),
)

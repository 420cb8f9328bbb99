"""The SQL of customers over the lake: who they are by their newest profile, and which profiles are new."""

from __future__ import annotations

CUSTOMERS = """
select customer_id, full_name, date_of_birth, gender, citizenship_code, residence_country, log_partition, log_offset
  from (select *, row_number() over (partition by customer_id order by occurred_at desc, log_offset desc) as newest
          from customer_profiles)
 where newest = 1 and full_name is not null
"""
"""The newest profile of every customer."""
NEW_CUSTOMERS = f"{CUSTOMERS} and log_partition = $partition and log_offset >= $after and log_offset < $until"
"""Those of them that arrived in a partition of the log from one offset to before another."""
LAST_OFFSETS = "select log_partition, max(log_offset) as last from customer_profiles group by log_partition"
"""The last profile of each partition."""

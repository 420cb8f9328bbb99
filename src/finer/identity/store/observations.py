"""What detection reads: fresh entries of the trail with what came before them, and callers who read much."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.rules.detection import EXPORTS, PRIVILEGES, REFUSABLE
from finer.identity.tables.audit import security_progress
from finer.kit.tx import Tx

# One row for each entry after a sequence. Each lateral query asks one index for the few minutes or days before the
# entry, and only for entries that it can say something of.
_FRESH = """
with fresh as (
  select e.tenant_id, e.id, e.at, e.actor_kind, e.actor_id, e.actor_name, e.actor_role, e.action, e.subject, e.outcome,
         e.origin, e.user_agent, e.request, e.detail, s.sequence,
         e.action = any(%(refusable)s) and e.outcome in ('refused', 'throttled') as refused,
         e.action = 'session:begin' and e.outcome = 'done' as sign_in,
         case when e.action = 'session:begin' and e.outcome = 'done'
              then 'usr_' || replace(e.actor_id, '-', '') else e.subject end as account
    from identity_audit_seals s
    join identity_audit_entries e on e.tenant_id = s.tenant_id and e.id = s.entry_id
   where s.tenant_id = %(tenant)s and s.sequence > %(after)s order by s.sequence limit %(limit)s)
select f.sequence, f.id, f.at, f.actor_kind, f.actor_id, f.actor_name, f.actor_role, f.action, f.subject, f.outcome,
       f.origin, f.user_agent, f.refused, f.sign_in, f.account,
       f.action = any(%(exports)s) as export, f.action = any(%(privileges)s) and f.outcome = 'done' as privilege_change,
       origin.accounts as origin_accounts_10m, account.refused as account_refused_10m,
       before.sign_ins as sign_ins_before, before.devices as devices_before, before.origins as origins_before,
       previous.at as previous_at, previous.origin as previous_origin, previous.user_agent as previous_user_agent,
       denied.denied as denied_10m, denied.not_found as not_found_10m,
       approval.approved, habit.exports as exports_this_hour_30d
  from fresh f
  left join lateral (
    select count(distinct p.subject) as accounts from identity_audit_entries p
     where f.refused and f.origin <> '' and p.tenant_id = f.tenant_id and p.origin = f.origin
       and p.action = any(%(refusable)s) and p.outcome in ('refused', 'throttled')
       and p.at > f.at - interval '10 minutes' and p.at <= f.at) origin on true
  left join lateral (
    select count(*) as refused from identity_audit_entries p
     where (f.refused or f.sign_in) and p.tenant_id = f.tenant_id and p.subject = f.account
       and p.action = any(%(refusable)s) and p.outcome in ('refused', 'throttled')
       and p.at > f.at - interval '10 minutes' and p.at <= f.at) account on true
  left join lateral (
    select count(*) as sign_ins, array_agg(distinct p.user_agent) as devices, array_agg(distinct p.origin) as origins
      from identity_audit_entries p
     where f.sign_in and p.tenant_id = f.tenant_id and p.actor_id = f.actor_id and p.action = 'session:begin'
       and p.outcome = 'done' and p.at > f.at - interval '90 days' and (p.at, p.id) < (f.at, f.id)) before on true
  left join lateral (
    select p.at, p.origin, p.user_agent from identity_audit_entries p
     where f.sign_in and p.tenant_id = f.tenant_id and p.actor_id = f.actor_id and p.action = 'session:begin'
       and p.outcome = 'done' and p.at > f.at - interval '90 days' and (p.at, p.id) < (f.at, f.id)
     order by p.at desc, p.id desc limit 1) previous on true
  left join lateral (
    select coalesce(sum(coalesce((p.detail ->> 'count')::int, 1)) filter (where p.outcome <> 'not_found'), 0) as denied,
           coalesce(sum(coalesce((p.detail ->> 'count')::int, 1)) filter (where p.outcome = 'not_found'), 0)
             as not_found
      from identity_audit_entries p
     where f.outcome = any(%(denials)s) and f.actor_kind in ('user', 'key') and p.tenant_id = f.tenant_id
       and p.actor_id = f.actor_id and p.outcome = any(%(denials)s)
       and p.at > f.at - interval '10 minutes' and p.at <= f.at) denied on true
  left join lateral (
    select exists (select from identity_audit_entries p
                    where f.action = any(%(privileges)s) and f.request <> '' and p.tenant_id = f.tenant_id
                      and p.actor_id = f.actor_id and p.request = f.request and p.action like 'proposals:%%'
                      and p.at between f.at - interval '1 minute' and f.at + interval '1 minute') as approved
    ) approval on true
  left join lateral (
    select count(*) as exports from identity_audit_entries p
     where f.action = any(%(exports)s) and p.tenant_id = f.tenant_id and p.actor_id = f.actor_id
       and p.action = any(%(exports)s) and p.at > f.at - interval '30 days' and (p.at, p.id) < (f.at, f.id)
       and abs(extract(epoch from (p.at::time - f.at::time))) < 3600) habit on true
 order by f.sequence
"""
_READERS = """
select r.actor_id, r.actor_kind, r.actor_name, sum(r.rows) as rows_10m, max(r.minute) as last_minute,
       habit.usual as rows_usual, habit.known as rows_known
  from identity_read_counts r
  left join lateral (
    select percentile_disc(0.95) within group (order by bucket.rows) as usual, count(*) as known
      from (select sum(p.rows) as rows from identity_read_counts p
             where p.tenant_id = r.tenant_id and p.actor_id = r.actor_id
               and p.minute > %(now)s - interval '30 days' and p.minute <= %(now)s - interval '1 hour'
             group by date_bin('10 minutes', p.minute, timestamptz '2000-01-01 00:00+00')) bucket) habit on true
 where r.tenant_id = %(tenant)s and r.minute > %(now)s - interval '10 minutes'
 group by r.actor_id, r.actor_kind, r.actor_name, habit.usual, habit.known
having sum(r.rows) > %(least)s and max(r.minute) > %(now)s - interval '2 minutes'
"""
_DENIALS = ["denied", "unauthenticated", "cross_site", "not_found"]


class ObservationStore:
    """The trail of one tenant, as detection reads it."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def fresh(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Entries after a sequence, each with what came before it."""
        arguments = {
            "tenant": self._tenant,
            "after": after,
            "limit": limit,
            "refusable": list(REFUSABLE),
            "privileges": list(PRIVILEGES),
            "exports": list(EXPORTS),
            "denials": _DENIALS,
        }
        return [dict(row._mapping) for row in self._connection.exec_driver_sql(_FRESH, arguments)]

    def readers(self, now: datetime, least: int) -> list[dict[str, Any]]:
        """Callers who read more than `least` rows within 10 minutes and are still at it."""
        arguments = {"tenant": self._tenant, "now": now, "least": least}
        return [dict(row._mapping) for row in self._connection.exec_driver_sql(_READERS, arguments)]

    def progress(self) -> int:
        """The sequence up to which entries were looked at."""
        query = sa.select(security_progress.c.sequence).where(security_progress.c.tenant_id == self._tenant)
        return int(self._connection.execute(query).scalar_one_or_none() or 0)

    def set_progress(self, sequence: int) -> None:
        """Entries up to here were looked at."""
        new = insert(security_progress).values(tenant_id=self._tenant, sequence=sequence)
        self._connection.execute(
            new.on_conflict_do_update(index_elements=["tenant_id"], set_={"sequence": new.excluded.sequence})
        )

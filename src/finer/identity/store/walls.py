"""What the database says, and does, about the walls between tenants."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from finer.identity.rules.isolation import PolicyFacts, RoleFacts, TableFacts
from finer.identity.store.rows import ADD_AUDIT, audit_parameters
from finer.identity.tables.core import audit_entries
from finer.identity.types.audit import AuditEntry

# Tables of tenants, the privileges that policies do not limit, and the policies that apply to the present role.
_WALLS = """
select c.relname as name, a.attname as column, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
       c.relispartition as partition,
       array(select p from unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) as p
              where has_table_privilege(current_user, c.oid, p)) as evasions,
       coalesce((select jsonb_agg(jsonb_build_object(
                  'name', p.polname, 'command', p.polcmd::text, 'permissive', p.polpermissive,
                  'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)))
           from pg_policy p
          where p.polrelid = c.oid
            and exists (select from unnest(p.polroles) as r where r = 0 or pg_has_role(current_user, r, 'member'))
       ), '[]') as policies
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
       and a.attname = case c.relname when 'identity_tenants' then 'id' else 'tenant_id' end
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
 order by c.relname
"""
_ROLE = """
select rolname as name, rolsuper as superuser, rolbypassrls as bypasses, rolcreaterole as creates_roles,
       pg_has_role(current_user, 'finer_owner', 'member') as acts_as_owner,
       array(select relname::text from pg_class where relowner = r.oid and relkind in ('r', 'p', 'v', 'm')) as owned
  from pg_roles r where rolname = current_user
"""
# A view runs with its owner's rights unless it says otherwise, and a stored one shows what its owner saw.
_VIEWS = """
select relname::text from pg_class
 where relnamespace = 'public'::regnamespace and has_table_privilege(current_user, oid, 'SELECT')
   and (relkind = 'm' or relkind = 'v' and not coalesce(reloptions, '{}') @> array['security_invoker=true'])
 order by relname
"""
_LOOSE_FUNCTIONS = """
select proname::text from pg_proc
 where pronamespace = 'public'::regnamespace and prosecdef and has_function_privilege(current_user, oid, 'EXECUTE')
   and not exists (select from unnest(proconfig) as setting where setting like 'search\\_path=%%')
 order by proname
"""


class WallStore:
    """The system catalogue, and attempts to reach another tenant's rows."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def role(self) -> RoleFacts:
        """What the catalogue says about the present role."""
        return RoleFacts(**self._connection.exec_driver_sql(_ROLE).one()._mapping)

    def walls(self) -> list[TableFacts]:
        """What the catalogue says about every table that holds rows of tenants."""
        return [
            TableFacts(**{**row._mapping, "policies": [PolicyFacts(**policy) for policy in row.policies]})
            for row in self._connection.exec_driver_sql(_WALLS)
        ]

    def views_around(self) -> list[str]:
        """Views that the present role can read and that would show rows with their owner's rights."""
        return [row.relname for row in self._connection.exec_driver_sql(_VIEWS)]

    def loose_functions(self) -> list[str]:
        """Functions with their owner's rights whose names a caller could make mean something else."""
        return [row.proname for row in self._connection.exec_driver_sql(_LOOSE_FUNCTIONS)]

    def foreign_rows(self, tenant: uuid.UUID) -> int:
        """How many audit lines of another tenant this transaction can read: none, if the walls stand."""
        query = sa.select(sa.func.count()).where(audit_entries.c.tenant_id == tenant)
        return int(self._connection.execute(query).scalar_one())

    def foreign_write_refused(self, entry: AuditEntry, tenant: uuid.UUID) -> bool:
        """Whether the database refuses a row of another tenant; what it lets through is taken back at once."""
        attempt = self._connection.begin_nested()
        try:
            self._connection.exec_driver_sql(ADD_AUDIT, audit_parameters(tenant, entry))
        except sa.exc.ProgrammingError:
            return True
        finally:
            attempt.rollback()
        return False

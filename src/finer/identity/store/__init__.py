"""The SQL of identity: rows of one tenant, look-ups before a tenant is known, and the walls between tenants."""

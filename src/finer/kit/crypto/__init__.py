"""Encryption of what the database keeps: sealed columns, the keys behind them, blind indexes, rotation.

Envelope encryption: each tenant and each person has data keys of its own (`keyring`), which a key service that is not
in the database wraps (`kms`); `fields` is what a store calls. A column that is sealed is BYTEA, its name ends in
`_sealed`, and it stands in a table with `tenant_id`; rotation finds it by that name.
"""

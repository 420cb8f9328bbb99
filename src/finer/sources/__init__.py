"""Sources: where records come from by themselves (folders, object storage, Kafka, Stripe, Plaid, PostgreSQL tables).

Decides what is taken next and where to go on after it. Facts in and out: none; every record goes through ingest.
"""

"""Live operations: what the firm's records add up to now, for people who steer and not for those who work on rows.

Decides which sums are kept of orders, payments and activity, how they are shown, and which orders are stuck.
Facts in: none, the pipeline hands it each batch. Facts out: none.
"""

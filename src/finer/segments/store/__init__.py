"""The SQL of segments: what is kept of them, and customers in the lake."""

"""Tables of decisions; seen by the store and by migrations only."""

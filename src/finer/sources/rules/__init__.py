"""Pure rules of sources: what settings mean, what the records of foreign systems become, when to try again."""

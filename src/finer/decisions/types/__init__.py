"""The nouns of decisions."""

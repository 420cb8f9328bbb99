"""Pure rules of scoring: tree ensembles over columns."""

"""Pure functions of quality: measures, what is usual, verdicts, sentences."""

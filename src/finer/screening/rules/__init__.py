"""Pure rules of screening: names made alike, files of lists, candidates, and how alike two records are."""

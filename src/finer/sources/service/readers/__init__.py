"""One reader for each kind of source that is asked: each gives pages of checked records and where to go on."""

"""The pure part of lineage: the graph, the words of SQL, and the search."""

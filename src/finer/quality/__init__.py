"""Quality: whether the records of each contract are as usual, and what is odd about them when they are not.

Decides: what is usual, when something is an incident, and when it is over. Facts in: none. Facts out: none.
"""

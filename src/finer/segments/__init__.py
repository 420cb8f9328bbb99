"""Segments: groups of a firm's customers by a condition over what is known of each, and how many they are by day.

Decides: who is in a segment, and who may see of it how many or who. Facts in: none. Facts out: none.
"""

"""Scoring: models. Decides which model is in force, and scores columns with it. Knows no product."""

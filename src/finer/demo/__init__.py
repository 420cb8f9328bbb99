"""The simulated world: a seeded bank with customers, merchants, shops and thieves, behind the public HTTP API only."""

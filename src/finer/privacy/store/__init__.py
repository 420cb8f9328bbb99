"""The SQL of privacy: requests, holds, breaches, terms of retention."""

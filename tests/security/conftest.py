"""The fixtures of identity, for attacks on it."""

from tests.identity.conftest import clock, clocked, firm, other_firm, settings

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]

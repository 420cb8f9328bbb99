"""Network addresses, for the edge: who really asks, and under which names Finer answers."""

from __future__ import annotations

from finer.identity.rules.addresses import answers_to, client_address, host_fits, read_networks, within

__all__ = ["answers_to", "client_address", "host_fits", "read_networks", "within"]

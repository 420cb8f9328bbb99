"""What sources of a firm may reach: the Internet by TLS, and what the operator listed."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from finer.kit.outbound import Outbound, OutboundRefused, is_outside
from finer.kit.settings import Settings
from finer.sources.errors import SourceFailed, SourceMisconfigured
from finer.sources.rules.hosts import folders_of, hosts_of


@dataclass(frozen=True)
class Reach:
    """The walls around the sources of one firm."""

    firm: str
    hosts: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, firm: str) -> Reach:
        """The reach of a firm by its short name."""
        return cls(
            firm,
            hosts_of(settings.sources_hosts, firm),
            tuple(folders_of(settings.sources_folders, firm)),
            tuple(settings.outbound_only.split(",")),
        )

    def door(self, **options: Any) -> Outbound:
        """The way out for the sources of the firm."""
        listed_in = f"FINER_SOURCES_HOSTS, for this firm alone with {self.firm}= before it"
        return Outbound(self.hosts, only=self.only, listed_in=listed_in, **options)

    def is_listed(self, host: str, port: int) -> bool:
        """Whether the operator opened this address to the firm."""
        return f"{host.lower()}:{port}" in self.hosts

    def need_listed(self, host: str, port: int, why: str) -> None:
        """Raises SourceMisconfigured unless the operator opened this address."""
        if not self.is_listed(host, port):
            raise SourceMisconfigured(
                f"{host}:{port} is not reached {why}. An operator may open it with the setting FINER_SOURCES_HOSTS, "
                f"for this firm as {self.firm}={host}:{port}."
            )

    def address_of(self, host: str, port: int) -> str:
        """An address of the host that was looked at and may be connected to.

        Raises SourceFailed for a name that is not known, SourceMisconfigured for one that leads inside, or that is none
        of those that the operator leaves open (FINER_OUTBOUND_ONLY).
        """
        try:
            self.door().check_host(host, port)
        except OutboundRefused as error:
            raise SourceMisconfigured(error.detail) from error
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise SourceFailed(f"The name {host} is not known at present.") from error
        # One inside address among several is enough: a name that mixes them is up to no good.
        if not self.is_listed(host, port) and not all(is_outside(address) for address in found):
            self.need_listed(host, port, "because it leads inside a network")
        return found[0]

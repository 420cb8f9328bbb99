"""Where network addresses are, from a table that the operator supplies, and how far places are apart."""

from __future__ import annotations

import csv
import ipaddress
import math
from collections.abc import Iterable

import msgspec

from finer.kit.errors import InvalidInput

_EARTH_KM = 6371.0
HEADER = ["network", "country", "lat", "lon"]


class Place(msgspec.Struct, frozen=True):
    """A country (ISO 3166) and degrees north and east."""

    country: str
    lat: float
    lon: float


class Places:
    """Places by network; the longest matching prefix counts."""

    def __init__(self, places: dict[tuple[int, int, int], Place]) -> None:
        """`places` by (IP version, prefix length, network address as a number)."""
        self._places = places
        self._lengths = {
            version: sorted({length for one, length, _ in places if one == version}, reverse=True) for version in (4, 6)
        }

    def of(self, address: str) -> Place | None:
        """Where an address is; None when the table does not say."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return None
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        number, bits = int(parsed), parsed.max_prefixlen
        for length in self._lengths[parsed.version]:
            found = self._places.get((parsed.version, length, number >> (bits - length) << (bits - length)))
            if found is not None:
                return found
        return None


def read_places(lines: Iterable[str]) -> Places:
    """A table of CSV with the columns network, country, lat, lon. Raises InvalidInput naming the line."""
    places: dict[tuple[int, int, int], Place] = {}
    rows = csv.DictReader(lines)
    if rows.fieldnames is None or not set(HEADER) <= set(rows.fieldnames):
        raise InvalidInput(f"The file of places needs the columns {', '.join(HEADER)} in its first line.")
    for number, row in enumerate(rows, 2):
        try:
            network = ipaddress.ip_network(row["network"].strip())
            place = Place(row["country"].strip().upper(), float(row["lat"]), float(row["lon"]))
        except (ValueError, AttributeError, TypeError) as error:
            raise InvalidInput(f"Line {number} of the file of places cannot be read: {error}.") from error
        if not (-90 <= place.lat <= 90 and -180 <= place.lon <= 180):
            raise InvalidInput(f"Line {number} of the file of places is nowhere on Earth: {place.lat}, {place.lon}.")
        places[network.version, network.prefixlen, int(network.network_address)] = place
    return Places(places)


def distance_km(one: Place, other: Place) -> float:
    """The great-circle distance, by the haversine formula; the Earth as a sphere of 6,371 km."""
    lat1, lat2 = math.radians(one.lat), math.radians(other.lat)
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(other.lon - one.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))


def network_of(address: str) -> str:
    """The network that an address is counted to: IPv4 /16, IPv6 /32; the text itself when it is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 16 if parsed.version == 4 else 32), strict=False))

"""The data catalogue: what is kept of people, and why."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import msgspec

from finer.privacy.rules import catalogue as rules
from finer.privacy.rules.catalogue import Catalogue
from finer.privacy.types import CatalogueEntry


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue, read once."""
    return msgspec.yaml.decode(resources.files("finer.privacy").joinpath("catalogue.yaml").read_bytes(), type=Catalogue)


def list_entries() -> list[CatalogueEntry]:
    """One line for each personal field."""
    return rules.entries(catalogue())


def gaps(tables: dict[str, list[str]], contracts: dict[str, list[str]]) -> list[str]:
    """Where the catalogue and what exists differ; columns by table, fields by contract."""
    return rules.gaps(catalogue(), tables, contracts)


def render() -> str:
    """docs/reference/data-catalogue.md."""
    return rules.render(catalogue())

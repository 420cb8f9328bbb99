"""What the web app says by hand of things that the server decides."""

from __future__ import annotations

import re
from pathlib import Path

from finer.identity.rules.grants import GRANTS
from finer.identity.types.access import Role

_WORDS = Path(__file__).parents[2] / "web/src/features/identity/clients/words.ts"


def test_the_page_of_api_clients_offers_what_machines_may_be_given() -> None:
    offered = re.findall(r'\{ scope: "([a-z_:]+)"', _WORDS.read_text("utf-8"))
    assert sorted(offered) == sorted(GRANTS[Role.SERVICE])

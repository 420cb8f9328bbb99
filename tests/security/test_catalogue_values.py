"""B03: the catalogue gives no value of a column that whoever asks does not see whole."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest

from finer.identity.rules.grants import allowed
from finer.identity.rules.masks import MASKS
from finer.identity.types.access import Permission, Role
from finer.kit.masking import DataClass
from finer.kit.settings import Settings
from finer.warehouse.service.lake import LakeWriter
from tests.security.world import World
from tests.support.asgi import Driver
from tests.warehouse.samples import sample_batch

_READERS = [role for role in Role if allowed(role, Permission.LINEAGE_READ) is not None]
_OF_PEOPLE = {"account_id", "customer_id", "card_last4"}


@pytest.fixture(scope="module")
def filled(ours: World, campaign_settings: Settings) -> None:
    """Our firm's lake, with payments of one customer by one card."""
    batch = sample_batch(ours.firm.tenant.id, 0, 50)
    events = batch.events.append_column("customer_id", pa.array([f"customer-{ours.mark}"] * 50))
    events = events.append_column("card_last4", pa.array(["4711"] * 50))
    writer = LakeWriter(campaign_settings.database_url, campaign_settings)
    writer.put(msgspec.structs.replace(batch, events=events))
    assert writer.flush()
    writer.close()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("role", _READERS)
def test_b03_the_catalogue_shows_no_example_of_what_a_role_sees_in_part(
    driver: Driver, ours: World, role: Role
) -> None:
    headers = ours.headers(role.value)
    listed = driver.call("GET", "/api/v1/catalogue?kind=lake&search=transactions&limit=500", headers)
    columns = {one["id"]: one for one in listed.json()["items"] if one["parent"] == "transactions"}
    assert {f"lake:transactions.{name}" for name in _OF_PEOPLE} <= set(columns)
    shown = {}
    for name, one in columns.items():
        answer = driver.call("GET", f"/api/v1/catalogue/{name}", headers)
        example = answer.json()["example"]
        if not MASKS[role].clear(DataClass(one["data_class"])):
            assert example is None, name
            assert ours.mark not in answer.text
            assert "account-" not in answer.text
        shown[name.rpartition(".")[2]] = example
    assert shown["currency"] == "USD"
    if role is not Role.SERVICE:
        assert {shown[name] for name in _OF_PEOPLE} == {None}

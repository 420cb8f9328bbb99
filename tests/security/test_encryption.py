"""I05: what is sealed opens in its own row of its own firm only, and whoever has the database alone reads nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from finer.identity.service import people
from finer.kit.crypto.errors import KeysUnavailable, SealBroken
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile
from tests.support.identity import Firm, owner_connection


@pytest.mark.parametrize("column", ["name_sealed", "email_sealed"])
def test_i05_a_sealed_value_moved_to_another_person_or_firm_does_not_open(
    firm: Firm, other_firm: Firm, database_url: str, column: str
) -> None:
    victim, colleague, stranger = firm.user(), firm.user(), other_firm.user()
    for thief, house in ((colleague, firm), (stranger, other_firm)):
        with owner_connection(database_url) as connection:
            connection.execute(
                f"update identity_users set {column} = (select {column} from identity_users where id = %s) "
                "where id = %s",
                (victim.id, thief.id),
            )
            connection.commit()
        with house.tx() as tx:
            if house is firm:
                with pytest.raises(SealBroken):
                    people.get_user(tx, thief.id)
            else:  # there is no such key in that firm
                assert victim.email not in str(people.get_user(tx, thief.id))


def test_i05_the_columns_of_one_row_cannot_be_swapped(firm: Firm, database_url: str) -> None:
    user = firm.user()
    with owner_connection(database_url) as connection:
        connection.execute("update identity_users set name_sealed = email_sealed where id = %s", (user.id,))
        connection.commit()
    with firm.tx() as tx, pytest.raises(SealBroken):
        people.get_user(tx, user.id)


def test_i05_a_stolen_database_is_unreadable_without_the_key_file(firm: Firm, tmp_path: Path) -> None:
    user = firm.user()
    other = KeyFile(tmp_path / "master.key")
    other.prepare()
    with firm.tx() as tx:
        blind = dataclasses.replace(tx, keys=Keyring(other))
        with pytest.raises(KeysUnavailable, match="does not hold the master key"):
            people.get_user(blind, user.id)

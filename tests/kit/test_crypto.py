"""Sealed columns: they open where they were sealed, by whoever has the keys, and nowhere else."""

from __future__ import annotations

import dataclasses
import os
import stat
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.actors import SYSTEM
from finer.kit.crypto import envelope
from finer.kit.crypto.envelope import Place, joined
from finer.kit.crypto.errors import Erased, KeysUnavailable, SealBroken
from finer.kit.crypto.fields import blind, blind_everywhere, destroy, seal, unseal, unseal_all
from finer.kit.crypto.keyring import Keyring, rewrap, rewrap_installation
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import NO_TENANT, Database
from finer.kit.tx import Tx

COLUMN = "kit_things.secret_sealed"
_KEY, _ID = envelope.new_key(), uuid.uuid4()
_places = st.builds(Place, st.uuids(), st.text(max_size=20), st.text(max_size=20))


@given(st.binary(max_size=2000), _places)
def test_what_is_sealed_opens_in_its_place(plain: bytes, place: Place) -> None:
    sealed = envelope.seal(_ID, _KEY, plain, place)
    assert envelope.unseal(_KEY, sealed, place) == plain
    assert envelope.key_id_of(sealed, place) == _ID
    assert len(sealed) == envelope.SHORTEST + len(plain)


@given(st.binary(min_size=1, max_size=50), _places, _places)
def test_i05_a_sealed_value_opens_in_no_other_place(plain: bytes, place: Place, other: Place) -> None:
    sealed = envelope.seal(_ID, _KEY, plain, place)
    if place != other:
        with pytest.raises(SealBroken):
            envelope.unseal(_KEY, sealed, other)


@given(st.binary(max_size=50), st.data())
def test_i05_an_altered_or_cut_off_value_does_not_open(plain: bytes, data: st.DataObject) -> None:
    place = Place(_ID, COLUMN, "1")
    sealed = envelope.seal(_ID, _KEY, plain, place)
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(flipped), sealed[:at], sealed + b"\0"):
        with pytest.raises(SealBroken):
            envelope.unseal(_KEY, broken, place)
    with pytest.raises(SealBroken):
        envelope.unseal(envelope.new_key(), sealed, place)


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_no_two_lists_of_parts_join_to_the_same_text(first: list[bytes], second: list[bytes]) -> None:
    assert (joined(*first) == joined(*second)) == (first == second)


def test_i05_no_nonce_comes_twice() -> None:
    place = Place(_ID, COLUMN, "1")
    sealed = {envelope.seal(_ID, _KEY, b"the same", place) for _ in range(20_000)}
    assert len({one[envelope.HEAD : envelope.HEAD + 12] for one in sealed}) == 20_000


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys" / "master.key")
    file.prepare()
    text = file.path.read_text()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o400
    KeyFile(file.path).prepare()
    assert file.path.read_text() == text
    [wrapped] = file.wrap([(_KEY, b"x")])
    assert KeyFile(file.path).unwrap([(wrapped, b"x")]) == [_KEY]
    with pytest.raises(SealBroken):
        file.unwrap([(wrapped, b"y")])
    with pytest.raises(SealBroken):
        file.unwrap([(wrapped[:5], b"x")])


@pytest.mark.parametrize("mode", [0o600, 0o440, 0o404, 0o644])
def test_a_key_file_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = KeyFile(tmp_path / "master.key")
    file.prepare()
    file.path.chmod(mode)
    with pytest.raises(KeysUnavailable, match=f"mode 0{mode:o}"):
        KeyFile(file.path).wrap([(_KEY, b"x")])


@pytest.mark.parametrize("text", ["", "nonsense", "00 11\n", "# nothing\n"])
def test_a_damaged_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(text)
    path.chmod(0o400)
    with pytest.raises(KeysUnavailable, match="damaged"):
        KeyFile(path).prepare()


def test_a_new_master_key_wraps_and_the_old_one_unwraps_until_it_is_retired(tmp_path: Path) -> None:
    file, other_process = KeyFile(tmp_path / "master.key"), KeyFile(tmp_path / "master.key")
    file.prepare()
    [old] = other_process.wrap([(_KEY, b"x")])
    file.rotate()
    [new] = file.wrap([(_KEY, b"x")])
    assert (file.current(old), file.current(new)) == (False, True)
    assert other_process.unwrap([(new, b"x"), (old, b"x")]) == [_KEY, _KEY]
    file.retire()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o400
    with pytest.raises(KeysUnavailable, match="does not hold the master key"):
        file.unwrap([(old, b"x")])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_rotation_by_root_leaves_the_key_file_to_the_user_who_runs_finer(tmp_path: Path) -> None:
    service = KeyFile(tmp_path / "master.key")
    service.prepare()
    os.chown(service.path, 65_534, 65_533)
    for change in (service.rotate, service.retire):
        change()
        about = service.path.stat()
        assert (about.st_uid, about.st_gid, about.st_mode & 0o777) == (65_534, 65_533, 0o400)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_user_rotates_a_key_file_of_theirs_that_has_the_group_of_root(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    service = KeyFile(folder / "master.key")
    service.prepare()
    for one in (folder, service.path):
        os.chown(one, 65_534, 0)
    before = service.path.read_text()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.chdir(folder)  # the folders above it are closed to others than root
            os.setgroups([])
            os.setgid(65_533)
            os.setuid(65_534)
            KeyFile(Path("master.key")).rotate()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    about = service.path.stat()
    assert (about.st_uid, about.st_mode & 0o777) == (65_534, 0o400)
    assert service.path.read_text() != before


def _forgetful(database: Database) -> Keyring:
    """The keys as another process has them that has just started."""
    assert database.keys is not None
    return Keyring(database.keys.service, remember_s=-1)


def test_a_text_is_sealed_for_its_firm_column_and_row(tx: Tx) -> None:
    sealed = seal(tx, COLUMN, 1, "Zoë")
    assert b"Zo" not in sealed
    assert unseal(tx, COLUMN, 1, sealed) == "Zoë"
    assert sealed != seal(tx, COLUMN, 1, "Zoë")
    with pytest.raises(SealBroken):
        unseal(tx, COLUMN, 2, sealed)
    with pytest.raises(SealBroken):
        unseal(tx, "kit_things.other_sealed", 1, sealed)
    assert unseal_all(tx, COLUMN, [(1, sealed), (2, None)]) == ["Zoë", None]


def test_i05_a_firm_cannot_open_what_another_sealed(tx: Tx) -> None:
    sealed = seal(tx, COLUMN, 1, "x")
    stranger = dataclasses.replace(tx, tenant=uuid.uuid4())
    with pytest.raises(Erased):  # the key itself is behind row-level security
        unseal(dataclasses.replace(stranger, keys=Keyring(_service(tx))), COLUMN, 1, sealed)


def test_each_person_has_keys_of_their_own_and_destroying_them_erases(worker_tx: Tx) -> None:
    tx = worker_tx
    ana, ben = (seal(tx, COLUMN, 1, "secret", subject=who) for who in ("ana", "ben"))
    firm = seal(tx, COLUMN, 1, "secret")
    assert len({sealed[2:18] for sealed in (ana, ben, firm)}) == 3
    assert seal(tx, COLUMN, 1, "more", subject="ana")[2:18] == ana[2:18]
    assert destroy(tx, "ana") == 1
    for keys in (tx.keys, Keyring(_service(tx))):
        again = dataclasses.replace(tx, keys=keys)
        assert unseal_all(again, COLUMN, [(1, ana), (1, ben), (1, firm)]) == [None, "secret", "secret"]
        with pytest.raises(Erased):
            unseal(again, COLUMN, 1, ana)
    left = tx.connection.exec_driver_sql("select subject::text || wrapped::text from kit_keys").scalars().all()
    assert "ana" not in "".join(left)


def test_a_key_of_a_transaction_that_failed_is_not_used_again(database: Database, tenant: uuid.UUID) -> None:
    with database.transaction(tenant, SYSTEM) as tx:
        lost = seal(tx, COLUMN, 1, "x")
        assert unseal(tx, COLUMN, 1, lost) == "x"
        tx.connection.get_transaction().rollback()  # type: ignore[union-attr]
    with database.transaction(tenant, SYSTEM) as tx:
        kept = seal(tx, COLUMN, 1, "x")
    assert kept[2:18] != lost[2:18]
    with database.transaction(tenant, SYSTEM) as tx:
        assert unseal(dataclasses.replace(tx, keys=_forgetful(database)), COLUMN, 1, kept) == "x"


def test_a_blind_index_finds_equal_texts_of_one_firm_and_column(tx: Tx) -> None:
    found = blind(tx, COLUMN, "Ana@Example.com ")
    assert found == blind(tx, COLUMN, "ana@example.com")
    assert len(found) == 16
    other = dataclasses.replace(tx, tenant=uuid.uuid4())
    assert found not in (
        blind(tx, COLUMN, "ana@example.org"),
        blind(tx, "kit_things.b", "ana@example.com"),
        blind(other, COLUMN, "ana@example.com"),
    )
    assert blind_everywhere(tx, COLUMN, "\uff41na@example.com") == blind_everywhere(other, COLUMN, "ANA@example.com")


def test_a_process_without_keys_says_so(tx: Tx) -> None:
    with pytest.raises(KeysUnavailable, match="started without keys"):
        seal(dataclasses.replace(tx, keys=None), COLUMN, 1, "x")


def test_start_up_refuses_another_key_file_and_a_missing_one(database: Database, tmp_path: Path) -> None:
    with database.transaction(NO_TENANT, SYSTEM) as tx:
        other = KeyFile(tmp_path / "other.key")
        with pytest.raises(KeysUnavailable, match="cannot be read"):
            Keyring(other).establish(tx)
        assert not other.path.exists()
        other.prepare()
        with pytest.raises(KeysUnavailable, match="does not hold the master key"):
            Keyring(other).establish(tx)
        Keyring(_service(tx)).establish(tx)


def test_a_new_master_key_rewraps_every_data_key_and_nothing_has_to_be_sealed_again(
    worker_tx: Tx, tmp_path: Path
) -> None:
    tx = worker_tx
    tx.connection.execute(sa.text("delete from kit_keys"))
    tx.connection.exec_driver_sql("create temp table kit_installation_keys (like public.kit_installation_keys)")
    keys = Keyring(KeyFile(tmp_path / "master.key"))
    tx = dataclasses.replace(tx, keys=keys)
    keys.establish(tx)
    sealed = [seal(tx, COLUMN, row, "x", subject=str(row)) for row in range(7)]
    index = blind(tx, COLUMN, "x")
    keys.service.rotate()
    after, moved = rewrap(keys, tx, None, 5)
    assert (after is None, moved) == (False, 5)
    assert rewrap(keys, tx, after, 5) == (None, 2)
    assert rewrap(keys, tx, None, 50) == (None, 0)
    rewrap_installation(keys, tx)
    keys.service.retire()
    fresh = dataclasses.replace(tx, keys=Keyring(KeyFile(tmp_path / "master.key")))
    assert [unseal(fresh, COLUMN, row, one) for row, one in enumerate(sealed)] == ["x"] * 7
    assert blind(fresh, COLUMN, "x") == index


def _service(tx: Tx) -> KeyFile:
    assert tx.keys is not None
    assert isinstance(tx.keys.service, KeyFile)
    return tx.keys.service

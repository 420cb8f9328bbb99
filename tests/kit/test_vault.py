"""The key service over HTTP: what it wraps opens again, and when it misbehaves nothing is sealed or opened wrongly."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from finer.app.keys import keyring
from finer.kit.crypto.envelope import new_key
from finer.kit.crypto.errors import KeysUnavailable, SealBroken
from finer.kit.crypto.kms import KeyFile
from finer.kit.crypto.vault import Succession, VaultTransit
from finer.kit.outbound import Outbound
from finer.kit.settings import load_settings
from tests.support.transit import TOKEN, TransitServer, transit

BOXES = [(new_key(), f"place {number}".encode()) for number in range(450)]


@pytest.fixture
def engine() -> Iterator[TransitServer]:
    with transit() as found:
        yield found


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o400)
    return file


@pytest.fixture
def vault(engine: TransitServer, token_file: Path) -> VaultTransit:
    found = VaultTransit(engine.url, token_file, Outbound([engine.host], timeout_s=1.0))
    found.prepare()
    return found


def test_keys_are_wrapped_and_opened_many_at_once(vault: VaultTransit, engine: TransitServer) -> None:
    wrapped = vault.wrap(BOXES)
    assert vault.unwrap([(one, bound) for one, (_, bound) in zip(wrapped, BOXES, strict=True)]) == [
        key for key, _ in BOXES
    ]
    assert engine.asked.count("POST /v1/transit/encrypt/finer") == 3
    assert not any(key in one for one in wrapped for key, _ in BOXES[:3])
    assert all(vault.current(one) for one in wrapped)


def test_i05_a_key_opens_only_with_what_it_is_bound_to(vault: VaultTransit) -> None:
    [wrapped] = vault.wrap(BOXES[:1])
    with pytest.raises(SealBroken):
        vault.unwrap([(wrapped, b"place 1")])
    flipped = wrapped[:-6] + (b"A" if wrapped[-6:-5] != b"A" else b"B") + wrapped[-5:]
    for broken in (flipped, wrapped[:-9], b"f1" + wrapped[2:], b"t1vault:v1:../../x", b""):
        with pytest.raises(SealBroken):
            vault.unwrap([(broken, b"place 0")])


def test_a_new_version_wraps_and_the_old_one_opens_until_it_is_retired(vault: VaultTransit) -> None:
    [old] = vault.wrap(BOXES[:1])
    assert vault.rotated_at() is None
    vault.rotate()
    assert not vault.current(old)
    assert vault.rotated_at() is not None
    [new] = vault.wrap(BOXES[:1])
    assert vault.current(new)
    assert vault.unwrap([(old, b"place 0"), (new, b"place 0")]) == [BOXES[0][0]] * 2
    vault.retire()
    assert vault.rotated_at() is None
    with pytest.raises(SealBroken, match="gone from the service"):
        vault.unwrap([(old, b"place 0")])
    assert vault.unwrap([(new, b"place 0")]) == [BOXES[0][0]]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("slow", "timed out|too long"), ("broken", "failed with status 500"), ("garbage", "did not answer"),
        ("nothing", "did not answer"), ("revoked", "refused the token"), ("redirect", "redirect"),
        ("too much", "more than"), ("wrong key", "does not open again"), ("short key", "did not answer"),
    ],
)  # fmt: skip
def test_i05_a_service_that_misbehaves_seals_nothing(
    vault: VaultTransit, engine: TransitServer, mode: str, says: str
) -> None:
    engine.mode = mode
    with pytest.raises(KeysUnavailable, match=says) as told:
        vault.wrap(BOXES[:2])
    assert told.value.status == 503
    assert TOKEN not in told.value.detail
    engine.mode = ""
    assert len(vault.wrap(BOXES[:2])) == 2


def test_i05_a_service_that_forgets_what_it_wrapped_with_seals_nothing(
    vault: VaultTransit, engine: TransitServer
) -> None:
    engine.mode = "forgets"
    with pytest.raises(SealBroken):
        vault.wrap(BOXES[:1])


@pytest.mark.parametrize(
    "mode", ["slow", "broken", "garbage", "nothing", "revoked", "redirect", "too much", "short key"]
)
def test_i05_a_service_that_misbehaves_opens_nothing(vault: VaultTransit, engine: TransitServer, mode: str) -> None:
    [wrapped] = vault.wrap(BOXES[:1])
    engine.mode = mode
    with pytest.raises(KeysUnavailable):
        vault.unwrap([(wrapped, b"place 0")])
    engine.mode = ""
    assert vault.unwrap([(wrapped, b"place 0")]) == [BOXES[0][0]]


def test_a_service_that_is_not_there_is_told(engine: TransitServer, token_file: Path) -> None:
    stopped = VaultTransit("http://127.0.0.1:1/v1/transit/keys/finer", token_file, Outbound(["127.0.0.1:1"]))
    with pytest.raises(KeysUnavailable, match="cannot be asked"):
        stopped.wrap(BOXES[:1])
    unlisted = VaultTransit(engine.url, token_file, Outbound())
    with pytest.raises(KeysUnavailable, match="FINER_OUTBOUND_HOSTS"):
        unlisted.wrap(BOXES[:1])


@pytest.mark.parametrize(
    "url", ["", "https://vault.example", "ftp://v/v1/transit/keys/x", "https://v/v1/transit/keys/a/b"]
)
def test_an_address_that_is_no_key_is_refused(url: str, token_file: Path) -> None:
    with pytest.raises(KeysUnavailable, match="FINER_KMS_URL"):
        VaultTransit(url, token_file, Outbound())


@pytest.mark.parametrize(("mode", "text"), [(0o444, TOKEN), (0o400, ""), (0o400, "two words")])
def test_a_token_that_others_may_read_or_that_is_none_is_refused(
    vault: VaultTransit, token_file: Path, mode: int, text: str
) -> None:
    token_file.chmod(0o600)
    token_file.write_text(text)
    token_file.chmod(mode)
    with pytest.raises(KeysUnavailable, match="token"):
        vault.wrap(BOXES[:1])
    token_file.unlink()
    with pytest.raises(KeysUnavailable, match="FINER_KMS_TOKEN_FILE"):
        vault.wrap(BOXES[:1])


def test_moving_from_the_key_file_opens_both_and_wraps_with_the_service(vault: VaultTransit, tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "master.key")
    file.prepare()
    [old] = file.wrap(BOXES[:1])
    both = Succession(vault, file)
    [new] = both.wrap(BOXES[1:2])
    assert (both.current(old), both.current(new)) == (False, True)
    assert both.unwrap([(new, b"place 1"), (old, b"place 0"), (new, b"place 1")]) == [
        BOXES[1][0], BOXES[0][0], BOXES[1][0]
    ]  # fmt: skip
    both.rotate()
    assert both.rotated_at() is not None
    both.retire()
    assert file.unwrap([(old, b"place 0")]) == [BOXES[0][0]]


def test_keys_of_a_service_that_is_no_longer_set_and_of_a_file_that_is_gone_are_not_called_damaged(
    vault: VaultTransit, tmp_path: Path
) -> None:
    file = KeyFile(tmp_path / "master.key")
    file.prepare()
    [by_file], [by_service] = file.wrap(BOXES[:1]), vault.wrap(BOXES[:1])
    with pytest.raises(KeysUnavailable, match="Set FINER_KMS_URL and FINER_KMS_TOKEN_FILE as they were"):
        file.unwrap([(by_service, b"place 0")])
    with pytest.raises(KeysUnavailable, match="Put it back to where FINER_KEY_FILE says"):
        vault.unwrap([(by_file, b"place 0")])


def test_the_settings_choose_the_service(engine: TransitServer, token_file: Path, tmp_path: Path) -> None:
    plain = load_settings({}, data_dir=str(tmp_path / uuid.uuid4().hex))
    assert isinstance(keyring(plain).service, KeyFile)
    chosen = load_settings({}, data_dir=plain.data_dir, kms_url=engine.url, kms_token_file=str(token_file))
    assert isinstance(keyring(chosen).service, VaultTransit)
    KeyFile(plain.key_path).prepare()
    assert isinstance(keyring(chosen).service, Succession)

"""The audit chain: sealing what was written, signing how far it has come, and verifying it.

Entries are written in the transaction of the act, without any lock. A moment later the sealer gives them their
sequence and hash in an append-only table beside them. Why so: docs/decisions/ on the audit chain.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import msgspec

from finer.identity.errors import VerificationNotFound
from finer.identity.rules.chain import FINDINGS_MAX, Walk, genesis, head_findings, head_message, link
from finer.identity.service.audit import record_audit
from finer.identity.store.chain import ChainStore, HeadFiles
from finer.identity.types.audit import ChainFinding, ChainStatus, SignedHead, Verification
from finer.kit.ids import new_id, show_id
from finer.kit.jobs import defer
from finer.kit.moments import EPOCH
from finer.kit.settings import Settings
from finer.kit.signing import Signer, Verifier
from finer.kit.tx import Tx

SEAL_AT_ONCE = 5_000
"""Entries sealed in one transaction."""
VERIFY_AT_ONCE = 50_000
"""Entries verified in one transaction, about 25 MB."""
SEALED_WITHIN = timedelta(minutes=2)
"""An entry without a seal for longer than this is a finding."""
_RECENT = timedelta(days=2)  # how far back an incremental run looks for entries without a seal
_PATIENCE = timedelta(minutes=10)  # a run that did not end by then was lost with its process
VERIFY_TASK = "finer.verify_audit"


def key_file(settings: Settings) -> Path:
    """Where the private signing key is."""
    return Path(settings.audit_key_file or settings.data_path / "keys" / "audit-signing.pem").expanduser()


def heads_folder(settings: Settings) -> Path:
    """Where signed heads are exported to."""
    return Path(settings.audit_heads_dir or settings.data_path / "audit-heads").expanduser()


def tenants_waiting(tx: Tx) -> list[uuid.UUID]:
    """Firms with entries that are not sealed yet."""
    return ChainStore(tx).tenants_waiting()


def seal(tx: Tx, limit: int = SEAL_AT_ONCE) -> int:
    """Seal entries of this firm that wait, the oldest first; returns how many: none when another sealer is at work."""
    store = ChainStore(tx)
    if not store.lock():
        return 0
    lines = store.waiting_lines(limit)
    if not lines:
        return 0
    sequence, previous = store.end()
    sealed = []
    for entry, line in lines:
        sequence, previous = sequence + 1, link(previous, line)
        sealed.append((sequence, entry, previous))
    store.add_seals(sealed, tx.now())
    return len(sealed)


def sign_head(tx: Tx, settings: Settings, signer: Signer) -> SignedHead | None:
    """Sign and export how far the chain has come; None when nothing was sealed since the last time.

    The line is in the file, durable, before the row is in the table: the file is what a thief of the database cannot
    reach. Raises OSError when it cannot be written.
    """
    store = ChainStore(tx)
    if not store.lock():
        return None
    sequence, digest = store.end()
    last = store.last_head()
    if sequence == 0 or (last is not None and last.sequence >= sequence):
        return None
    plain = SignedHead(
        tenant_id=tx.tenant, sequence=sequence, hash=digest, signed_at=tx.now(), key_id=signer.key_id, signature=b""
    )
    head = msgspec.structs.replace(plain, signature=signer.sign(head_message(tx.tenant, plain)))
    HeadFiles(heads_folder(settings)).append(head)
    store.add_head(head)
    return head


def begin_verification(tx: Tx, *, incremental: bool = False) -> Verification:
    """Begin a run over the chain: all of it, or (incremental) what came after the last run that found nothing."""
    store = ChainStore(tx)
    first, digest = 0, genesis(tx.tenant)
    if incremental:
        known = store.verification(finished=True)
        if known is not None and not known.findings and known.last_hash is not None:
            first, digest = known.last_sequence, known.last_hash
    run = Verification(
        id=new_id(),
        asked_by=tx.actor.name,
        asked_at=tx.now(),
        first_sequence=first,
        last_sequence=first,
        checked=0,
        last_hash=digest,
        finished_at=None,
        findings=[],
    )
    store.add_verification(run)
    return run


def ask_for_verification(tx: Tx) -> Verification:
    """Begin a run that a job carries on, or return the one that is under way; the audit trail notes who asked."""
    known = ChainStore(tx).verification()
    if known is not None and known.finished_at is None and tx.now() - known.asked_at < _PATIENCE:
        run = known
    else:
        run = begin_verification(tx)
        defer(tx, VERIFY_TASK, {"tenant": str(tx.tenant), "run": str(run.id)}, lock=f"{VERIFY_TASK}:{tx.tenant}")
    record_audit(tx, "audit:verify", show_id("ver", run.id))
    return run


def get_verification(tx: Tx, identifier: uuid.UUID) -> Verification:
    """One run. Raises VerificationNotFound."""
    found = ChainStore(tx).verification(identifier)
    if found is None:
        raise VerificationNotFound(f"There is no verification {show_id('ver', identifier)}.")
    return found


class ChainVerifier:
    """One run over a chain in steps, each with a transaction of its own: entries never change, so none must be long."""

    def __init__(self, run: Verification) -> None:
        self.run = run
        self._first_hash = run.last_hash
        self._until = run.first_sequence
        self._walk = Walk(sequence=run.first_sequence, hash=run.last_hash or b"")

    def step(self, tx: Tx) -> bool:
        """Check the next VERIFY_AT_ONCE entries; False when there was nothing left."""
        store = ChainStore(tx)
        last, _ = store.end()
        if self._until >= last:
            return False
        until = min(last, self._until + VERIFY_AT_ONCE)
        self._walk.feed(store.sealed_rows(self._until, until))
        self._until = until
        self._note(tx)
        return True

    def finish(self, tx: Tx, settings: Settings) -> Verification:
        """Check the anchor, the signed heads and what has no seal; the run is over."""
        store = ChainStore(tx)
        found = self._anchor(store) + self._walk.findings() + self._heads(tx, settings)
        for entry in store.vanished(FINDINGS_MAX):
            says = f"The entry {show_id('aud', entry)} was deleted before it was sealed."
            found.append(ChainFinding(kind="missing", says=says, entry=show_id("aud", entry)))
        since = EPOCH if self.run.first_sequence == 0 else tx.now() - _RECENT
        for entry in store.unsealed(since, tx.now() - SEALED_WITHIN, FINDINGS_MAX):
            says = f"The entry {show_id('aud', entry)} has no seal: it was slipped in, or no sealer (finer jobs) runs."
            found.append(ChainFinding(kind="unsealed", says=says, entry=show_id("aud", entry)))
        self.run = msgspec.structs.replace(self.run, findings=found[:FINDINGS_MAX], finished_at=tx.now())
        self._note(tx)
        return self.run

    def _note(self, tx: Tx) -> None:
        self.run = msgspec.structs.replace(
            self.run, checked=self._walk.checked, last_sequence=self._walk.sequence, last_hash=self._walk.hash
        )
        ChainStore(tx).update_verification(self.run)

    def _anchor(self, store: ChainStore) -> list[ChainFinding]:
        # An incremental run trusts what an earlier one saw, so the chain must still hold that very hash.
        first = self.run.first_sequence
        if first == 0 or store.hashes([first]).get(first) == self._first_hash:
            return []
        says = f"Sequence {first} is no longer what it was when it was verified."
        return [ChainFinding(kind="rewritten", says=says, sequence=first)]

    def _heads(self, tx: Tx, settings: Settings) -> list[ChainFinding]:
        store = ChainStore(tx)
        verifier = Verifier.of(key_file(settings).parent)
        in_files, bad = HeadFiles(heads_folder(settings)).read(tx.tenant)
        known = [head for head in {*store.heads(), *in_files} if head.sequence >= self.run.first_sequence]
        good = [head for head in known if self._signed(verifier, tx.tenant, head)]
        found = head_findings(good, store.hashes([head.sequence for head in good]), store.end()[0])
        for head in sorted(set(known) - set(good), key=lambda each: each.sequence):
            says = f"The head at sequence {head.sequence} carries no signature of a known key ({head.key_id[:16]!r})."
            found.append(ChainFinding(kind="forged", says=says, sequence=head.sequence))
        if bad:
            found.append(ChainFinding(kind="forged", says=f"{bad} lines of the exported heads cannot be read."))
        return found

    def _signed(self, verifier: Verifier, tenant: uuid.UUID, head: SignedHead) -> bool:
        return head.tenant_id == tenant and verifier.good(head.key_id, head_message(tenant, head), head.signature)


def chain_status(tx: Tx) -> ChainStatus:
    """Where the chain of this firm stands."""
    store = ChainStore(tx)
    return ChainStatus(
        sequence=store.end()[0],
        waiting=store.waiting(),
        head=store.last_head(),
        verification=store.verification(),
        verified=store.verification(finished=True),
    )

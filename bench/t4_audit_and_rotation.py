"""T4: how fast the audit chain is verified (and sealed), and requests that fail while keys are replaced."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from bench.support.report import median, report
from bench.support.rotation import rotation
from finer.app.audit_keeper import verify_chain
from finer.identity.service import chain
from finer.kit.actors import SYSTEM
from finer.kit.db import WORKER, Database
from finer.kit.ids import new_id
from finer.kit.migration import migrate
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import load_settings
from finer.kit.signing import Signer

_ENTRIES = """
insert into identity_audit_entries
select %(tenant)s, (lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 19))::uuid,
       now() - interval '1 day' + n * interval '1 ms', 'user',
       '0192f0c0-0000-7000-8000-000000000000', 'Ana Cruz', 'risk_analyst', 'alerts:resolve',
       'alr_' || md5(n::text), 'done', '203.0.113.' || n %% 250,
       jsonb_build_object('verdict', 'dismissed', 'note', 'Known customer, called back.', 'version', n),
       'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
       'ses_' || md5((n / 50)::text), 'req_' || md5('r' || n)
  from generate_series(1, %(count)s) as n
"""


def verify_audit(entries: int, runs: int) -> dict[str, float]:
    """Seal `entries` entries of one firm and verify them `runs` times: `verify_per_s` and `seal_per_s`."""
    folder = Path(tempfile.mkdtemp(prefix="finer-t4-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        migrate(server.url)
        settings = load_settings({}, data_dir=str(folder))
        database = Database(server.url, WORKER, connections=2)
        tenant = new_id()
        with database.transaction(tenant, SYSTEM) as tx:
            tx.connection.exec_driver_sql(_ENTRIES, {"tenant": tenant, "count": entries})
        started, sealed = time.perf_counter(), chain.SEAL_AT_ONCE
        while sealed == chain.SEAL_AT_ONCE:
            with database.transaction(tenant, SYSTEM) as tx:
                sealed = chain.seal(tx)
        seal_s = time.perf_counter() - started
        with database.transaction(tenant, SYSTEM) as tx:
            chain.sign_head(tx, settings, Signer.at(chain.key_file(settings)))
        rates = []
        for _ in range(runs):
            started = time.perf_counter()
            with database.transaction(tenant, SYSTEM) as tx:
                run = chain.begin_verification(tx)
            done = verify_chain(database, settings, tenant, run)
            if done.findings or done.checked != entries:
                raise RuntimeError(f"The chain does not verify: {done.findings[:3]}, {done.checked} entries.")
            rates.append(entries / (time.perf_counter() - started))
        database.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {"verify_per_s": median(rates), "seal_per_s": entries / seal_s}


def main() -> None:
    """Measure and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    figures = verify_audit(arguments.entries, arguments.runs) | rotation(arguments.rows)
    report(
        "T4",
        figures,
        ">= 100 k entries/s; 0 failed requests",
        figures["verify_per_s"] >= 100_000 and not figures["rotation_failed"] and not figures["rotation_rows_left"],
        settings={"entries": arguments.entries, "runs": arguments.runs, "rows": arguments.rows},
    )


if __name__ == "__main__":
    main()

"""What every process of Finer does at its start: logging, finding its database, dying with its supervisor."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
from typing import TextIO

import structlog

from finer.kit.database_address import check_database_address
from finer.kit.folders import nearest_folder, try_writing
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import Settings

_PR_SET_PDEATHSIG = 1


def prepare_process(settings: Settings, name: str, log: TextIO | None = None) -> None:
    """Set up logging as JSON lines on standard error, or on `log`, and die with the supervisor."""
    stream = sys.stderr if log is None else log
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(level=level, stream=stream, format="%(name)s: %(message)s")
    for noisy in ("procrastinate", "httpx", "httpcore", "granian", "_granian", "alembic"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=name)
    die_with_supervisor()


def check_data_folder(settings: Settings, *, written: bool = False) -> None:
    """See that the data folder can be looked for, and written to. Raises InvalidInput that says what to do."""
    advice = "Give another folder by --data-dir or FINER_DATA_DIR, or put right what is in the way of this one."
    (try_writing if written else nearest_folder)(settings.data_path, advice)


def database_url(settings: Settings) -> tuple[str, EmbeddedPostgres | None]:
    """The owner's address of the database, and the embedded server behind it (None with a server of one's own).

    Raises InvalidInput for a server of one's own that is reached unprotected, and for a data folder that cannot be.
    """
    if settings.database_url:
        return check_database_address(settings), None
    check_data_folder(settings)
    server = EmbeddedPostgres(settings.data_path)
    return server.url, server


def settle() -> None:
    """After start-up: what exists now is never garbage, and threads change over often enough for low latency."""
    gc.collect()
    gc.freeze()
    # The first two as Python has them; the command line sets a higher one while everything is loaded. The third is ten
    # times Python's: a walk over all that lives takes a second where ten thousand streams are held, and finds little.
    gc.set_threshold(700, 10, 100)
    sys.setswitchinterval(0.0002)


def die_with_supervisor() -> None:
    """Have the system stop this process when the one that started it ends, or end at once when that has happened.

    FINER_SUPERVISOR_PID says which one that is.
    """
    parent = os.environ.get("FINER_SUPERVISOR_PID")
    if parent is None or not sys.platform.startswith("linux"):
        return
    # Without this, processes of a killed supervisor would go on and hold the port and the partitions.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # Not the first process alone takes in children of who is gone: a supervisor does so as well (decision 0062).
    if os.getppid() != int(parent):
        sys.exit("finer: the process that started this one is gone, so it does not start")

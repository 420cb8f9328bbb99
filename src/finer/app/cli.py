"""The command line: `finer ...`. Every command parses, calls a service, and prints; `--json` for scripts."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from typing import Any

import click

from finer.kit.errors import FinerError

# Where each command is, and what the list of commands says of it. A module is imported when its command is used, so
# that a small command and the list itself come at once, and a process holds in memory only what it needs.
COMMANDS = {
    "up": ("up", "Run everything on this machine, PostgreSQL included."),
    "api": ("api", "Run one API process."),
    "worker": ("worker", "Run one pipeline worker."),
    "jobs": ("jobs", "Run one process for jobs and schedules."),
    "job": ("job", "Scheduled and deferred work."),
    "sources": ("sources", "Run the process that reads the sources of all firms."),
    "demo": ("demo", ""),
    "template": ("template", ""),
    "migrate": ("migrate", "Bring the database to the newest schema."),
    "verify": ("verify:verify_command", "Check every invariant, and a sample of windows against the lake."),
    "doctor": ("doctor", "Say what of this machine and these settings keeps Finer from running."),
    "ingest": ("ingest", "Take in files of any size: CSV, NDJSON, JSON, Parquet or Arrow IPC."),
    "contract": ("contract", "Look at contracts, test files against them, and publish new versions."),
    "source": ("source", "Sources: where records come from by themselves."),
    "quality": ("quality", "The share of records that passed each contract, and open incidents."),
    "quarantine": ("quarantine:quarantine_group", "Records that break their contract."),
    "sql": ("data", "Ask the lake in SQL (DuckDB's dialect; one SELECT)."),
    "export": ("lake", "Write a table of the lake, or a part of it, to a file."),
    "lake": ("lake", "The lake: who reads it by other programs."),
    "rules": ("data", "List the fraud rules in force: those of a firm in all their states."),
    "fraud": ("fraud", "Decisions about payments."),
    "fx": ("data", "Exchange rates."),
    "model": ("model", "Models that score transactions."),
    "bench": ("data", "Run a benchmark of a checkout by its row or name."),
    "tenant": ("people", "Firms on this installation."),
    "user": ("people", "People who sign in."),
    "key": ("people", "API keys of machines."),
    "sso": ("sso", "Single sign-on of firms."),
    "audit": ("audit", "The audit trail."),
    "keys": ("keys", "Keys of sealed columns: how they stand, and replacing them."),
    "log": ("log", "Rows of the event log that were set aside because they failed."),
    "privacy": ("privacy", "Subject requests and retention."),
}


class FinerGroup(click.Group):
    """Commands found when they are used; expected failures end with a sentence and exit code 1, not a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of COMMANDS."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(f"finer.app.commands.{module}"), attribute or cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands that are for people, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name in self.list_commands(ctx) if (says := COMMANDS[name][1])])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a FinerError becomes its sentence on standard error."""
        # Libraries read these two when they are imported, which no command has done yet. Nothing here multiplies large
        # matrices, and the threads that OpenBLAS keeps for that spin for work while everything is loaded.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        # Arrow's own allocator gives memory back after each body and has it zeroed again for the next. Without it a
        # quarter more events per second went through in bodies of 1,000, with 15 MB less in the API.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        # Half a million objects are made at the start, and stay: looking for garbage among them each time that a few
        # hundred more are there would take a fifth of it.
        gc.set_threshold(50_000)
        try:
            return super().invoke(ctx)
        except FinerError as error:
            click.echo(f"finer: {error.title}. {error.detail}", err=True)
            sys.exit(1)
        except BrokenPipeError:
            # The reader of our output went away (`finer sql ... | head`): nothing is wrong.
            sys.stderr.close()
            sys.exit(0)


@click.group(cls=FinerGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="finer", prog_name="finer")
def main() -> None:
    """Finer: real-time financial intelligence on this machine.

    Example: finer up --demo
    """


def run() -> None:
    """`main` as a process of its own, which is not taken apart at its end: the system takes all memory back at once.

    Python would go through every object first, which took each process of `finer up` a quarter of a second of CPU: it
    got pages of its own for all that it had shared with the template.
    """
    codes: list[int] = []
    # The first that is registered is called last: when no thread is left, and all others have been called.
    atexit.register(_leave, codes)
    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            codes.append(end.code or 0)
        raise


def _leave(codes: list[int]) -> None:
    """End now with that exit code; without one, or when the last words find no reader, as Python does it."""
    if not codes:
        return
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(codes[0])


if __name__ == "__main__":
    run()

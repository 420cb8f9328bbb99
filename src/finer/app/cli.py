"""The command line: `finer ...`. Every command parses, calls a service, and prints; `--json` for scripts."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from finer.kit.errors import FinerError

# Where each command is: a module is imported when its command is used, so that a small command starts at once and a
# process holds in memory only what it needs.
COMMANDS = {
    "up": "up",
    "api": "api",
    "worker": "worker",
    "jobs": "jobs",
    "job": "job",
    "sources": "sources",
    "demo": "demo",
    "migrate": "upkeep",
    "verify": "upkeep:verify_command",
    "doctor": "upkeep",
    "ingest": "ingest",
    "contract": "contract",
    "source": "source",
    "quality": "quality",
    "quarantine": "quarantine:quarantine_group",
    "sql": "data",
    "export": "lake",
    "lake": "lake",
    "rules": "data",
    "fraud": "fraud",
    "fx": "data",
    "model": "model",
    "bench": "data",
    "tenant": "people",
    "user": "people",
    "key": "people",
    "sso": "sso",
    "audit": "audit",
    "keys": "keys",
    "log": "log",
    "privacy": "privacy",
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
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(f"finer.app.commands.{module}"), attribute or cmd_name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a FinerError becomes its sentence on standard error."""
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


if __name__ == "__main__":
    main()

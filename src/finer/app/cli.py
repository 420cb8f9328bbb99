"""The command line: `finer ...`. Every command parses, calls a service, and prints; `--json` for scripts."""

from __future__ import annotations

import sys
from typing import Any

import click

from finer.app.commands import data, people, processes
from finer.kit.errors import FinerError


class FinerGroup(click.Group):
    """Commands whose expected failures end with a sentence and exit code 1, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a FinerError becomes its sentence on standard error."""
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


for command in (*processes.COMMANDS, *data.COMMANDS, *people.COMMANDS):
    main.add_command(command)


if __name__ == "__main__":
    main()

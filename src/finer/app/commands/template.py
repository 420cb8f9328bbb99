"""`finer template`: what `finer up` copies its processes from; not for people."""

from __future__ import annotations

import socket
import sys

import click

from finer.app.process import die_with_supervisor
from finer.app.template import serve
from finer.kit.errors import InvalidInput


@click.command(hidden=True)
def template() -> None:
    """Wait on standard input, a socket of the supervisor, for the commands that copies of this process are to run.

    Example: finer up
    """
    die_with_supervisor()
    try:
        channel = socket.socket(fileno=sys.stdin.fileno())
    except OSError as error:
        raise InvalidInput("`finer up` starts this by itself, with a socket as its input.") from error
    command = serve(channel)
    group = click.get_current_context().find_root().command
    group.main(command, prog_name="finer")

"""Options that nearly all commands take, and the settings made of them.

Apart from what else commands share: the process that holds the port of the API reads its settings, and would load
everything that asks a database for nothing, before the one that serves can start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from finer.kit.settings import Settings, load_settings

data_dir_option = click.option("--data-dir", metavar="DIR", help="Folder of Finer's data (FINER_DATA_DIR).")


def tls_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of certificate and key."""
    command = click.option("--tls-key", metavar="FILE", help="PEM file of its private key (FINER_TLS_KEY).")(command)
    return click.option("--tls-cert", metavar="FILE", help="PEM file of the TLS certificate (FINER_TLS_CERT).")(command)


def settings_of(data_dir: str | None, **overrides: Any) -> Settings:
    """Settings from the environment and the options given."""
    return load_settings(data_dir=data_dir, **overrides)

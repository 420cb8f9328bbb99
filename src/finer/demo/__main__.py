"""`python -m finer.demo`: the simulated world against any Finer, for demonstrations and load."""

from __future__ import annotations

import signal

import click

from finer.demo.live import DEFAULT_RATE
from finer.demo.service import run
from finer.demo.world import DEFAULT_CUSTOMERS, DEFAULT_SEED
from finer.kit.errors import FinerError
from finer.kit.stopping import StopEvent


@click.command()
@click.option("--url", required=True, help="Address of Finer, e.g. http://127.0.0.1:8000.")
@click.option("--api-key", required=True, envvar="FINER_DEMO_API_KEY", help="Key to send events and read the pipeline.")
@click.option("--analyst-link", default=None, help="Sign-in link of a risk analyst, for the simulated analyst.")
@click.option(
    "--rate",
    default=DEFAULT_RATE,
    show_default=True,
    type=click.FloatRange(0, 100_000),
    help="Live events per second; 0 ends after the history.",
)
@click.option("--days", default=90, show_default=True, type=click.IntRange(0, 365), help="Days of history; 0 for none.")
@click.option(
    "--customers",
    default=DEFAULT_CUSTOMERS,
    show_default=True,
    type=click.IntRange(100, 500_000),
    help="Customers of the bank.",
)
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="The same seed gives the same world.")
def main(url: str, api_key: str, analyst_link: str | None, rate: float, days: int, customers: int, seed: int) -> None:
    """Load the history of a simulated bank, then let it live.

    Example: python -m finer.demo --url http://127.0.0.1:8000 --api-key fk_... --rate 200
    """
    stop = StopEvent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(url, api_key, analyst_link, rate=rate, seed=seed, history_days=days, customers=customers, stop=stop)
    except FinerError as error:
        raise click.ClickException(error.detail) from error


if __name__ == "__main__":
    main()

"""`finer model ...`: the models of a firm: list, register, learn, write to a file."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from finer.app.commands.common import (
    echo_lines,
    json_option,
    show,
    tenant_option,
    tenant_transaction,
    writing,
)
from finer.app.commands.options import data_dir_option
from finer.fraud.service import verdicts as fraud
from finer.kit.errors import NotFound
from finer.kit.ids import read_id, show_id
from finer.scoring.service import asking, models
from finer.scoring.types import TrainingPlan


@click.group()
def model() -> None:
    """Models that score transactions.

    Example: finer model register model.txt --tenant acme --name july --threshold 0.9
    """


@model.command("list")
@tenant_option
@data_dir_option
@json_option
def model_list(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List a firm's models, the newest first.

    Example: finer model list --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = [
            {
                "id": show_id("mdl", one.id), "version": one.version, "state": str(one.state), "name": one.name,
                "threshold": one.threshold, "sha256": one.sha256, "registered_at": one.registered_at,
                "measures": msgspec.to_builtins([] if one.card is None else one.card.measures),
            }
            for one in models.list_models(tx, fraud.PRODUCT)
        ]  # fmt: skip

    lines = (
        f"{one['id']}  v{one['version']:<4} {one['state']:<11} {str(one['sha256'])[:12]}  "
        f"{one['threshold']:<9.6g} {one['name']}"
        for one in found
    )
    none = "This firm has no model. `finer model train` learns one, `finer model register` takes one from a file."
    show(found, as_json, lambda: echo_lines(lines, none))


@model.command("register")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="A name for people.")
@click.option("--threshold", type=float, required=True, help="Probability from which a transaction is reviewed.")
@click.option("--sha256", default="", metavar="HEX", help="What the file's SHA-256 must be; another one is refused.")
@click.option("--champion", is_flag=True, help="Let it decide at once, as the operator of this installation may.")
@tenant_option
@data_dir_option
def model_register(
    file: Path, name: str, threshold: float, sha256: str, champion: bool, tenant: str, data_dir: str | None
) -> None:
    """Check a model (LightGBM's text, or an ensemble of Finer's training) and keep it as a candidate.

    From there people try it in shadow and approve it, on the page Models.

    Example: finer model register model.txt --tenant acme --name july --threshold 0.9
    """
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{file} cannot be read as text: {error}.") from error
    with tenant_transaction(data_dir, tenant) as tx:
        made = models.register_model(
            tx, name=name, product=fraud.PRODUCT, text=text, known=fraud.model_columns(), threshold=threshold,
            sha256=sha256,
        )  # fmt: skip
        if champion:
            models.crown(tx, made.id)
    after = (
        "is in force; new events are scored with it within seconds."
        if champion
        else "is a candidate. The page Models lets it score in shadow."
    )
    click.echo(f"Model {made.name!r} ({made.sha256[:12]}, version {made.version}) {after}")


@model.command("train")
@click.option("--name", default="", help="A name for people.")
@click.option("--days", type=click.IntRange(1, 365), default=28, show_default=True, help="Days to learn from.")
@click.option("--delay", type=click.IntRange(1, 90), default=7, show_default=True, help="Days until labels are known.")
@click.option("--test", "test_days", type=click.IntRange(1, 60), default=7, show_default=True, help="Days of trial.")
@click.option("--folds", type=click.IntRange(1, 6), default=2, show_default=True, help="Trials to choose by.")
@click.option(
    "--labels",
    type=click.Choice(["as_known", "after_delay"]),
    default="as_known",
    show_default=True,
    help="Labels as they were known when a trial began, or as known today after the delay.",
)
@click.option("--capacity", type=click.IntRange(1), default=100, show_default=True, help="Accounts looked at a day.")
@click.option("--false-positive-rate", type=click.FloatRange(0, 1, min_open=True), help="Choose the threshold by it.")
@tenant_option
@data_dir_option
def model_train(
    name: str,
    days: int,
    delay: int,
    test_days: int,
    folds: int,
    labels: str,
    capacity: int,
    false_positive_rate: float | None,
    tenant: str,
    data_dir: str | None,
) -> None:
    """Ask for a model to be learnt from the lake; `finer jobs` (or `finer up`) does it, the page Jobs shows how far.

    Example: finer model train --tenant acme --days 28 --capacity 100
    """
    plan = msgspec.convert(
        {
            "days": days, "delay_days": delay, "test_days": test_days, "folds": folds, "labels": labels,
            "threshold_rule": "capacity" if false_positive_rate is None else "false_positive_rate",
            "target": capacity if false_positive_rate is None else false_positive_rate, "capacity": capacity,
        },
        TrainingPlan,
    )  # fmt: skip
    with tenant_transaction(data_dir, tenant) as tx:
        run = asking.begin_training(tx, plan, name, "")
    click.echo(f"Asked for: {show_id('run', run)}.")


@model.command("export")
@click.argument("identifier", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path))
@tenant_option
@data_dir_option
def model_export(identifier: str, file: Path, tenant: str, data_dir: str | None) -> None:
    """Write the text of a model to a file, as it was registered.

    Example: finer model export mdl_0192a0b0c0d07e0f8a1b2c3d4e5f6071 model.txt --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        text = models.text_of(tx, read_id("mdl", identifier))
    with writing(file):
        file.write_text(text)
    click.echo(f"{len(text.encode()):,} bytes written to {file}.")

"""The world has the frauds that its description says, and the protocol runs over it from a file to figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bench import handbook
from bench.handbook_judge import judged
from bench.handbook_world import make_world
from finer.scoring.service.training import roc_auc


@pytest.fixture(scope="module")
def world() -> pa.Table:
    return make_world(5, customers=60, terminals=400, radius=10.0)


def test_the_world_is_as_described(world: pa.Table) -> None:
    amount, scenario = world["TX_AMOUNT"].to_numpy(), world["TX_FRAUD_SCENARIO"].to_numpy()
    assert make_world(5, customers=60, terminals=400, radius=10.0).equals(world)
    assert (np.diff(world["TX_DATETIME"].to_numpy()).astype(np.int64) >= 0).all()
    assert (amount >= 0).all()
    assert (scenario[(amount > 220)] > 0).all()
    assert set(np.unique(scenario)) == {0, 1, 2, 3}
    assert ((scenario > 0) == (world["TX_FRAUD"].to_numpy() == 1)).all()
    assert 60 * 183 < world.num_rows < 60 * 183 * 3


def test_labels_are_not_seen_before_they_are_known(world: pa.Table) -> None:
    turned = world.set_column(
        world.schema.get_field_index("TX_FRAUD"), "TX_FRAUD", pa.array(1 - world["TX_FRAUD"].to_numpy())
    )
    told, other = handbook.compute(world.slice(0, 3000)), handbook.compute(turned.slice(0, 3000))
    early = told.times < told.times[0] + 7 * handbook.DAY_US
    assert early.any()
    assert not early.all()
    np.testing.assert_array_equal(told.table.columns[:, early], other.table.columns[:, early])
    assert not np.array_equal(told.table.columns, other.table.columns, equal_nan=True)


def test_from_a_file_to_figures(world: pa.Table, tmp_path: Path) -> None:
    file = tmp_path / "transactions.parquet"
    pq.write_table(world, file)
    done = CliRunner().invoke(handbook.command(None), ["--data", str(file)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output.splitlines()[-1])
    assert len(found["folds"]) == 4
    for row in ("F1", "F2"):
        assert 0.5 < found[row]["auc"] <= 1
        assert 0 < found[row]["share_of_oracle"] <= 1


def test_a_file_without_a_column_is_told_which(tmp_path: Path) -> None:
    file = tmp_path / "short.parquet"
    pq.write_table(pa.table({"TX_AMOUNT": [1.0]}), file)
    done = CliRunner().invoke(handbook.command("F2"), ["--data", str(file)])
    assert done.exit_code == 2
    assert "CUSTOMER_ID" in done.output


def test_a_file_that_is_no_parquet_is_told(tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("TX_DATETIME,TX_AMOUNT\n")
    done = CliRunner().invoke(handbook.command(None), ["--data", str(file)])
    assert done.exit_code == 2, done.exception
    assert "payments.csv is no Parquet file" in done.output


def test_the_judge_sees_labels_no_sooner_and_is_better_than_chance(world: pa.Table) -> None:
    amounts, labels = world["TX_AMOUNT"].to_numpy(), world["TX_FRAUD"].to_numpy() > 0
    times = world["TX_DATETIME"].to_numpy().astype("datetime64[us]").astype(np.int64)
    places = (world["CUSTOMER_ID"].to_numpy(), world["TERMINAL_ID"].to_numpy())
    days = times // handbook.DAY_US
    delay_us = 7 * handbook.DAY_US

    found = judged(times, delay_us, days, *places, amounts, labels)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[amounts > 220] == 1).all()
    assert roc_auc(labels, found) > 0.8

    # As long as no label is known, one terminal is as good as another.
    never = int(times[-1] - times[0]) + 1
    alone = judged(times, never, days, places[0], np.zeros_like(places[1]), amounts, labels)
    np.testing.assert_array_equal(judged(times, never, days, *places, amounts, labels), alone)
    assert roc_auc(labels, alone) < roc_auc(labels, found)

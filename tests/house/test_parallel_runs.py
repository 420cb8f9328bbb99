"""How tests are handed out where several processes run them."""

from __future__ import annotations

import copy

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.conftest import pytest_xdist_make_scheduler


@pytest.mark.parametrize("dist", ["load", "loadfile"])
def test_files_stay_whole_also_where_only_the_number_of_processes_is_said(
    pytestconfig: pytest.Config, dist: str
) -> None:
    config = copy.copy(pytestconfig)
    config.option = copy.copy(pytestconfig.option)
    # `-n 2` alone means `--dist load`.
    config.option.dist, config.option.tx = dist, ["popen", "popen"]
    assert isinstance(pytest_xdist_make_scheduler(config, Producer("test")), LoadFileScheduling)

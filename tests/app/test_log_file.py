"""Where `finer up` logs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from finer.app.log_file import open_log
from finer.kit.settings import load_settings

_SAY = """
import structlog
from finer.app.log_file import open_log
from finer.app.process import prepare_process
from finer.kit.settings import load_settings
settings = load_settings()
log = open_log(settings)
prepare_process(settings, "supervisor", log)
structlog.get_logger("x").info("it runs")
print("Finer starts.")
"""


def _said_on_a_terminal(data: Path, log_to: str) -> str:
    controller, terminal = pty.openpty()
    environment = os.environ | {"FINER_DATA_DIR": str(data), "FINER_LOG_TO": log_to}
    subprocess.run([sys.executable, "-c", _SAY], stdout=terminal, stderr=terminal, env=environment, check=True)
    os.close(terminal)
    said = b""
    try:
        while part := os.read(controller, 4096):
            said += part
    except OSError:
        pass  # Linux ends a terminal that nobody holds like this
    finally:
        os.close(controller)
    return said.decode()


def test_on_a_terminal_people_read_sentences_and_the_lines_go_to_the_file(tmp_path: Path) -> None:
    assert _said_on_a_terminal(tmp_path, "auto").strip() == "Finer starts."
    [line] = (tmp_path / "logs" / "finer.log").read_text().splitlines()
    assert json.loads(line)["event"] == "it runs"


def test_who_asks_for_lines_on_a_terminal_gets_them(tmp_path: Path) -> None:
    assert '"event": "it runs"' in _said_on_a_terminal(tmp_path, "stderr")
    assert not (tmp_path / "logs").exists()


def test_without_a_terminal_the_lines_stay_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert open_log(load_settings({}, data_dir=str(tmp_path))) is None
    log = open_log(load_settings({}, data_dir=str(tmp_path), log_to="file"))
    assert log is not None
    log.close()


def test_a_file_that_has_grown_large_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finer.app.log_file._BYTES_MAX", 10)
    settings = load_settings({}, data_dir=str(tmp_path), log_to="file")
    for text in ("the first run\n", "the second\n"):
        log = open_log(settings)
        assert log is not None
        log.write(text)
        log.close()
    assert (tmp_path / "logs" / "finer.log.1").read_text() == "the first run\n"
    assert (tmp_path / "logs" / "finer.log").read_text() == "the second\n"

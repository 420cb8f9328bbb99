"""Execute docs/notebooks/*.ipynb against a running Finer, and keep their outputs without names of this machine.

    make notebook DATA=.finer TENANT=demo

A reader of the firm's lake is made for it and dropped again. It runs in the environment of its own that make makes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat  # type: ignore[import-not-found]
from nbclient import NotebookClient  # type: ignore[import-not-found]

ROOT = Path(__file__).resolve().parents[1]
NAME = "make_notebook"


def finer(*arguments: str, data: str, tenant: str) -> str:
    """Run a command of the checkout's own Finer."""
    command = [
        str(ROOT / ".venv/bin/python"),
        "-m",
        "finer.app.cli",
        *arguments,
        "--tenant",
        tenant,
        "--data-dir",
        data,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(data: str, tenant: str) -> None:
    """Execute every notebook in place."""
    made = json.loads(finer("lake", "reader", "create", NAME, "--json", data=data, tenant=tenant))
    try:
        os.environ["LAKE_DATABASE"] = f"{made['database']} user={made['role']} password={made['password']}"
        os.environ["LAKE_SCHEMA"], os.environ["LAKE_FILES"] = made["schema"], made["files"]
        for file in sorted((ROOT / "docs/notebooks").glob("*.ipynb")):
            notebook = nbformat.read(file, as_version=4)
            NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
            file.write_text(stripped(nbformat.writes(notebook), made), encoding="utf-8")
            print(f"{file.name} is executed.")
    finally:
        finer("lake", "reader", "drop", NAME, data=data, tenant=tenant)


def stripped(text: str, made: dict[str, str]) -> str:
    """The notebook without when and where it was run."""
    document = json.loads(text)
    for cell in document["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    document["metadata"] = {"language_info": {"name": "python"}}
    document["nbformat_minor"] = 4
    out = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    for secret in (made["files"], made["role"], made["password"], str(ROOT)):
        out = out.replace(secret, "…")
    return out


if __name__ == "__main__":
    main(*sys.argv[1:3])

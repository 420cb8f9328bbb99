"""Where the web app is. Apart from what serves it: `finer doctor` looks there, and needs no web framework for it."""

from __future__ import annotations

from pathlib import Path


def web_folder() -> Path:
    """Where the built web app is: inside the package in a wheel, in web/dist in a checkout."""
    inside = Path(__file__).resolve().parent.parent / "web"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "web" / "dist"

"""Find the browser that the journeys use, or get one: prints the path of a Chromium that starts.

The system's own browser first, then the one that Playwright downloads, then, as root on Debian, the package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_START_S = 60
_DOWNLOAD_S = 300


def starts(path: str) -> bool:
    """Whether this browser really runs here: a download without its shared libraries does not."""
    command = [path, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=_START_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def system_browsers() -> Iterator[str]:
    """The browsers of this machine that the PATH knows."""
    yield from filter(None, map(shutil.which, SYSTEM_NAMES))


def downloaded_browsers() -> Iterator[str]:
    """The browser that Playwright keeps for this user, downloaded now when it is not there yet."""
    _tell("There is no Chromium on this machine; Playwright downloads its own ...")
    _attempt([sys.executable, "-m", "playwright", "install", "chromium"])
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only needed on machines without a browser

    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def packaged_browsers() -> Iterator[str]:
    """The package of a Debian system, which brings all libraries with it; only root can install it."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _tell("That did not give a browser that starts; installing the package chromium ...")
        _attempt(["apt-get", "update", "-qq"])
        _attempt(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
        yield from system_browsers()


SOURCES: tuple[Callable[[], Iterator[str]], ...] = (system_browsers, downloaded_browsers, packaged_browsers)


def find_browser(sources: tuple[Callable[[], Iterator[str]], ...] = SOURCES) -> str | None:
    """The path of the first browser that starts; None when there is none to be had."""
    return next((path for source in sources for path in source() if starts(path)), None)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _attempt(command: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, stdout=sys.stderr, timeout=_DOWNLOAD_S, check=True, env=environment)
    except (OSError, subprocess.SubprocessError) as error:
        _tell(f"`{' '.join(command)}` did not work: {error}")


def main() -> None:
    """Print the path, or say what to install."""
    path = find_browser()
    if path is None:
        sys.exit(
            "The browser tests need Chromium, and none could be found, downloaded or installed. "
            "Install the package chromium or google-chrome, then run make test again."
        )
    print(path)


if __name__ == "__main__":
    main()

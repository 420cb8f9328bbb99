"""A certified OpenID provider (npm's oidc-provider, see tests/oidc) running on this machine, and a person at it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

FOLDER = Path(__file__).resolve().parents[1] / "oidc"
CLIENT_ID, SECRET = "finer", "a secret: with %signs & more"


@dataclass
class RealProvider:
    """The running provider."""

    port: int
    process: subprocess.Popen[str]

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        """Its issuer identifier."""
        return f"http://{self.host}"

    def rotate_keys(self) -> None:
        """Sign with new keys from now on, and forget the old ones."""
        self.process.send_signal(signal.SIGUSR2)
        self._wait_for("rotated")

    def sign_in(self, location: str, account: str, redirect_uri: str) -> dict[str, str]:
        """Do what a person does in a browser: sign in, consent; returns what is sent back to Finer."""
        with httpx.Client(timeout=10) as browser:
            answer = browser.get(location)
            for _ in range(12):
                if answer.is_redirect:
                    target = urljoin(str(answer.url), answer.headers["location"])
                    if target.startswith(redirect_uri):
                        return dict(parse_qsl(urlsplit(target).query))
                    answer = browser.get(target)
                    continue
                answer.raise_for_status()
                action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
                prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
                assert action is not None, answer.text
                assert prompt is not None, answer.text
                form = {"prompt": prompt[1], "login": account, "password": "any"}
                answer = browser.post(urljoin(str(answer.url), action[1]), data=form)
        raise AssertionError("The provider never sent the browser back.")

    def _wait_for(self, word: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == word:
                return
        raise AssertionError("The OpenID provider ended. Its packages are installed by `make test`.")


@contextmanager
def real_provider(redirect_uri: str) -> Iterator[RealProvider]:
    """A provider that runs until the block ends."""
    node = shutil.which("node")
    assert node is not None, "Node is missing; tools/check-node says which one is needed."
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [node, "provider.mjs", str(port), redirect_uri], cwd=FOLDER, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    found = RealProvider(port, process)
    try:
        found._wait_for("ready")
        yield found
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

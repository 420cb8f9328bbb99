"""What the files of the repository may say: no machine, no registry; a README that fits and is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.house.checks.tree import repository_files

README_LINES_MAX = 120
FILE_BYTES_MAX = 2**20
NPM_LOCKS = ("web/package-lock.json", "tests/oidc/package-lock.json")
# The tildes keep this file from finding itself.
_HOSTS = re.compile(
    r"files\.python~hosted\.org|py~pi\.org/simple|registry\.(npm~js\.org|yarn~pkg\.com)|deb\.~debian\.org|repo1?\.~maven"
    r"|proxy\.go~lang\.org|static\.~crates\.io".replace("~", "")
)
_LOCAL_PATH = re.compile(r"(?<![\w.:/-])/(wo~rk|fa~rm|ho~me|Us~ers|ro~ot|t~mp)/[A-Za-z.]|\.lib~rary/".replace("~", ""))
_MAKE = re.compile(r"`make ([a-z][a-z-]*)|^\s*make ([a-z][a-z-]*)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_BINARY = frozenset({".gz", ".ico", ".jpg", ".parquet", ".pdf", ".png", ".webp", ".woff2", ".zst"})


def machine_names(root: Path) -> list[str]:
    """No file names a package registry's host or a path of the machine it was written on."""
    found = []
    for path in repository_files(root):
        if path.suffix in _BINARY:
            continue
        place = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if hit := _HOSTS.search(line):
                found.append(f"{place}:{number} names the registry host {hit.group(0)}: name the package only.")
            if hit := _LOCAL_PATH.search(line):
                found.append(
                    f"{place}:{number} names a local path ({hit.group(0)}...): write a path relative to the repository."
                )
    return found


def conflicts(root: Path) -> list[str]:
    """No file holds both sides of a conflict that nobody resolved."""
    return [
        f"{path.relative_to(root).as_posix()}:{number} is the mark of a conflict: keep what is right of both sides."
        for path in repository_files(root)
        if path.suffix not in _BINARY
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if line.startswith(("<<<<<<< ", ">>>>>>> "))
    ]


def large_files(root: Path) -> list[str]:
    """Nothing large is kept in git."""
    sizes = [(path, path.stat().st_size) for path in repository_files(root)]
    return [
        f"{path.relative_to(root).as_posix()} has {size // 1024} KiB ({FILE_BYTES_MAX // 1024} at most): "
        "generate it, or fetch it when needed."
        for path, size in sizes
        if size > FILE_BYTES_MAX
    ]


def readme(root: Path) -> list[str]:
    """The README is short and shows how to run and how to test."""
    text = (root / "README.md").read_text(encoding="utf-8")
    lines = len(text.splitlines())
    found = [f"README.md has {lines} lines ({README_LINES_MAX} at most)."] if lines > README_LINES_MAX else []
    return found + [
        f"README.md does not show `{wanted}`." for wanted in ("make run", "make test") if wanted not in text
    ]


def make_targets(root: Path) -> list[str]:
    """Every `make` command in the documents exists in the Makefile."""
    known = set(_TARGET.findall((root / "Makefile").read_text(encoding="utf-8")))
    found = []
    for path in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]:
        named = {first or second for first, second in _MAKE.findall(path.read_text(encoding="utf-8"))}
        found += [
            f"{path.relative_to(root).as_posix()} names `make {name}`, which the Makefile does not have."
            for name in sorted(named - known)
        ]
    return found


def broken_links(root: Path) -> list[str]:
    """Every relative link of the documents leads to a file."""
    links = [
        (path, target)
        for path in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
        for target in _LINK.findall(path.read_text(encoding="utf-8"))
    ]
    return [
        f"{path.relative_to(root).as_posix()} links to {target}, which does not exist."
        for path, target in links
        if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists()
    ]


def npm_lock(root: Path) -> list[str]:
    """The npm lock names no registry and holds every package that a locked one may ask for, on any platform."""
    return [sentence for place in NPM_LOCKS if (root / place).is_file() for sentence in _npm_lock(root, place)]


def _npm_lock(root: Path, place: str) -> list[str]:
    packages = json.loads((root / place).read_text(encoding="utf-8"))["packages"]
    found = [f"{place}: {name} is locked to a registry: npm's omit-lockfile-registry-resolved leaves the address out."
             for name, entry in packages.items() if "resolved" in entry]  # fmt: skip
    for name, entry in packages.items():
        wanted = {**entry.get("dependencies", {}), **entry.get("optionalDependencies", {})}
        found += [
            f"{place}: {name or 'the app'} may ask for {other}, which is not locked, so `npm ci` refuses to install."
            for other in wanted
            if not any(f"{folder}node_modules/{other}" in packages for folder in _folders(name))
        ]
    return found


def _folders(name: str) -> list[str]:
    """Where node looks for what a package asks for: in it, then in every package around it."""
    parts = name.split("node_modules/")
    joined = ["node_modules/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return [folder.rstrip("/") + "/" if folder else "" for folder in joined]

"""`python -m tools.screenshots FOLDER`: see every page of the web app as each role, wide and narrow, light and dark.

Starts a Finer of its own with the demo firm and a firm without a record, or looks at the one that `--data-dir` and
`--port` name. Each page is shown with data, empty, while it loads and when it fails, and with each of its tabs. What
cannot be told from a picture is checked on the way: nothing on the console, no broken policy, no sideways scrolling, no
value that was meant for a program, text that can be read. Ends with 1 when any of it is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from finer.app.commands.options import settings_of
from finer.app.demo import PEOPLE, prepare_demo
from finer.app.flow import deliver
from finer.app.keys import keyring
from finer.app.process import database_url
from finer.identity.service import people, tenants
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.db import API, NO_TENANT, Database
from finer.kit.ids import new_id
from finer.kit.settings import Settings
from tools.browser import find_browser

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_EMPTY = "empty"
_BARE = ("/account", "/notifications")
_DETAILS = {
    "/cases": ("/api/v1/cases?limit=1", "id", "/cases/{}"),
    "/contracts": ("/api/v1/contracts", "name", "/contracts/{}"),
    "/fraud": ("/api/v1/alerts?limit=1", "id", "/fraud/alerts/{}"),
    "/models": ("/api/v1/models", "id", "/models/{}"),
    "/rules": ("/api/v1/rules", "rule", "/rules/{}"),
    "/sources": ("/api/v1/sources", "id", "/sources/{}"),
}
"""Of a list: where its things are asked for, what names one of them, and the page of it."""
_TABS_MAX = 8
_READY_S, _PATIENCE_MS, _SETTLED_MS = 300, 30_000, 700
_PROGRAM_TEXT = re.compile(r"\b(undefined|NaN|Invalid Date|\[object Object\])\b")
_TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) => console.error(
    `the content security policy was broken: ${event.violatedDirective} by ${event.blockedURI} ${event.sample}`))"""
_SIDEWAYS = "document.documentElement.scrollWidth > window.innerWidth"
# Every text that can be seen, and how it stands out from what is behind it: WCAG 1.4.3 asks 4.5, of large text 3.
_FAINT = """() => {
  const parse = (text) => {
    const found = text.match(/rgba?\\(([^)]+)\\)/);
    return found ? found[1].split(/[ ,/]+/).map(Number) : null;
  };
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const colour = parse(style.backgroundColor);
      if (colour && (colour[3] ?? 1) > 0) layers.push(colour);
      if (colour && (colour[3] ?? 1) === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    if (!own.length || element.closest("[aria-disabled=true], :disabled, [aria-hidden=true], .sr-only, svg")) continue;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (!box.width || !box.height || style.visibility === "hidden") continue;
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const colour = parse(style.color);
    const below = behind(element);
    if (!colour || !below || opacity < 0.1) continue;
    const text = over([colour[0], colour[1], colour[2], (colour[3] ?? 1) * opacity], below);
    const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5) - 0.05) found.push(`${ratio.toFixed(2)}: ${own[0].data.trim().slice(0, 50)}`);
  }
  return [...new Set(found)];
}"""
_TAB = "[role=tab]:not([aria-selected=true]), .ant-segmented-item:not(.ant-segmented-item-selected)"
_PAGES = "[...document.querySelectorAll('ul.nav a')].map((link) => link.getAttribute('href'))"


@dataclass(frozen=True)
class Look:
    """A size of the window and a colour scheme."""

    viewport: dict[str, int]
    scheme: str

    @property
    def name(self) -> str:
        """`1440-light`."""
        return f"{self.viewport['width']}-{self.scheme}"


LOOKS = tuple(Look(viewport, scheme) for viewport in (WIDE, NARROW) for scheme in ("light", "dark"))


@dataclass
class Walk:
    """One person's way through the pages."""

    browser: Browser
    url: str
    folder: Path
    complaints: list[str] = field(default_factory=list)
    pictures: int = 0
    looks: tuple[Look, ...] = LOOKS
    once: bool = False
    """Whether a page that many roles have is shown of the first of them only."""
    only: tuple[str, ...] = ()
    """The pages to show, by how their address begins; all of them when it is empty."""
    _said: list[str] = field(default_factory=list)
    _shown: set[str] = field(default_factory=set)

    def chosen(self, paths: list[str], firm: str) -> list[str]:
        """The pages that are shown now."""
        wanted = [path for path in dict.fromkeys(paths) if not self.only or path.startswith(self.only)]
        found = [path for path in wanted if not self.once or f"{firm} {path}" not in self._shown]
        self._shown |= {f"{firm} {path}" for path in paths}
        return found

    def open(self, look: Look, state: Any = None) -> Page:
        """A page of a new window; `state` are the cookies of somebody who is signed in."""
        context = self.browser.new_context(
            base_url=self.url, viewport=look.viewport, color_scheme=look.scheme, storage_state=state,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )  # fmt: skip
        context.add_init_script(_TELL_VIOLATIONS)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.on("console", lambda said: self._said.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._said.append(str(error)))
        return page

    def shoot(self, page: Page, name: str, *, failing: bool = False) -> None:
        """Take a picture once the page has settled, and look for what no picture should have."""
        page.wait_for_timeout(_SETTLED_MS)
        path = self.folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)
        self.pictures += 1
        if page.evaluate(_SIDEWAYS):
            self.complaints.append(f"{name}: scrolls sideways")
        if found := _PROGRAM_TEXT.search(page.inner_text("body")):
            self.complaints.append(f"{name}: shows {found[0]!r}")
        self.complaints += [f"{name}: faint text, contrast {one}" for one in page.evaluate(_FAINT)]
        # That an answer failed is told by the browser itself.
        said = [one for one in self._said if not (failing and "Failed to load resource" in one)]
        self.complaints += [f"{name}: on the console: {one[:300]}" for one in dict.fromkeys(said)]
        self._said.clear()

    def forget(self) -> None:
        """What a page said while it was closed is nobody's fault."""
        self._said.clear()

    def visit(self, page: Page, path: str) -> None:
        """Open a page and wait until nothing of it is a skeleton any more."""
        page.goto(path)
        try:
            page.locator("h1").first.wait_for()
            for skeleton in page.locator("main [role=status][class*=skeleton]").all():
                skeleton.wait_for(state="detached", timeout=_PATIENCE_MS)
        except PlaywrightError:
            self.complaints.append(f"{path}: still loads after {_PATIENCE_MS // 1000} s")


def walk_role(walk: Walk, link: str, name: str, *, states: bool) -> None:
    """Every page of one person in every look; with `states`, how the pages load and fail, too."""
    walk.forget()  # what the person before was told is not said here
    page = walk.open(LOOKS[0])
    page.goto(link)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.locator("ul.nav").first.wait_for(state="attached")
    page.wait_for_timeout(_SETTLED_MS)
    paths = list(dict.fromkeys([*(path for path in page.evaluate(_PAGES) if path), *_BARE]))
    details = [_detail(page, path) for path in paths]
    state = page.context.storage_state()
    page.context.close()
    firm = _EMPTY if name.startswith(_EMPTY) else ""
    chosen = walk.chosen([*paths, *(one for one in details if one)], firm)
    for look in walk.looks:
        page = walk.open(look, state)
        for path in chosen:
            walk.visit(page, path)
            walk.shoot(page, f"{name}/{_file(path)}-{look.name}")
            if look in (LOOKS[0], LOOKS[-1]):
                _tabs(walk, page, f"{name}/{_file(path)}", look)
        page.context.close()
    if states:
        for look in walk.looks:
            _loading_and_failing(walk, state, [path for path in paths if path in chosen], name, look)


def _detail(page: Page, path: str) -> str | None:
    """The page of the first thing of a list, when there is one."""
    if path not in _DETAILS:
        return None
    asked, name, template = _DETAILS[path]
    answer = page.request.get(asked, headers={"X-Requested-With": "finer"})
    items = answer.json()["items"] if answer.ok else []
    return template.format(items[0][name]) if items else None


def _file(path: str) -> str:
    return re.sub(r"[a-z]{3}_[0-9a-f]{32}", "one", path).strip("/").replace("/", "-") or "home"


def _tabs(walk: Walk, page: Page, name: str, look: Look) -> None:
    for at in range(min(page.locator(_TAB).count(), _TABS_MAX)):
        tabs = page.locator(_TAB)
        if at >= tabs.count():
            return
        try:
            tabs.nth(at).click(timeout=2_000)
        except PlaywrightError:
            continue  # it is out of sight in this look
        walk.shoot(page, f"{name}-tab{at + 1}-{look.name}")


def _loading_and_failing(walk: Walk, state: Any, paths: list[str], name: str, look: Look) -> None:
    kept = re.compile(r"/api/v1/(me|firm|notifications.*)$")

    held: list[Route] = []

    def never(route: Route) -> None:
        if kept.search(route.request.url.partition("?")[0]):
            route.continue_()
        else:
            held.append(route)

    def fails(route: Route) -> None:
        if kept.search(route.request.url.partition("?")[0]):
            route.continue_()
            return
        problem = {"type": "about:blank", "title": "Unavailable", "status": 503, "detail": "The database is not there."}
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem))

    for word, handler in (("loading", never), ("failing", fails)):
        for path in paths:
            page = walk.open(look, state)
            page.route("**/api/v1/**", handler)
            page.goto(path)
            try:
                page.locator("h1").first.wait_for()
            except PlaywrightError:
                walk.complaints.append(f"{name}{path}: has no heading while {word}")
            if word == "failing":
                page.wait_for_timeout(4_000)  # it is tried again before the page gives up
            walk.shoot(page, f"{name}/{_file(path)}-{word}-{look.name}", failing=word == "failing")
            for route in held:
                route.abort()
            held.clear()
            page.unroute_all(behavior="ignoreErrors")
            page.context.close()
            walk.forget()


def furnish(url: str, links: dict[str, str]) -> None:
    """Let the demo's people do what the simulated world does not: ask for what takes two, and ask the lake."""
    acts: list[tuple[str, str, dict[str, Any]]] = [
        ("administrator", "/api/v1/api-keys", {
            "name": "core banking feed", "scopes": ["events:write"], "days": 90, "networks": ["203.0.113.0/24"],
            "reason": "The core bank sends its card payments from next week on.",
        }),
        ("customer_manager", "/api/v1/privacy/requests", {
            "subject_kind": "customer", "subject": "c-1", "kind": "access", "law": "gdpr",
        }),
        ("data_engineer", "/api/v1/sql/queries", {"statement": "select count(*) as n from transactions"}),
        ("data_engineer", "/api/v1/sql/saved", {
            "name": "Payments by channel", "folder": "Daily", "sharing": "tenant",
            "statement": "select channel, count(*) as payments from transactions group by channel order by 2 desc",
        }),
    ]  # fmt: skip
    clients: dict[str, httpx.Client] = {}
    for role, path, body in acts:
        if role not in clients:
            clients[role] = httpx.Client(base_url=url, headers={"X-Requested-With": "finer", "Origin": url}, timeout=30)
            token = links[role].rpartition("token=")[2]
            clients[role].post("/api/v1/session/link", json={"token": token}).raise_for_status()
        answer = clients[role].post(path, json=body)
        if answer.status_code >= 400:
            print(f"{role} could not POST {path}: {answer.text[:200]}", file=sys.stderr)
    for client in clients.values():
        client.close()


def demo_links(settings: Settings) -> dict[str, str]:
    """Fresh sign-in links of the demo's people, by the first part of their address."""
    links = prepare_demo(database_url(settings)[0], settings).links
    return {account: link for (_, _, account), (_, _, link) in zip(PEOPLE, links, strict=True)}


def empty_links(settings: Settings) -> dict[str, str]:
    """The same for a firm that has no record yet."""
    database = Database(database_url(settings)[0], API, connections=1, deliver=deliver, keys=keyring(settings))
    try:
        with database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            known = {tenant.slug: tenant.id for tenant in tenants.list_tenants(tx)}
        with database.transaction(known.get(_EMPTY, new_id()), SYSTEM) as tx:
            if _EMPTY not in known:
                tenants.create_tenant(
                    tx, slug=_EMPTY, name="New Bank", base_currency="SGD", timezone="Asia/Singapore",
                    second_factor_required=False,
                )  # fmt: skip
                for role in _roles():
                    address = f"{role.value}@new.example"
                    people.create_user(tx, settings, email=address, name=role.value, role=role, password=None)
            tokens = {
                role.value: people.create_sign_in_link(tx, email=f"{role.value}@new.example") for role in _roles()
            }
        return {role: f"{settings.web_url}/sign-in?token={token}" for role, token in tokens.items()}
    finally:
        database.close()


def _roles() -> list[Role]:
    return [role for role in Role if role is not Role.SERVICE]


@contextmanager
def running(port: int) -> Iterator[Settings]:
    """A Finer with the demo firm, whose world has sent records for a while."""
    folder = tempfile.mkdtemp(prefix="finer-screenshots-")
    command = [sys.executable, "-m", "finer.app.cli", "up", "--demo", "--data-dir", folder, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    settings = settings_of(folder, port=port)
    try:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and not _ready(settings.web_url):
            time.sleep(0.5)
        time.sleep(30)  # records of the world come in, and the lake is written
        yield settings
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/health/ready", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def walk_all(
    settings: Settings, folder: Path, roles: list[str], looks: tuple[Look, ...], *, states: bool, once: bool,
    only: tuple[str, ...],
) -> list[str]:  # fmt: skip
    """All roles in both firms; returns what is wrong."""
    links = demo_links(settings)
    furnish(settings.web_url, links)
    links, empty = demo_links(settings), empty_links(settings)
    with sync_playwright() as playwright:
        path = os.environ.get("FINER_TEST_BROWSER") or find_browser()
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        walk = Walk(browser, settings.web_url, folder, looks=looks, once=once, only=only)
        for look in looks:
            page = walk.open(look)
            page.goto("/sign-in")
            walk.shoot(page, f"sign-in-{look.name}")
            page.context.close()
        for role in roles:
            print(f"{role} ...", file=sys.stderr)
            walk_role(walk, links[role], role, states=states)
            if states:
                walk_role(walk, empty[role], f"{_EMPTY}-{role}", states=False)
        browser.close()
    print(f"{walk.pictures} pictures in {folder}", file=sys.stderr)
    return walk.complaints


def main() -> None:
    """Walk, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", help="Look at the Finer that runs on this folder, started with --demo.")
    parser.add_argument("--port", type=int, default=9471, help="Its port, or that of the one to be started.")
    parser.add_argument("--role", action="append", choices=[role.value for role in _roles()])
    parser.add_argument("--once", action="store_true", help="Show a page that many roles have once.")
    parser.add_argument("--page", action="append", default=[], help="Only pages whose address begins like this.")
    parser.add_argument("--look", action="append", choices=[look.name for look in LOOKS], help="Only in this look.")
    parser.add_argument("--no-states", action="store_true", help="Pages with data only.")
    chosen = parser.parse_args()
    roles = chosen.role or [role.value for role in _roles()]
    looks = tuple(look for look in LOOKS if look.name in (chosen.look or [look.name]))
    how: dict[str, Any] = {"states": not chosen.no_states, "once": chosen.once, "only": tuple(chosen.page)}
    if chosen.data_dir:
        complaints = walk_all(settings_of(chosen.data_dir, port=chosen.port), chosen.folder, roles, looks, **how)
    else:
        with running(chosen.port) as settings:
            complaints = walk_all(settings, chosen.folder, roles, looks, **how)
    if complaints:
        sys.exit("\n".join(["What is wrong:", *complaints]))


if __name__ == "__main__":
    main()

"""The screenshots of README and docs, and a contact sheet of all pages: `make screenshots`.

Serves the demo account from a data directory of its own, takes every page of sights.py in the
system's Chromium, and stops and removes everything again. docs/images/ gets the sheets and, of
the pages in SINGLE, pictures of their own; all others stay in test-results/pages/ to be looked at.
Nothing here is a test.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import httpx
from playwright.sync_api import sync_playwright

from config.postgres import EmbeddedPostgres
from tests.e2e.guests import House, cookies_for, welcome
from tests.e2e.sights import sights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.e2e.guests import Guests

BASE = Path(__file__).resolve().parent.parent.parent
IMAGES = BASE / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOKS = {  # suffix: width, height, colour scheme
    "light": (1280, 800, "light"),
    "dark": (1280, 800, "dark"),
    "360": (360, 780, "light"),
}
SINGLE = {  # pictures of their own, for README and guide: name, looks
    "admin-sessions": ("sessions", LOOKS),
    "admin-sessions-session": ("session", LOOKS),
    "admin-policy": ("policy", LOOKS),
    "admin-overview": ("overview", ("360",)),
    "admin-beside": ("memories", ("light",)),
    "admin-memory": ("memory", ("dark",)),
    "admin-preview": ("preview", ("light",)),
    "admin-choice": ("agent", ("light",)),
    "admin-viewing": ("view", ("light",)),
}
ALL = BASE / "test-results" / "pages"
COLUMNS = {1280: 6, 360: 12}
THUMB = {1280: 400, 360: 196}  # px
QUALITY = 55
START_SECONDS = 60
SESSION = "sess_porto-spring"
MEMORY = "Window seat, direct, not before seven"  # of alice, in its third version
CLOSED = "max"  # an agent with memories, whose switch is off
NARROW = 1120  # px up to which a memory opens as a page, not beside its list


@contextmanager
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """Run the product with the demo account; its address and the demo's sign-in."""
    folder = Path(tempfile.mkdtemp(prefix="bailiwick-shots-"))
    folder.chmod(0o755)  # as root the database runs as another user, who must come through
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BAILIWICK_")}
    ours.pop("DATABASE_URL", None)
    ours |= {"BAILIWICK_DATA_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1", "DEMO": "1"}
    command = [sys.executable, "manage.py", "quickstart"]
    process = subprocess.Popen(command, cwd=BASE, env=ours, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(process, f"{url}/ready")
        yield url, json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        postgres = EmbeddedPostgres(folder)
        for left in (postgres.cluster.resolve(), postgres.socket_dir, folder):
            shutil.rmtree(left, ignore_errors=True)


def wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    """Until the address answers 200."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"screenshots: Bailiwick did not answer at {url}.")


def invite(url: str, sign_in: dict[str, str]) -> Guests:
    """Sign everybody in, and archive one session, so that there is a job to be seen."""
    account = sign_in["account_id"]
    with httpx.Client(headers={"X-API-Key": sign_in["admin_key"]}, trust_env=False) as client:
        client.post(f"{url}/api/v1/sessions/{SESSION}/commit", json={}).raise_for_status()
    return welcome(
        House(
            url=url,
            account=account,
            admin=(sign_in["email"], sign_in["password"]),
            operator=(sign_in["operator_email"], sign_in["operator_password"]),
            member="bob",
            invited="alice",
            places={"session_id": SESSION, "seq": "3", "agent_id": "ada"},
        )
    )


def take(browser: Browser, url: str, guests: Guests, look: str) -> list[tuple[str, Path]]:
    """Every page in one look: its address, and where its picture lies."""
    width, height, scheme = LOOKS[look]
    contexts: dict[str, Page] = {}
    taken = []
    for sight in sights():
        if sight.visitor not in contexts:
            context = browser.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                device_scale_factor=1,
                reduced_motion="reduce",
            )
            context.add_cookies(cookies_for(url, guests.cookies[sight.visitor]))
            contexts[sight.visitor] = context.new_page()
        page = contexts[sight.visitor]
        sight.show(page, guests)
        taken.append((f"{sight.visitor}  {sight.address}", shot(page, sight.name, look)))
    taken.extend(pressed(contexts["admin"], guests, look))
    for page in contexts.values():
        page.context.close()
    return taken


def shot(page: Page, name: str, look: str) -> Path:
    target = ALL / f"{name}-{look}.png"
    page.screenshot(path=target, animations="disabled")
    single, looks = SINGLE.get(name, ("", ()))
    if look in looks:
        shutil.copyfile(target, IMAGES / f"{single}-{look}.png")
    return target


def pressed(page: Page, guests: Guests, look: str) -> Iterator[tuple[str, Path]]:
    """What stands at no address of its own: what is chosen or opened, and a view."""
    home = "/a/{account}".format(**guests.places)
    page.goto(f"{home}/agents/{CLOSED}")
    page.get_by_text("Structured", exact=True).click()
    yield "admin  a choice, not applied", shot(page, "admin-choice", look)
    page.goto(f"{home}/policy?to=tf")
    page.get_by_text("Samples").first.click()
    page.locator("#preview").evaluate("part => part.scrollIntoView()")
    yield "admin  a change of policy, not applied", shot(page, "admin-preview", look)
    page.goto(f"{home}/memories?user=alice&kind=preferences")
    for box in page.get_by_role("checkbox").all()[1:3]:
        box.check()
    row = page.locator(".row-link", has_text=MEMORY)
    if LOOKS[look][0] > NARROW:
        row.click()
        page.locator("#beside .record").wait_for()
        page.evaluate("document.activeElement.blur()")
    yield "admin  memories, one opened, two chosen", shot(page, "admin-beside", look)
    page.goto(row.get_attribute("href") or "")
    yield "admin  a memory that was changed twice", shot(page, "admin-memory", look)
    page.goto(f"{home}/view?user={guests.places['user_id']}")
    page.get_by_label("Reason").fill("Ticket 4182: Bob misses a session")
    page.get_by_role("button", name="Begin to view").click()
    yield "admin  the same pages, as bob sees them", shot(page, "admin-viewing", look)
    page.locator(".view-banner").get_by_role("button", name="Leave view").click()


def sheet(browser: Browser, look: str, taken: list[tuple[str, Path]]) -> Path:
    """All pictures of a look on one sheet, by the browser itself."""
    width = LOOKS[look][0]
    figures = "".join(
        f"<figure><img src='data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}'>"
        f"<figcaption>{escape(words)}</figcaption></figure>"
        for words, path in taken
    )
    columns = COLUMNS[width]
    page = browser.new_page(viewport={"width": columns * (THUMB[width] + 16) + 16, "height": 800})
    page.set_content(
        "<style>body{margin:16px;display:grid;gap:16px;background:#8a8375;"
        f"grid-template-columns:repeat({columns},{THUMB[width]}px)}}"
        "figure{margin:0}img{width:100%;display:block}"
        f"figcaption{{font:11px/1.4 sans-serif;color:#fff;overflow-wrap:anywhere}}</style>{figures}"
    )
    page.wait_for_function("[...document.images].every(image => image.complete)")
    size = page.evaluate("({width: innerWidth, height: document.documentElement.scrollHeight})")
    shot = page.context.new_cdp_session(page).send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": QUALITY,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, **size, "scale": 1},
        },
    )
    page.close()
    target = IMAGES / f"sheet-{look}.webp"
    target.write_bytes(base64.b64decode(shot["data"]))
    return target


def main() -> None:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        sys.exit(f"screenshots: no Chromium was found ({', '.join(BROWSERS)}); install one.")
    for folder in (IMAGES, ALL):
        folder.mkdir(parents=True, exist_ok=True)
    with served() as (url, sign_in), sync_playwright() as playwright:
        guests = invite(url, sign_in)
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        try:
            for look in LOOKS:
                target = sheet(browser, look, take(browser, url, guests, look))
                print(f"{target.relative_to(BASE)}: {target.stat().st_size / 1000:.0f} kB")  # noqa: T201
        finally:
            browser.close()


if __name__ == "__main__":
    main()

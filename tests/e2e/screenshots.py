"""The screenshots of README and docs: `make screenshots`.

Serves the demo account from a data directory of its own, takes docs/images/*.png in the system's
Chromium, and stops and removes everything again. Nothing here is a test.
"""

from __future__ import annotations

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
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from config.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

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
PAGES = {"sessions": "sessions", "session": "sessions/sess_porto-spring", "policy": "policy"}
LOOKS = {  # suffix: width, height, colour scheme
    "light": (1280, 800, "light"),
    "dark": (1280, 800, "dark"),
    "360": (360, 780, "light"),
}
START_SECONDS = 60


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
        url = f"http://localhost:{port}"
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


def take(browser: Browser, url: str, sign_in: dict[str, str]) -> None:
    """Every page in every look."""
    signed_in = None
    for look, (width, height, scheme) in LOOKS.items():
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            device_scale_factor=1,
            reduced_motion="reduce",
            storage_state=signed_in,
        )
        page = context.new_page()
        if signed_in is None:
            page.goto(f"{url}/sign-in")
            page.get_by_label("E-mail").fill(sign_in["email"])
            page.get_by_label("Password").fill(sign_in["password"])
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/a/**")
            signed_in = context.storage_state()
        for name, path in PAGES.items():
            answer = page.goto(f"{url}/a/{sign_in['account_id']}/{path}")
            if answer is None or not answer.ok:
                sys.exit(f"screenshots: {path} did not answer.")
            target = IMAGES / f"{name}-{look}.png"
            page.screenshot(path=target, animations="disabled")
            print(f"{target.relative_to(BASE)}: {target.stat().st_size / 1000:.0f} kB")  # noqa: T201
        context.close()


def main() -> None:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        sys.exit(f"screenshots: no Chromium was found ({', '.join(BROWSERS)}); install one.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with served() as (url, sign_in), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        try:
            take(browser, url, sign_in)
        finally:
            browser.close()


if __name__ == "__main__":
    main()

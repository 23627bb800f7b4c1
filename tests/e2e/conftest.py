"""Chromium, an account worth looking at, and windows that notice every complaint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cast import PASSWORD
from tests.e2e.guests import Guests, House, welcome
from tests.e2e.office import MESSAGES, Office, furnish
from tests.e2e.window import Window
from tests.live import BASE, Person, Server, new_id

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RESULTS = BASE / "test-results"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's browser. Without one: skipped here, a failure in CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        words = f"no browser on this machine: install one of {', '.join(NAMES)}"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(words)
        pytest.skip(words)
    # Not for the whole session: its event loop would make Django refuse other tests' queries.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[*ARGUMENTS],
            # People's browsers keep pages to go back to; Playwright's would not.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def office(server: Server) -> Office:
    """An account with more than a page of sessions; tests only read it."""
    return furnish(server)


@pytest.fixture(scope="module")
def newcomer(server: Server) -> Person:
    """Somebody whose account holds nothing yet."""
    return server.person()


@pytest.fixture(scope="package")
def operator(server: Server) -> tuple[str, str]:
    """E-mail and password of somebody who runs the installation."""
    email = f"{new_id('olga')}@hollis.example"
    done = server.manage("operator_create", "--email", email, "--password", PASSWORD)
    assert done.returncode == 0, done.stderr
    return email, PASSWORD


@pytest.fixture(scope="package")
def guests(server: Server, office: Office, operator: tuple[str, str]) -> Guests:
    """The office's admin, a user, an operator; and what stands in the places of addresses."""
    server.forget_attempts()
    return welcome(
        House(
            url=server.url,
            account=office.person.account_id,
            admin=(office.person.email, office.person.password),
            operator=operator,
            member="bob",
            invited="carol",
            places={"session_id": "plan", "seq": str(MESSAGES), "agent_id": "ada"},
        )
    )


Opens = Callable[..., Window]


@pytest.fixture
def open_window(
    request: pytest.FixtureRequest, chromium: Browser, server: Server
) -> Iterator[Opens]:
    """open_window(javascript=…, width=…, scheme=…, cookies=…) → a Window of its own context.

    At the end it must have seen no error, no refused script or style, and no dialog. After a
    failure a picture of it lies in test-results/.
    """
    server.forget_attempts()
    windows: list[Window] = []
    with ExitStack() as stack:

        def opens(**options: object) -> Window:
            window = Window.open(chromium, server, **options)
            stack.callback(window.close)
            windows.append(window)
            return window

        yield opens
        report = getattr(request.node, "report", None)
        complaints = [line for window in windows for line in window.complaints()]
        if complaints or (report is not None and report.failed):
            for number, window in enumerate(windows):
                window.picture(RESULTS / f"{_file_name(request.node.name)}-{number}.png")
        assert complaints == []


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name).strip("-")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Let fixtures see how the test itself ended."""
    report = yield
    if call.when == "call":
        item.report = report
    return report

"""One browser window, and what it complains about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Response,
)

from tests.live import Person, Server

AXE = Axe().axe_script
RUN_AXE = """
axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(
  ({ id, help, nodes }) => `${id}, ${help}: ${nodes.map((node) => node.target).join(" ")}`))
"""
AFTER_AXE = "axe is done"
WIDTHS = {1280: 900, 360: 740}
SCHEMES = ("light", "dark")
# A browser tells refused scripts and styles by this event; the console carries it to us.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} refused ${event.blockedURI}`));
"""
# How the browser and htmx report an answer that is no success; a test may expect some.
REFUSED = re.compile(r"(?:Failed to load resource: .*status of|Response Status Error Code) (\d+)")


@dataclass
class Window:
    """A page in a context of its own: cookies, scripts, width and colour scheme."""

    server: Server
    context: BrowserContext
    page: Page
    expected: set[int] = field(default_factory=set)
    _complaints: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        browser: Browser,
        server: Server,
        *,
        javascript: bool = True,
        width: int = 1280,
        scheme: str = "light",
        cookies: dict[str, str] | None = None,
    ) -> Self:
        context = browser.new_context(
            base_url=server.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme=scheme,
        )
        context.set_default_timeout(10_000)
        if javascript:
            context.add_init_script(TELL_VIOLATIONS)
        for name, value in (cookies or {}).items():
            context.add_cookies([{"name": name, "value": value, "url": server.url}])
        window = cls(server, context, context.new_page())
        context.on("console", window._heard)
        context.on("weberror", lambda error: window._complaints.append(str(error.error)))
        context.on("dialog", window._interrupted)
        return window

    def go(self, path: str, status: int = 200) -> Response:
        """Load the address, which must answer with the status."""
        if status >= 400:
            self.expected.add(status)
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}, not {status}"
        return answer

    def sign_in(self, person: Person) -> None:
        """Through the form, from wherever one was sent."""
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password").fill(person.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**{person.home}/**")

    def complaints(self) -> list[str]:
        return self._complaints

    def menu(self) -> None:
        """Show the rail: narrow windows keep it behind a button."""
        button = self.page.get_by_role("button", name="Menu")
        if button.is_visible():
            button.click()

    def picture(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        with suppress(Error):  # a page that hangs has no picture
            self.page.screenshot(path=path, full_page=True, timeout=5_000)

    def close(self) -> None:
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        refused = REFUSED.match(message.text)
        if refused and int(refused[1]) in self.expected:
            return
        if message.type == "error":
            self._complaints.append(f"{self.page.url}: {message.text}")

    def _interrupted(self, dialog: Dialog) -> None:
        self._complaints.append(f"a dialog at {self.page.url}: {dialog.message}")
        dialog.dismiss()

    # --- what every page owes its reader ---

    def is_accessible(self) -> None:
        """axe reports nothing. It writes styles of its own: complaints meanwhile are not ours."""
        before = len(self._complaints)
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        faults = self.page.evaluate(RUN_AXE)
        # Refusals are told by tasks of their own; what is said in a later task comes behind them.
        with self.page.expect_console_message(lambda message: message.text == AFTER_AXE):
            self.page.evaluate("words => void setTimeout(() => console.debug(words))", AFTER_AXE)
        del self._complaints[before:]
        assert faults == [], f"{self.page.url}: {faults}"

    def fits(self) -> None:
        """Nothing reaches past the window's edge."""
        wide, room = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= room, f"{self.page.url}: {wide} px in a window of {room} px"

    def is_dark(self) -> bool:
        colour = self.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return max(int(part) for part in re.findall(r"\d+", colour)[:3]) < 80

    def everywhere(self) -> Iterator[None]:
        """Once wide in light and once narrow in dark, as the system asks for them."""
        for (width, height), scheme in zip(WIDTHS.items(), SCHEMES, strict=True):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme)
            assert self.is_dark() == (scheme == "dark")
            yield

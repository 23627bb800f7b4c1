"""A browser without a screen: signs in as a person does, and weighs what a page makes it load."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urljoin, urlsplit

from bench.load import ANSWER_SECONDS
from bench.report import Worthless

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_IN_STYLES = re.compile(r"""(?:url\(\s*|@import\s+(?!url))["']?([^"')\s]+)""")
_LOADED = {"preload", "stylesheet", "icon", "modulepreload"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `seconds` is the server's own time, `body` as it was sent: perhaps gzip."""

    status: int
    seconds: float
    body: bytes
    encoding: str

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(slots=True)
class Browser:
    """One connection, kept open, and its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)

    def get(self, path: str, *, fragment: bool = False, packed: bool = True) -> Answer:
        """Ask for a page, or as htmx does for what it puts into one."""
        headers = {"Accept-Encoding": "gzip, br"} if packed else {}
        return self._send("GET", path, headers | ({"HX-Request": "true"} if fragment else {}))

    def sign_in(self, email: str, password: str) -> None:
        """By the form, as a person does. Raises Worthless when it is refused."""
        found = _CSRF.search(self.get("/sign-in", packed=False).text)
        token = found.group(1) if found else ""
        fields = {"login": email, "password": password, "csrfmiddlewaretoken": token}
        answer = self._send(
            "POST",
            "/sign-in",
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode(fields),
        )
        if answer.status != 302 or "sessionid" not in self.cookies:
            raise Worthless(f"{email} could not sign in: {answer.status}.")

    def _send(self, method: str, path: str, headers: dict[str, str], body: str = "") -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**headers, "Cookie": cookie}
        try:
            try:
                self.connection.request(method, path, body or None, sent)
                response = self.connection.getresponse()
            except ConnectionError:  # the server ends a connection that nobody used for a while
                self.connection.close()
                self.connection.request(method, path, body or None, sent)
                response = self.connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            raise Worthless(f"{path} was not answered: {type(error).__name__}.") from None
        for line in response.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value
        seconds = float(response.headers.get("X-Process-Time", "nan"))
        encoding = response.headers.get("Content-Encoding", "")
        return Answer(response.status, seconds, content, encoding)


class Scales:
    """Bytes of what a page loads beside itself: each file once, as the server sends it."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.known: dict[str, tuple[int, list[str]]] = {}  # path → bytes, what it loads in turn

    def weigh(self, html: str) -> int:
        """Style sheets with what they import, scripts, pictures and icons of the page."""
        waiting, loaded = list(_files_of(html)), set()
        while waiting:
            path = waiting.pop()
            if path not in loaded:
                loaded.add(path)
                waiting += self._file(path)[1]
        return sum(self.known[path][0] for path in loaded)

    def _file(self, path: str) -> tuple[int, list[str]]:
        if path not in self.known:
            answer = self.browser.get(path)
            if answer.status != 200:
                raise Worthless(f"{path} was answered with {answer.status}.")
            further: list[str] = []
            if path.endswith(".css"):
                text = self.browser.get(path, packed=False).text
                names = [one for one in _IN_STYLES.findall(text) if not one.startswith("data:")]
                further = [urljoin(path, name) for name in names if not name.startswith("#")]
            self.known[path] = (len(answer.body), further)
        return self.known[path]


class _Files(HTMLParser):
    """The addresses that a browser loads by itself when it shows the page."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and _LOADED & set(values.get("rel", "").split()):
            self.paths.append(values["href"])
        elif tag in {"script", "img"} and values.get("src"):
            self.paths.append(values["src"])


def _files_of(html: str) -> list[str]:
    parser = _Files()
    parser.feed(html)
    return [path for path in parser.paths if not urlsplit(path).scheme]

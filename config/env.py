"""The environment, read once at start. A wrong value stops the start with one line."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTH_MODES = ("api_key", "trusted", "dev")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class EnvironmentProblem(SystemExit):
    """A variable holds what it must not. Prints one line and exits with status 1."""

    def __init__(self, message: str) -> None:
        super().__init__(f"bailiwick: {message}")


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes our mails, and whom they are from."""

    host: str
    port: int
    user: str
    password: str
    encryption: str  # starttls, tls; none: on loopback only
    sender: str


@dataclass(frozen=True, slots=True)
class Environment:
    """What the operator chose. Absent variables have the defaults that `make run` documents."""

    host: str
    port: int
    data_dir: Path
    database: Mapping[str, str] | None  # libpq parameters; None: the embedded PostgreSQL
    root_key: str
    secret_key: str
    key_peppers: Mapping[str, str]  # id → secret; the first one signs new keys
    auth_mode: str
    gateway_keys: tuple[str, ...]  # what a trusted gateway may send; empty: nothing is asked for
    rate_limit: int  # requests a second for one credential in one process; 0: no limit
    allowed_hosts: list[str]
    debug: bool
    workers: int
    demo: bool  # make a demo account on the first start
    pooled: bool  # set by the server itself: keep database connections
    https: bool  # behind a proxy that ends TLS: secure cookies, X-Forwarded-Proto trusted
    mail: Mail | None  # None: no mail goes out, links are shown to copy
    site: str  # scheme and host of links that leave a page; empty: as the browser asked


def read_environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read and check every variable.

    Raises:
        EnvironmentProblem: names the variable and the values that it may have.
    """
    data_dir = Path(environ.get("BAILIWICK_DATA_DIR") or "./data").expanduser().absolute()
    found = Environment(
        host=environ.get("HOST") or "127.0.0.1",
        port=_whole_number(environ, "PORT", default=8000, lowest=1, highest=65535),
        data_dir=data_dir,
        database=_database(environ),
        root_key=_secret(environ, "BAILIWICK_ROOT_KEY", data_dir / "root_key", prefix="bwr_"),
        secret_key=_secret(environ, "BAILIWICK_SECRET_KEY", data_dir / "secret_key"),
        key_peppers=_peppers(
            _secret(environ, "BAILIWICK_KEY_PEPPERS", data_dir / "key_peppers", prefix="1:")
        ),
        auth_mode=_one_of(environ, "BAILIWICK_AUTH_MODE", AUTH_MODES),
        gateway_keys=_gateway_keys(environ),
        rate_limit=_whole_number(
            environ, "BAILIWICK_RATE_LIMIT", default=300, lowest=0, highest=1_000_000
        ),
        allowed_hosts=[
            host.strip()
            for host in environ.get("BAILIWICK_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(
                ","
            )
            if host.strip()
        ],
        demo=_one_of(environ, "DEMO", ("1", "0")) == "1",
        pooled=_one_of(environ, "BAILIWICK_POOL", ("0", "1")) == "1",
        debug=_one_of(environ, "BAILIWICK_DEBUG", ("0", "1")) == "1",
        https=_one_of(environ, "BAILIWICK_HTTPS", ("0", "1")) == "1",
        workers=_whole_number(
            environ, "BAILIWICK_WORKERS", default=os.cpu_count() or 1, lowest=1, highest=256
        ),
        mail=_mail(environ),
        site=_site(environ),
    )
    _check_exposure(found)
    return found


def _check_exposure(found: Environment) -> None:
    """Modes that trust whoever connects serve this machine only (isolation.md, Authentication)."""
    open_to_all = found.auth_mode == "dev" or (
        found.auth_mode == "trusted" and not found.gateway_keys
    )
    if open_to_all and found.host not in LOOPBACK:
        raise EnvironmentProblem(
            f"HOST is {found.host!r} in mode {found.auth_mode}, where nobody is asked for a key; "
            f"valid: {', '.join(LOOPBACK)}, or set BAILIWICK_GATEWAY_KEY in mode trusted."
        )
    if open_to_all and "*" in found.allowed_hosts:
        raise EnvironmentProblem(
            f"BAILIWICK_ALLOWED_HOSTS is '*' in mode {found.auth_mode}, where nobody is asked for "
            "a key; valid: names of this machine, parted by commas."
        )


def _gateway_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The gateway's own key and the root key, as far as the operator has set them."""
    return tuple(
        _secret(environ, name, Path(), prefix="")
        for name in ("BAILIWICK_GATEWAY_KEY", "BAILIWICK_ROOT_KEY")
        if environ.get(name) or environ.get(f"{name}_FILE")
    )


def _whole_number(
    environ: Mapping[str, str], name: str, *, default: int, lowest: int, highest: int
) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not lowest <= int(text[:9]) <= highest:
        raise EnvironmentProblem(
            f"{name} is {text!r}; valid: a whole number from {lowest} to {highest}."
        )
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, valid: tuple[str, ...]) -> str:
    """The value, or the first valid one when the variable is absent."""
    text = environ.get(name, "").strip() or valid[0]
    if text not in valid:
        raise EnvironmentProblem(f"{name} is {text!r}; valid: {', '.join(valid)}.")
    return text


def _database(environ: Mapping[str, str]) -> Mapping[str, str] | None:
    url = environ.get("DATABASE_URL", "").strip()
    if not url:
        return None
    shape = "postgresql://user:password@host:port/name"
    if not url.startswith(("postgres://", "postgresql://")):
        raise EnvironmentProblem(f"DATABASE_URL is not a PostgreSQL address; valid: {shape}.")
    try:
        parameters = conninfo_to_dict(url)
    except ProgrammingError:
        raise EnvironmentProblem(f"DATABASE_URL cannot be read; valid: {shape}.") from None
    if not parameters.get("dbname"):
        raise EnvironmentProblem(f"DATABASE_URL names no database; valid: {shape}.")
    return {key: str(value) for key, value in parameters.items()}


def _mail(environ: Mapping[str, str]) -> Mail | None:
    """BAILIWICK_SMTP_URL and BAILIWICK_MAIL_FROM; no refusal repeats the address: it is secret."""
    url = _given(environ, "BAILIWICK_SMTP_URL")
    sender = environ.get("BAILIWICK_MAIL_FROM", "").strip()
    if not url and not sender:
        return None
    if not url or not sender or not environ.get("BAILIWICK_SITE", "").strip():
        # Links in mails must not lead where whoever asks for them says.
        raise EnvironmentProblem(
            "BAILIWICK_SMTP_URL, BAILIWICK_MAIL_FROM and BAILIWICK_SITE belong together for mail; "
            "valid: all three, or neither of the first two."
        )
    return _mail_server(url, _mail_sender(sender))


def _site(environ: Mapping[str, str]) -> str:
    """BAILIWICK_SITE without a slash at its end; empty when it is not given."""
    site = environ.get("BAILIWICK_SITE", "").strip()
    if not site:
        return ""
    try:
        parts = urlsplit(site)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, whole = urlsplit(""), False
    if not whole or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise EnvironmentProblem(
            f"BAILIWICK_SITE is {site!r}; valid: scheme and host that people type, for instance "
            "https://bailiwick.example."
        )
    return site.removesuffix("/")


def _mail_server(url: str, sender: str) -> Mail:
    shape = "smtp://user:password@host:587, or smtps://user:password@host:465"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    odd = not host or parts.path not in ("", "/") or parts.query or parts.fragment
    if odd or parts.scheme not in ("smtp", "smtps"):
        raise EnvironmentProblem(f"BAILIWICK_SMTP_URL cannot be read; valid: {shape}.")
    if parts.scheme == "smtps":
        encryption, usual = "tls", 465
    elif host in LOOPBACK:
        encryption, usual = "none", 25
    else:
        encryption, usual = "starttls", 587
    return Mail(
        host=host,
        port=port or usual,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encryption=encryption,
        sender=sender,
    )


def _mail_sender(sender: str) -> str:
    _, address = parseaddr(sender)
    local, _, domain = address.rpartition("@")
    if not local or not domain or not sender.isprintable():
        raise EnvironmentProblem(
            f"BAILIWICK_MAIL_FROM is {sender!r}; valid: an address, or Name <address>."
        )
    return sender


def _given(environ: Mapping[str, str], name: str) -> str:
    """From the variable, or from the file that NAME_FILE names; empty when neither is set."""
    direct, file_name = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if direct and file_name:
        raise EnvironmentProblem(f"{name} and {name}_FILE are both set; valid: one of them.")
    if file_name:
        return _read_secret_file(Path(file_name), f"{name}_FILE")
    return direct.strip()


def _secret(environ: Mapping[str, str], name: str, kept: Path, *, prefix: str = "") -> str:
    """As given, else generated once and kept."""
    secret = _given(environ, name)
    if not environ.get(name) and not environ.get(f"{name}_FILE"):
        secret = _kept_secret(kept, prefix)
    if len(secret) < 16:
        raise EnvironmentProblem(
            f"{name} is shorter than 16 characters; valid: a long random text."
        )
    return secret


def _read_secret_file(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblem(
            f"{name} names {path}, which cannot be read ({_reason(error)}); valid: a text file."
        ) from None


def _kept_secret(path: Path, prefix: str) -> str:
    """Two processes may start at once: the one that links its file first wins for both."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(prefix + secrets.token_urlsafe(32) + "\n")
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblem(
            f"BAILIWICK_DATA_DIR is {path.parent}, which cannot be written ({_reason(error)}); "
            "valid: a folder that this user may write."
        ) from None


def _peppers(text: str) -> Mapping[str, str]:
    peppers: dict[str, str] = {}
    for line in text.replace(",", "\n").split():
        pepper_id, colon, secret = line.partition(":")
        if not colon or not pepper_id.isalnum() or len(pepper_id) > 16 or len(secret) < 16:
            raise EnvironmentProblem(
                "BAILIWICK_KEY_PEPPERS cannot be read; valid: ID:SECRET, one or more, "
                "parted by commas, each secret at least 16 characters."
            )
        peppers[pepper_id] = secret
    return peppers


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()

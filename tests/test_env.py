"""The environment: a wrong value stops the start with one line that says what is valid."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import EnvironmentProblem, read_environment

BASE = Path(__file__).resolve().parent.parent
SECRETS = {
    "BAILIWICK_ROOT_KEY": "root_key",
    "BAILIWICK_SECRET_KEY": "secret_key",
    "BAILIWICK_KEY_PEPPERS": "key_peppers",
}
LONG = "1:a-long-random-text-of-the-test"


@pytest.fixture
def read(tmp_path):
    """Read an environment with a data directory of its own."""
    return lambda **variables: read_environment(
        {"BAILIWICK_DATA_DIR": str(tmp_path / "data"), **variables}
    )


@pytest.fixture
def problem(read):
    """The line that a wrong environment is answered with."""

    def line(**variables):
        read()  # the same environment without them is taken
        with pytest.raises(EnvironmentProblem) as refused:
            read(**variables)
        words = str(refused.value)
        assert words.startswith("bailiwick: ")
        assert "\n" not in words
        return words

    return line


def test_defaults(read, tmp_path):
    found = read()
    assert (found.host, found.port) == ("127.0.0.1", 8000)
    assert found.data_dir == tmp_path / "data"
    assert (found.database, found.auth_mode) == (None, "api_key")
    assert (found.demo, found.debug, found.https, found.pooled) == (True, False, False, False)
    assert found.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]


def test_data_directory_defaults_to_one_below_the_current(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert read_environment({}).data_dir == tmp_path / "data"
    assert read_environment({"BAILIWICK_DATA_DIR": "other"}).data_dir == tmp_path / "other"


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        *(
            ("PORT", value, "a whole number from 1 to 65535")
            for value in ("0", "65536", "-1", "80a", "8000.0", "\u0668", "9" * 30, "1e3")
        ),
        *(
            ("BAILIWICK_WORKERS", value, "a whole number from 1 to 256")
            for value in ("0", "257", "two")
        ),
        *(("BAILIWICK_AUTH_MODE", value, "api_key") for value in ("none", "API_KEY", "apikey")),
        *(("DEMO", value, "1, 0") for value in ("yes", "true", "2")),
        *(
            (name, value, "0, 1")
            for name in ("BAILIWICK_DEBUG", "BAILIWICK_POOL", "BAILIWICK_HTTPS")
            for value in ("on", "True", "-1")
        ),
    ],
)
def test_wrong_values(problem, name, value, valid):
    words = problem(**{name: value})
    assert words.startswith(f"bailiwick: {name} is {value!r}; valid: {valid}")


@pytest.mark.parametrize(
    "value",
    [
        *("mysql://u:secret-word@h/db", "host=localhost", "postgresql", "localhost:5432/db"),
        *("postgresql://u:secret-word@h", "postgresql://u:secret-word@h/", "postgres://"),
        *("postgresql://u:secret-word@h/db?nonsense=1"),
    ],
)
def test_wrong_database_addresses(problem, value):
    words = problem(DATABASE_URL=value)
    assert words.startswith("bailiwick: DATABASE_URL ")
    assert words.endswith("valid: postgresql://user:password@host:port/name.")
    assert "secret-word" not in words


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_database_addresses_that_are_taken(read, scheme):
    found = read(DATABASE_URL=f"{scheme}://ann:pw%40@db.example:5433/bailiwick?sslmode=require")
    assert found.database == {
        "user": "ann",
        "password": "pw@",
        "host": "db.example",
        "port": "5433",
        "dbname": "bailiwick",
        "sslmode": "require",
    }


SITE = "https://bailiwick.example"
FROM = "Bailiwick <bailiwick@mail.example>"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://ann:pw%40@mail.example", ("mail.example", 587, "ann", "pw@", "starttls")),
        ("smtp://mail.example:2525/", ("mail.example", 2525, "", "", "starttls")),
        ("smtps://ann:pw@mail.example", ("mail.example", 465, "ann", "pw", "tls")),
        ("smtp://localhost:1025", ("localhost", 1025, "", "", "none")),
        ("smtp://[::1]", ("::1", 25, "", "", "none")),
        ("smtps://localhost:1026", ("localhost", 1026, "", "", "tls")),
    ],
)
def test_mail(read, tmp_path, url, found):
    assert read().mail is None
    kept = tmp_path / "smtp_url"
    kept.write_text(f"{url}\n")
    for given in ({"BAILIWICK_SMTP_URL": url}, {"BAILIWICK_SMTP_URL_FILE": str(kept)}):
        mail = read(**given, BAILIWICK_MAIL_FROM=FROM, BAILIWICK_SITE=SITE).mail
        assert (mail.host, mail.port, mail.user, mail.password, mail.encryption) == found
        assert mail.sender == FROM


@pytest.mark.parametrize(
    "url",
    [
        *("http://ann:secret-word@mail.example", "mail.example:587", "smtp://", "smtp:///x"),
        *("smtp://ann:secret-word@mail.example:0x5", "smtp://ann:secret-word@mail.example:99999"),
        *("smtp://ann:secret-word@mail.example/box", "smtp://ann:secret-word@mail.example?tls=no"),
    ],
)
def test_wrong_mail_servers(problem, url):
    words = problem(BAILIWICK_SMTP_URL=url, BAILIWICK_MAIL_FROM=FROM, BAILIWICK_SITE=SITE)
    assert words.startswith("bailiwick: BAILIWICK_SMTP_URL cannot be read; valid: smtp://")
    assert "secret-word" not in words


@pytest.mark.parametrize("sender", ["bailiwick", "@mail.example", "a@b\nBcc: c@d.example", "<>"])
def test_wrong_senders(problem, sender):
    words = problem(
        BAILIWICK_SMTP_URL="smtp://localhost", BAILIWICK_MAIL_FROM=sender, BAILIWICK_SITE=SITE
    )
    assert words.startswith("bailiwick: BAILIWICK_MAIL_FROM is ")


@pytest.mark.parametrize("without", ["BAILIWICK_SMTP_URL", "BAILIWICK_MAIL_FROM", "BAILIWICK_SITE"])
def test_mail_needs_server_sender_and_site(problem, read, without):
    whole = {
        "BAILIWICK_SMTP_URL": "smtp://localhost",
        "BAILIWICK_MAIL_FROM": FROM,
        "BAILIWICK_SITE": f"{SITE}/",
    }
    found = read(**whole)
    assert (found.mail.host, found.site) == ("localhost", SITE)
    del whole[without]
    assert "belong together" in problem(**whole)


@pytest.mark.parametrize(
    "value",
    [
        *("bailiwick.example", "ftp://bailiwick.example", "https://", "https:///path"),
        *("https://bailiwick.example/path", "https://u@bailiwick.example", "https://b.example?q=1"),
        "https://b.example:port",
    ],
)
def test_wrong_sites(problem, value):
    words = problem(BAILIWICK_SITE=value)
    assert words.startswith(f"bailiwick: BAILIWICK_SITE is {value!r}; valid: scheme and host")


@pytest.mark.parametrize(
    "value",
    [
        *("no-colon-but-long-enough", "1:15-characters..", ":a-long-random-text-of-the-test"),
        *("a b:a-long-random-text-of-the-test", f"{LONG},2", f"{LONG},2:short"),
        *("x" * 17 + ":a-long-random-text-of-the-test", "a-b:a-long-random-text-of-the-test"),
    ],
)
def test_wrong_peppers(problem, value):
    words = problem(BAILIWICK_KEY_PEPPERS=value)
    assert words.startswith("bailiwick: BAILIWICK_KEY_PEPPERS cannot be read; valid: ID:SECRET")
    assert value not in words


def test_the_first_pepper_signs(read):
    found = read(BAILIWICK_KEY_PEPPERS="2:the-newer-pepper-of-this-test,1:the-older-pepper-of-it")
    assert list(found.key_peppers) == ["2", "1"]


@pytest.mark.parametrize("name", SECRETS)
class TestSecrets:
    def value(self, found, name):
        value = {
            "BAILIWICK_ROOT_KEY": found.root_key,
            "BAILIWICK_SECRET_KEY": found.secret_key,
            "BAILIWICK_KEY_PEPPERS": found.key_peppers,
        }[name]
        return value if isinstance(value, str) else ",".join(f"{k}:{v}" for k, v in value.items())

    def test_is_generated_once_and_kept(self, read, tmp_path, name):
        first, second = self.value(read(), name), self.value(read(), name)
        assert first == second
        assert len(first) >= 32
        kept = tmp_path / "data" / SECRETS[name]
        assert kept.read_text().strip() == first
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert sorted(path.name for path in kept.parent.iterdir()) == sorted(SECRETS.values())

    def test_another_installation_has_another(self, read, tmp_path, name):
        other = read_environment({"BAILIWICK_DATA_DIR": str(tmp_path / "other")})
        assert self.value(other, name) != self.value(read(), name)

    def test_mode_does_not_depend_on_the_umask(self, read, tmp_path, name):
        before = os.umask(0)
        try:
            read()
        finally:
            os.umask(before)
        kept = tmp_path / "data" / SECRETS[name]
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    def test_variable_wins_and_nothing_is_written(self, read, tmp_path, name):
        assert self.value(read(**{name: f" {LONG}\n"}), name) == LONG
        assert not (tmp_path / "data" / SECRETS[name]).exists()

    def test_file_variant(self, read, tmp_path, name):
        (tmp_path / "secret").write_text(f"{LONG}\n")
        found = read(**{f"{name}_FILE": str(tmp_path / "secret")})
        assert self.value(found, name) == LONG
        assert not (tmp_path / "data" / SECRETS[name]).exists()

    def test_both_variants_are_refused(self, problem, tmp_path, name):
        (tmp_path / "secret").write_text(LONG)
        words = problem(**{name: LONG, f"{name}_FILE": str(tmp_path / "secret")})
        assert words == f"bailiwick: {name} and {name}_FILE are both set; valid: one of them."

    @pytest.mark.parametrize("value", ["short", "x" * 15, "   ", " " * 40])
    def test_short_ones_are_refused(self, problem, name, value):
        words = problem(**{name: value})
        assert words.startswith(f"bailiwick: {name} is shorter than 16 characters; valid: ")

    @pytest.mark.parametrize("content", [None, b"", b"short\n", b"\xff\xfe\xff"])
    def test_files_that_hold_none_are_refused(self, problem, tmp_path, name, content):
        """None: there is no such file."""
        path = tmp_path / "secret"
        if content is not None:
            path.write_bytes(content)
        words = problem(**{f"{name}_FILE": str(path)})
        assert words.startswith(f"bailiwick: {name}")
        assert "valid: " in words

    def test_a_folder_in_its_place_is_refused(self, problem, tmp_path, name):
        words = problem(**{f"{name}_FILE": str(tmp_path)})
        assert f"{name}_FILE names {tmp_path}, which cannot be read" in words

    def test_a_kept_one_that_was_damaged_is_not_replaced(self, read, tmp_path, name):
        """Else every key and sign-in of the installation would be worthless."""
        read()
        kept = tmp_path / "data" / SECRETS[name]
        kept.write_text("")
        with pytest.raises(EnvironmentProblem, match=name):
            read()
        assert kept.read_text() == ""


def test_processes_that_start_together_agree(tmp_path):
    script = (
        "from config.env import read_environment as r; e = r();"
        "print(e.root_key, e.secret_key, e.key_peppers)"
    )
    environment = {**os.environ, "BAILIWICK_DATA_DIR": str(tmp_path / "data")}
    for name in SECRETS:
        environment.pop(name, None)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment,
            cwd=BASE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = {process.communicate()[0] for process in started}
    assert len(said) == 1
    assert "bwr_" in said.pop()
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(SECRETS.values())


@pytest.mark.parametrize("place", ["a file", "below a file", "nowhere to write"])
def test_data_directory_that_cannot_be_written(tmp_path, place):
    file = tmp_path / "file"
    file.write_text("")
    path = {
        "a file": file,
        "below a file": file / "data",
        "nowhere to write": Path("/proc/no-such-place/data"),
    }[place]
    with pytest.raises(EnvironmentProblem) as refused:
        read_environment({"BAILIWICK_DATA_DIR": str(path)})
    words = str(refused.value)
    assert words.startswith(f"bailiwick: BAILIWICK_DATA_DIR is {path}, which cannot be written (")
    assert words.endswith("valid: a folder that this user may write.")
    assert "\n" not in words


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_data_directory_of_somebody_else(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(EnvironmentProblem, match="permission denied"):
        read_environment({"BAILIWICK_DATA_DIR": str(closed)})


def test_the_start_ends_with_that_line_and_status_1(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**os.environ, "PORT": "eighty", "BAILIWICK_DATA_DIR": str(tmp_path)},
        cwd=BASE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == ("bailiwick: PORT is 'eighty'; valid: a whole number from 1 to 65535.\n")


@pytest.mark.parametrize("value", ["", " ", "  "])
def test_empty_variables_are_absent(read, value):
    names = ("PORT", "DEMO", "DATABASE_URL", "BAILIWICK_AUTH_MODE", "BAILIWICK_WORKERS")
    assert read(**dict.fromkeys(names, value)).port == 8000


def test_hosts_are_parted_by_commas(read):
    found = read(BAILIWICK_ALLOWED_HOSTS=" a.example, b.example ,,")
    assert found.allowed_hosts == ["a.example", "b.example"]

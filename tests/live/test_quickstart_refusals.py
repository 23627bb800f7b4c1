"""A start that cannot be: one line that says why, and the next try works."""

from __future__ import annotations

import pytest

from tests.live import collect_static, free_port, result
from tests.live.quickstart import installation

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("quickstart")]

SECRETS = {
    "BAILIWICK_ROOT_KEY": "bwr_given-by-the-operator",
    "BAILIWICK_SECRET_KEY": "given-by-the-operator-too",
    "BAILIWICK_KEY_PEPPERS": "1:given-by-the-operator-as-well",
}


@pytest.fixture
def house():
    collect_static()
    with installation() as house:
        yield house


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("PORT", "65536", "a whole number from 1 to 65535"),
        ("PORT", "http", "a whole number from 1 to 65535"),
        ("BAILIWICK_AUTH_MODE", "open", "valid: api_key, trusted, dev"),
        ("DATABASE_URL", "mysql://me@localhost/db", "postgresql://user:password@host:port/name"),
        ("DATABASE_URL", "postgresql://[/db", "postgresql://user:password@host:port/name"),
        ("DATABASE_URL", "postgresql://localhost", "postgresql://user:password@host:port/name"),
        ("DATABASE_URL", "postgresql://me@127.0.0.1:1/none", "the database does not answer"),
        ("DEMO", "yes", "valid: 1, 0"),
        ("BAILIWICK_WORKERS", "0", "a whole number from 1 to 256"),
        ("BAILIWICK_ROOT_KEY", "short", "a long random text"),
        ("BAILIWICK_SECRET_KEY_FILE", "/nowhere/at/all", "a text file"),
        ("BAILIWICK_KEY_PEPPERS", "no colon in this long text", "ID:SECRET"),
        ("HOST", "no.such.host.invalid", "HOST"),
    ],
)
def test_a_wrong_value_is_named_with_the_valid_ones(house, name, value, valid):
    line = house.refused(**{name: value})
    assert name in line
    assert valid in line
    assert not (house.data_dir / "postgres").exists()


def test_a_password_in_a_refused_address_is_not_printed(house):
    for url in ("mysql://me:hunter22@localhost/db", "postgresql://me:hunter22@127.0.0.1:1/none"):
        assert "hunter22" not in house.refused(DATABASE_URL=url)


@pytest.mark.parametrize("secrets", [{}, SECRETS], ids=["generated", "given"])
@pytest.mark.parametrize("place", ["a file", "below a file", "not on a disk"])
def test_a_data_directory_that_cannot_be_written_is_named(house, place, secrets):
    (house.folder / "file").touch()
    folder = {
        "a file": house.folder / "file",
        "below a file": house.folder / "file" / "data",
        "not on a disk": "/proc/bailiwick",  # not even root makes folders there
    }[place]
    line = house.refused(BAILIWICK_DATA_DIR=str(folder), **secrets)
    assert "BAILIWICK_DATA_DIR" in line
    assert str(folder) in line


def test_after_refusals_the_next_try_works_and_without_a_demo_there_is_no_account(house):
    with installation() as other:
        other.start(DEMO="0")
        line = house.refused(PORT=str(other.port))
        assert f"PORT {other.port} is in use" in line
    house.refused(DEMO="maybe")
    (house.folder / "data-file").touch()
    house.refused(BAILIWICK_DATA_DIR=str(house.folder / "data-file"))

    house.start(DEMO="0")
    assert "No account yet" in house.output
    assert "Admin key" not in house.output
    with house.client(house.printed("Root key")) as client:
        assert result(client.get("/admin/accounts")) == []


def test_given_secrets_are_used_and_not_kept(house):
    house.start(DEMO="0", PORT=str(free_port()), **SECRETS)
    assert house.printed("Root key") == SECRETS["BAILIWICK_ROOT_KEY"]
    for name in ("root_key", "secret_key", "key_peppers"):
        assert not (house.data_dir / name).exists()

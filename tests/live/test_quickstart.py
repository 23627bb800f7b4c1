"""What `make run` does: starting, serving, stopping, and starting again."""

from __future__ import annotations

import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from config.supervisor import listening_problem
from tests.live import collect_static, free_port, result
from tests.live.quickstart import (
    Quickstart,
    alive,
    children,
    command_line,
    end,
    eventually,
    installation,
)
from tests.pages import submit

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("quickstart")]


@pytest.fixture(scope="module")
def house():
    """One installation for all tests here. Each finds it running, or starts it with its data."""
    collect_static()
    with installation() as house:
        yield house


def sessions(house: Quickstart) -> set[str]:
    with house.client(house.printed("Admin key")) as client:
        return {row["session_id"] for row in result(client.get("/sessions"))}


def test_the_first_start_tells_where_it_serves_and_how_to_enter(house):
    house.running()
    address = f"http://localhost:{house.port}"
    assert f"serves at {address}\n" in house.output
    assert house.printed("Sign in") == f"{address}/sign-in"
    email, password = house.output.split(f"{address}/sign-in\n")[1].split()[:2]
    with httpx.Client(base_url=house.url, trust_env=False) as browser:
        assert submit(browser, "/sign-in", login=email, password=password).status_code == 302
        assert "In force" in browser.get("/a/hollis/policy").text

    assert house.printed("Operator") == f"{address}/operator/"
    email, password = house.output.split(f"{address}/operator/\n")[1].split()[:2]
    with httpx.Client(base_url=house.url, trust_env=False) as browser:
        assert submit(browser, "/sign-in", login=email, password=password).status_code == 302
        assert "Hollis &amp; Daughters" in browser.get("/operator/accounts").text
        assert browser.get("/a/hollis/policy").status_code == 404

    assert len(sessions(house)) >= 3
    with house.client(house.printed("Root key")) as client:
        accounts = result(client.get("/admin/accounts"))
    assert [account["account_id"] for account in accounts] == ["hollis"]
    assert house.errors == ""


def test_secrets_are_readable_by_their_owner_only(house):
    house.running()
    for name in ("root_key", "secret_key", "key_peppers", "demo.json"):
        assert stat.S_IMODE((house.data_dir / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(house.postgres.cluster.stat().st_mode) == 0o700
    assert stat.S_IMODE(house.postgres.socket_dir.stat().st_mode) == 0o700


def test_a_second_one_on_the_same_data_is_refused(house):
    house.running()
    line = house.refused(PORT=str(free_port()))
    assert f"runs already on {house.data_dir}" in line
    assert "BAILIWICK_DATA_DIR" in line
    assert sessions(house)


def test_the_worker_runs_a_deferred_job(house):
    house.running()
    defer = "from accounts.tasks import clear_expired_sign_ins as it; print(it.defer(timestamp=0))"
    done = house.manage("shell", "-c", defer)
    assert done.returncode == 0, done.stderr
    job = int(done.stdout.split()[-1])
    state = f"SELECT status::text, attempts FROM procrastinate_jobs WHERE id = {job}"
    eventually(lambda: house.rows(state) == [("succeeded", 1)])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_a_signal_stops_everything_it_started_and_keeps_the_data(house, number):
    house.running()
    before, keys = sessions(house), [house.printed(one) for one in ("Admin key", "Root key")]
    with house.client(keys[0]) as client:
        said = {"role": "user", "content": "still there?"}
        result(client.post(f"/sessions/before-{number.name}/messages", json=said))
    processes = house.processes()
    names = " ".join(" ".join(process.cmdline()) for process in processes)
    assert all(part in names for part in ("granian", "manage.py worker", "checkpointer"))

    assert house.stop(number) == 0
    assert house.output.endswith("Stopped. The data is kept.\n")
    assert house.errors == ""
    assert alive(processes) == []
    assert listening_problem("127.0.0.1", house.port) is None

    house.start()
    assert [house.printed(one) for one in ("Admin key", "Root key")] == keys
    assert sessions(house) == before | {f"before-{number.name}"}


def test_after_a_kill_nothing_stays_but_the_data_and_the_next_start_serves(house):
    house.running()
    before = sessions(house)
    database = psutil.Process(house.database_pid())
    children = [one for one in house.processes() if one.pid != house.process.pid]
    servers = [one for one in children if one not in (database, *database.children())]
    assert len(servers) >= 3
    house.stop(signal.SIGKILL)
    eventually(lambda: alive(servers) == [])
    assert listening_problem("127.0.0.1", house.port) is None

    house.start()
    assert sessions(house) == before
    assert house.stop() == 0
    assert alive(house.processes()) == []


@pytest.mark.parametrize(
    ("victim", "word"), [("web server", "granian"), ("job worker", "manage.py worker")]
)
def test_when_a_child_dies_everything_stops_with_one_line(house, victim, word):
    house.running()
    started = children(psutil.Process(house.process.pid))
    child = next(one for one in started if word in command_line(one))
    with struck(house, child.pid):
        assert house.ended(15) not in {0, None}
        assert house.errors == f"CommandError: the {victim} ended with status -9.\n"


def test_when_the_database_dies_everything_stops_and_says_so(house):
    house.running()
    with struck(house, house.database_pid()):
        assert house.ended(15) not in {0, None}
        last = house.errors.strip().splitlines()[-1]  # the worker may have complained before
        assert last.startswith("CommandError: ")
        assert "PostgreSQL" in last


@contextmanager
def struck(house: Quickstart, pid: int) -> Iterator[None]:
    """Kill one of its processes; afterwards all are gone, and the next start serves."""
    processes = house.processes()
    psutil.Process(pid).kill()
    try:
        yield
        eventually(lambda: alive(processes) == [], seconds=5)
    finally:  # what stays would hold the port, or the folder, of the next start
        end(processes)
        house.forget()
    house.start()
    assert sessions(house)

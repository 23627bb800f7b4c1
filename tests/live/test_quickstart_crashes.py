"""What is left when the database, or the making of it, is struck down."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from tests.live import collect_static, result
from tests.live.quickstart import Quickstart, end, eventually, installation

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("quickstart")]


@pytest.fixture
def house():
    collect_static()
    with installation() as house:
        yield house


def append_until_it_fails(house: Quickstart, key: str, writer: int, enough: Event) -> list[str]:
    """Append one after the other; the texts that were acknowledged before the first failure."""
    acknowledged: list[str] = []
    with house.client(key) as client:
        while True:
            text = f"{writer}-{len(acknowledged)}"
            try:
                said = {"role": "user", "content": text}
                answer = client.post("/sessions/crash/messages", json=said)
            except httpx.HTTPError:
                return acknowledged
            if answer.status_code != 200:
                return acknowledged
            acknowledged.append(text)
            if len(acknowledged) == 50:
                enough.set()


def kept_messages(house: Quickstart, key: str) -> list[dict]:
    kept: list[dict] = []
    with house.client(key) as client:
        while True:
            page = {"limit": 200, "after_seq": kept[-1]["seq"] if kept else 0}
            rows = result(client.get("/sessions/crash/messages", params=page))
            if not rows:
                assert result(client.get("/sessions/crash"))["message_count"] == len(kept)
                return kept
            kept += rows


def test_a_killed_database_loses_no_acknowledged_message(house):
    house.start()
    key = house.printed("Admin key")
    enough = Event()
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(append_until_it_fails, house, key, n, enough) for n in range(4)]
        assert enough.wait(60)
        os.kill(house.database_pid(), signal.SIGKILL)
        acknowledged = [text for writer in writers for text in writer.result()]
    assert len(acknowledged) >= 50

    house.process.terminate()
    house.ended(60)
    house.start()
    kept = kept_messages(house, key)
    assert [row["seq"] for row in kept] == list(range(1, len(kept) + 1))
    texts = [row["parts"][0]["text"] for row in kept]
    assert len(texts) == len(set(texts))
    assert set(acknowledged) - set(texts) == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_a_start_that_was_struck_while_making_the_cluster_is_made_again(house, number):
    process = house.begin(DEMO="0")
    eventually((house.postgres.cluster / "PG_VERSION").exists)
    process.send_signal(number)
    house.ended()
    end(house.processes())  # initdb has a session of its own, and may outlive its parent

    house.start(DEMO="0")
    with house.client(house.printed("Root key")) as client:
        assert result(client.get("/admin/accounts")) == []


def test_an_earlier_half_made_cluster_is_made_again(house):
    (house.postgres.cluster / "base" / "1").mkdir(parents=True)
    (house.postgres.cluster / "base" / "1" / "1259").write_bytes(b"half")
    house.start(DEMO="0")
    assert house.rows("SELECT 1") == [(1,)]

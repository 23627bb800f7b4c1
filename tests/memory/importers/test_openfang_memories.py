"""What the agent OS database (format C) remembers: memories, topics, runs of extraction."""

from __future__ import annotations

import json
import sqlite3
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from memory.importers import openfang_memories
from memory.importers.openfang import OpenfangSource
from memory.importers.plain import SourceExtraction, SourceMemory, SourceName
from memory.importers.values import MAX_TOLD, Problems
from memory.models import KINDS, MAX_SUMMARY, MAX_TOPIC_KEY, Source
from tests.memory.importers.fixtures_openfang import (
    ADA,
    ANNA,
    BEGAN,
    BEN,
    ENDED,
    MAX,
    NIL,
    Store,
    said,
)

if TYPE_CHECKING:
    from pathlib import Path

FIRST = datetime(2025, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
LAST = datetime(2025, 3, 2, 9, 30, tzinfo=UTC)
NEVER_SAID = "It says nothing: it is left out."


def problems(source: OpenfangSource) -> list[tuple[str, str, int]]:
    return [(one.where, one.what, one.lost) for one in source.problems()]


def only(store: Store) -> SourceMemory:
    source = OpenfangSource(store.path)
    (found,) = source.memories()
    assert problems(source) == []
    return found


def test_words_for_kinds_and_sources_are_those_of_the_models() -> None:
    assert set(KINDS) == openfang_memories.KINDS
    assert set(openfang_memories.SOURCES.values()) < set(Source.values)
    assert set(openfang_memories.LISTS) < set(KINDS)
    assert (openfang_memories.MAX_SUMMARY, openfang_memories.MAX_TOPIC_KEY) == (
        MAX_SUMMARY,
        MAX_TOPIC_KEY,
    )


def test_a_memory_says_what_it_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.memory("Likes early trains.", confidence=0.75)
    assert only(store) == SourceMemory(
        key=key, name=f"memories {key}", content="Likes early trains.", at=FIRST, scope="user",
        kind="facts", source="conversation", topics=("scope:episodic",), confidence=0.75,
        agent=SourceName(ADA, "Ada"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"deleted": 1}, {"state": "deleted"}),
        ({"deleted": 0}, {"state": "active"}),
        ({"source": '"inference"'}, {"source": "inferred"}),
        ({"source": '"user_provided"'}, {"source": "user_stated"}),
        ({"source": '"observation"'}, {"source": "observation"}),
        ({"source": "observation"}, {"source": "observation"}),
        ({"source": '"document"'}, {"source": "imported"}),
        ({"source": '{"custom": "x"}'}, {"source": "imported"}),
        ({"scope": "user"}, {"scope": "user", "topics": ()}),
        ({"scope": "agent"}, {"scope": "agent", "topics": ()}),
        ({"scope": "a  b"}, {"scope": "user", "topics": ("scope:a b",)}),
        ({"confidence": 7}, {"confidence": 1.0}),
        ({"confidence": -0.5}, {"confidence": 0.0}),
        ({"confidence": "high"}, {"confidence": None}),
        ({"agent_id": NIL}, {"agent": None}),
        ({"agent_id": BEN}, {"agent": SourceName(BEN)}),
        ({"created_at": "", "accessed_at": ENDED}, {"at": LAST}),
        (
            {"scope": "", "metadata": '{"kind": "profile", "topics": ["b", "", "a", "b", 7]}'},
            {"kind": "profile", "topics": ("b", "a")},
        ),
        ({"metadata": '{"kind": "gossip"}'}, {"kind": "facts"}),
        ({"metadata": '{"kind": ["profile"]}'}, {"kind": "facts"}),
        ({"metadata": f'{{"user_id": "{ANNA}"}}'}, {"user": SourceName(ANNA)}),
        ({"metadata": f'{{"user_id": "{NIL}"}}'}, {"user": None}),
        ({"metadata": '{"user_id": "somebody"}'}, {"user": None}),
        ({"metadata": '{"session_id": "there"}'}, {"session": "there"}),
        ({"metadata": '{"session_id": "gone"}'}, {"session": None}),
        ({"metadata": '{"session_id": ["there"]}'}, {"session": None}),
    ],
)
def test_what_stands_in_its_columns_is_taken_over_as_far_as_it_fits(
    tmp_path: Path, values: dict[str, Any], expected: dict[str, Any]
) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"), id="there")
    store.memory("Likes early trains.", **values)
    found = only(store)
    assert found == replace(found, **expected)


def test_memories_that_say_nothing_or_are_no_json_are_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.memory(" \n\0", id="blank")
    store.memory("Odd.", id="odd", metadata="[" * 100_000, source="{", created_at="yesterday")
    store.memory("Fine.", id="fine", metadata='{"topics": "none"}')
    source = OpenfangSource(store.path)
    assert [(one.key, one.at) for one in source.memories()] == [("odd", LAST), ("fine", FIRST)]
    assert problems(source) == [
        ("openfang.db memories blank", NEVER_SAID, 1),
        ("openfang.db memories odd", "Its metadata is no JSON object: it is left out.", 0),
        (
            "openfang.db memories odd",
            "Its created_at is no time that can be used: yesterday.",
            0,
        ),
    ]


def test_broken_text_is_cleaned_and_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.memory("x", id="m")
    store.run("UPDATE memories SET content = CAST(X'41FF0042' AS TEXT), agent_id = x'FF'")
    source = OpenfangSource(store.path)
    (found,) = source.memories()
    assert found.content == "A\N{REPLACEMENT CHARACTER}B"
    assert {what for _, what, _ in problems(source)} == {
        "NUL characters were taken out of its texts.",
        "Broken characters in its texts were replaced.",
    }


# --- topics ---


def test_topics_are_kept_of_the_user_and_of_the_user_with_an_agent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    row = {"user_id": ANNA, "topic": "Trains", "content": "Early ones.", "updated_at": ENDED}
    store.put("user_memory_topics", **row, summary="Trains, early", expires_at="2099-01-01")
    store.put("user_agent_memory_topics", **row, agent_id=MAX)
    whole, with_max = OpenfangSource(store.path).memories()
    assert whole == SourceMemory(
        key=f"user_memory_topics {ANNA}/Trains", name=f"user_memory_topics {ANNA}/Trains",
        content="Early ones.", at=LAST, scope="user", kind="topics", topic_key="Trains",
        summary="Trains, early", expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        user=SourceName(ANNA),
    )  # fmt: skip
    assert with_max.key == f"user_agent_memory_topics {ANNA}/{MAX}/Trains"
    assert with_max == replace(
        whole, key=with_max.key, name=with_max.name, summary="", expires_at=None,
        agent=SourceName(MAX, "Max"),
    )  # fmt: skip


def test_topics_of_nobody_are_the_default_users(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("user_memory_topics", user_id=NIL, topic="t", content="c", updated_at=ENDED)
    assert only(store).user is None


def test_a_topic_without_content_says_its_summary_or_is_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    row = {"user_id": ANNA, "updated_at": ENDED}
    store.put("user_memory_topics", **row, topic="a", summary="Only\nthis")
    store.put("user_memory_topics", **row, topic="b", content=" ")
    source = OpenfangSource(store.path)
    assert [(one.topic_key, one.content) for one in source.memories()] == [("a", "Only this")]
    where = f"openfang.db user_memory_topics {ANNA}/b"
    assert problems(source) == [(where, NEVER_SAID, 1)]


def test_long_topics_that_begin_alike_stay_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for end in "ab":
        store.put(
            "user_memory_topics", user_id=ANNA, topic="x" * 500 + end, content=end,
            summary="y" * 900, updated_at=ENDED,
        )  # fmt: skip
    store.put("user_memory_topics", user_id=ANNA, topic=" ", content="c", updated_at=ENDED)
    source = OpenfangSource(store.path)
    one, other, nameless = source.memories()
    assert len(one.topic_key or "") == MAX_TOPIC_KEY
    assert (one.topic_key != other.topic_key, one.key != other.key) == (True, True)
    assert (nameless.topic_key, len(one.summary)) == (None, MAX_SUMMARY)
    assert [what for _, what, _ in problems(source)] == [
        "Its summary is cut after 500 characters."
    ] * 2


# --- extraction ---


def test_each_thing_found_is_a_memory_of_its_run(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.session(said("user", "Hello"), id="there")
    store.extraction(
        "there", id="run", facts=["Rises early.", {"text": "Has a dog.", "confidence": 3}],
        preferences=["Tea."], decisions=[{"decision": "Go by train."}], tasks=["Book."],
        open_items=["Which day?"],
    )  # fmt: skip
    store.extraction("gone", id="earlier", created_at="2025-01-01T00:00:00Z", facts=["Old."])
    source = OpenfangSource(store.path)
    runs = list(source.extractions())
    assert runs == [
        SourceExtraction(
            key="earlier", name="session_extractions earlier", session="gone",
            at=datetime(2025, 1, 1, tzinfo=UTC), memories=1, agent=SourceName(ADA, "Ada"),
            user=SourceName(ANNA),
        ),
        replace(runs[1], key="run", session="there", memories=6),
    ]  # fmt: skip
    found = list(source.memories())
    assert [(one.key, one.kind, one.content, one.confidence) for one in found] == [
        ("earlier:facts:0", "facts", "Old.", None),
        ("run:facts:0", "facts", "Rises early.", None),
        ("run:facts:1", "facts", "Has a dog.", 1.0),
        ("run:preferences:0", "preferences", "Tea.", None),
        ("run:decisions:0", "decisions", "Go by train.", None),
        ("run:tasks:0", "tasks", "Book.", None),
        ("run:open_items:0", "open_items", "Which day?", None),
    ]
    assert [one.session for one in found] == [None, *["there"] * 6]
    assert {(one.source, one.user, one.agent) for one in found} == {
        ("conversation", SourceName(ANNA), SourceName(ADA, "Ada"))
    }
    assert problems(source) == []


def test_lists_and_things_that_cannot_be_read_are_reported_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    huge = "[" + "9" * 5000 + "]"
    store.extraction(
        "s", id="run", facts='{"no": "list"}', preferences="[", tasks=huge,
        decisions=["", None, [], {"text": 7}, {}, "Kept.", {"confidence": 10**400, "text": "Too."}],
    )  # fmt: skip
    source = OpenfangSource(store.path)
    found = list(source.memories())
    assert [run.memories for run in source.extractions()] == [2]
    assert [(one.key, one.confidence) for one in found] == [
        ("run:decisions:5", None),
        ("run:decisions:6", 1.0),
    ]
    where = "openfang.db session_extractions run"
    no_list = "It is no list in JSON: it is left out."
    assert sorted(problems(source)) == sorted([
        *((f"{where}:{kind}", no_list, 1) for kind in ("facts", "preferences", "tasks")),
        *((f"{where}:decisions:{number}", NEVER_SAID, 1) for number in range(5)),
    ])  # fmt: skip


def test_keys_of_memories_topics_and_found_things_never_meet(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.extraction("s", id="run", facts=["a"])
    store.put("user_memory_topics", user_id="u/v", topic="t", content="b", updated_at=ENDED)
    store.put(
        "user_agent_memory_topics", user_id="u", agent_id="v", topic="t", content="c",
        updated_at=ENDED,
    )  # fmt: skip
    for key in ("run:facts:0", "user_memory_topics u%2Fv/t", "user_agent_memory_topics u/v/t"):
        store.memory("d", id=key)
    keys = [one.key for one in OpenfangSource(store.path).memories()]
    assert (len(keys), len(set(keys))) == (6, 6)


def test_many_large_memories_are_read_in_constant_memory(tmp_path: Path) -> None:
    store = Store(tmp_path)
    facts = json.dumps(["x" * 1000] * 20)
    with closing(sqlite3.connect(store.path)) as database, database:
        database.executemany(
            "INSERT INTO memories (id, agent_id, content, source, created_at, accessed_at,"
            " embedding) VALUES (?, ?, ?, '', ?, ?, zeroblob(6144))",
            ((str(n), ADA, "x" * 20_000, BEGAN, ENDED) for n in range(1000)),
        )
        database.executemany(
            "INSERT INTO session_extractions (id, session_id, facts, created_at)"
            " VALUES (?, 's', ?, ?)",
            ((str(n), facts, BEGAN) for n in range(1000)),
        )
    source = OpenfangSource(store.path)
    tracemalloc.start()
    try:
        count = sum(1 for _ in source.memories()) + sum(1 for _ in source.extractions())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 1000 + 20_000 + 1000
    assert peak < 2 * 1024 * 1024


def test_of_very_many_problems_the_later_ones_are_counted() -> None:
    problems = Problems()
    for _ in range(2):
        for number in range(MAX_TOLD + 5):
            problems.add(f"row {number}", "Broken.", 2)
    told = problems.all()
    assert (len(told), told[-1].what, told[-1].lost) == (MAX_TOLD + 1, "5 more problems.", 10)

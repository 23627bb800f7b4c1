"""A store that moved its JSONL files into SQLite: whichever comes first, nothing is doubled."""

from __future__ import annotations

from tests.memory.importers.stores import Store, say, told
from tests.memory.importers.test_runs import account, bring_in  # noqa: F401 - fixtures


def file_and_database():
    file = Store({"talk": say("One", "Two", start=None)})
    digest = next(file.sessions()).sha256
    metadata = {"jsonl": {"name": "talk.jsonl", "sha256": digest}}
    database = Store({"talk": say("One", "Two")}, {"talk": {"metadata": metadata}}, format="sqlite")
    return file, database


def test_the_file_after_the_database(bring_in):  # noqa: F811
    file, database = file_and_database()
    bring_in(database)
    before = told()
    _, report = bring_in(file)
    assert (report.sessions, report.known, report.problems) == (0, 1, [])
    assert told() == before


def test_the_database_after_the_file(bring_in):  # noqa: F811
    file, database = file_and_database()
    bring_in(file)
    before = told()
    _, report = bring_in(database)
    assert (report.sessions, report.known, report.problems) == (0, 1, [])
    database.talks["talk"] += say("Three")
    _, report = bring_in(database)
    assert [one.lost for one in report.problems] == [1]
    assert told() == before

"""One throw-away PostgreSQL for the whole run. Loaded with `-p`, before Django is set up."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

# xdist's workers inherit the server's address.
_RUN = Path(os.environ.get("BAILIWICK_TEST_RUN") or tempfile.mkdtemp(prefix="bailiwick-test-"))
os.environ["BAILIWICK_TEST_RUN"] = str(_RUN)
os.environ["BAILIWICK_DATA_DIR"] = str(_RUN)
os.environ["BAILIWICK_ROOT_KEY"] = "bwr_the-root-key-of-the-test-run"
os.environ["BAILIWICK_SECRET_KEY"] = "the-secret-key-of-the-test-run"
os.environ["BAILIWICK_KEY_PEPPERS"] = "1:the-pepper-of-the-test-run"
os.environ["BAILIWICK_ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
for _name in ("DATABASE_URL", "BAILIWICK_AUTH_MODE", "BAILIWICK_POOL"):
    os.environ.pop(_name, None)

from config.postgres import EmbeddedPostgres  # noqa: E402

# Nothing here must survive a crash of the machine.
_POSTGRES = EmbeddedPostgres(
    _RUN,
    {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "shared_buffers": "64MB",
        "max_connections": "200",
    },
)
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ


def pytest_configure() -> None:
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    if not _IS_WORKER:
        # As Ctrl-C: the server stops and its folders go, also when a time limit ends the run.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        _RUN.chmod(0o755)  # the cluster's system user must come through when root runs the tests
        _POSTGRES.start()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let `--dist loadgroup` see the groups: xdist 3.8 writes them where pytest 9.2 never looks."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is not None and not item.nodeid.endswith(f"@{group.args[0]}"):
            path, *names = f"{item.nodeid}@{group.args[0]}".split("::")
            item._id = type(item.id)(path=path, names=tuple(names))


def pytest_unconfigure() -> None:
    if not _IS_WORKER:
        _POSTGRES.stop()
        shutil.rmtree(_POSTGRES.cluster.resolve(), ignore_errors=True)
        shutil.rmtree(_RUN, ignore_errors=True)
        shutil.rmtree(_POSTGRES.socket_dir, ignore_errors=True)

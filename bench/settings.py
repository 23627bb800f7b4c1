"""The product's settings with a no-op route beside the real ones and, when asked, one migration."""

from __future__ import annotations

import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, TENANT_APPS

ROOT_URLCONF = "bench.urls"
if os.environ.get("BAILIWICK_BENCH_CHANGE") == "1":
    TENANT_APPS = [*TENANT_APPS, "bench.change"]
    INSTALLED_APPS = [*INSTALLED_APPS, "bench.change"]

RATE_LIMIT = 0  # the load has one key

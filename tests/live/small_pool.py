"""Settings of a server whose threads have to wait for each other's database connections."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES, POOL

DATABASES["default"]["OPTIONS"]["pool"] = {**POOL, "max_size": 2}

"""The WSGI application that granian serves."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("BAILIWICK_POOL", "1")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

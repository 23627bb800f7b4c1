"""The WSGI application that granian serves."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("BAILIWICK_POOL", "1")
# The server copies the environment into each request's, where HTTP_… are headers: a variable such
# as HTTP_X_API_KEY would sign in everybody. It copies after this module is loaded.
for name in [name for name in os.environ if name.startswith("HTTP_")]:
    del os.environ[name]

from threading import Thread

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from memory.secrets import warm

# Compiling what secrets look like takes a second or more; requests are served meanwhile.
Thread(target=warm, name="secrets", daemon=True).start()

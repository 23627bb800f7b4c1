#!/bin/sh
# The browser tests use a Chromium that is on the machine. Where the system's package manager can
# install one without asking, do so; else say plainly that those tests will not run.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests (once) …"
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-liberation) >/dev/null 2>&1 && exit 0
fi
echo "No Chromium was found and none could be installed: the browser tests will be skipped" >&2
echo "(in CI they fail). Install the package 'chromium' to run them." >&2
exit 0

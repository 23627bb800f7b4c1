"""The operator console: running the installation from a browser, seeing no account's words."""

"""Composition only: settings, addresses, the one API object, servers. Nothing imports config."""

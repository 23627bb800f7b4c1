"""Account schema: what was said. Sessions, participants, messages."""

"""Account schema: what is kept. It has no tables yet."""

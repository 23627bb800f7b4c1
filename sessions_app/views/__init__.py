"""Pages about what was said. One module per noun."""

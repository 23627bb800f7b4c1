"""Pages of the operator console. One module per noun."""

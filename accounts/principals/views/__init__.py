"""Pages about the account itself and about who acts in it. One module per noun."""

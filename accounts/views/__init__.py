"""Pages outside accounts: the way in, and what a person does about their own sign-in."""

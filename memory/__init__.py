"""Account schema: what is kept. Today the addresses of memories; the tables come with them."""

"""What every API route shares: envelope, headers, parsing, cursors."""

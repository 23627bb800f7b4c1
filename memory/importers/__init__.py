"""Moving in: the stores that existing installations bring (legacy formats A, B and C).

Readers turn a store into the plain records of `plain`, without a database of ours; writing those
down, with receipts, is one service for all formats (memory.services.imports).
"""

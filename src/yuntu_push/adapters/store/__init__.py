"""State in one SQLite file: small, visible, durable."""

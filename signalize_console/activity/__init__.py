"""What happened: an append-only record of events."""

"""The outbox and the engine: what must be sent, to whom, and what became of it."""

"""The one-machine default: starts PostgreSQL and Valkey from their wheels, the web, the workers and beat."""

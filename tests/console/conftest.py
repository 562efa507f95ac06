"""The push service double, as the engine's tests have it."""

from tests.deliveries.conftest import double, running_double, subscribe, work

__all__ = ["double", "running_double", "subscribe", "work"]

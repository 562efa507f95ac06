"""What an installation reads from its environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from signalize_console import environment


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    """SIGNALIZE_HOME= would otherwise be the current directory, and its secrets in it."""
    monkeypatch.setenv("SIGNALIZE_HOME", "")
    assert environment.text("SIGNALIZE_HOME", "var") == "var"
    monkeypatch.setenv("SIGNALIZE_HOME", "elsewhere")
    assert environment.text("SIGNALIZE_HOME", "var") == "elsewhere"


def test_what_is_looked_back_at_is_kept_long_enough_or_for_ever(monkeypatch):
    assert environment.days("KEEP_DAYS", 400, least=92) == 400
    for value in (0, 92):
        monkeypatch.setenv("KEEP_DAYS", str(value))
        assert environment.days("KEEP_DAYS", 400, least=92) == value
    for value in ("91", "-1"):
        monkeypatch.setenv("KEEP_DAYS", value)
        with pytest.raises(ImproperlyConfigured, match=f"KEEP_DAYS is {value}. Give at least 92 days, or 0"):
            environment.days("KEEP_DAYS", 400, least=92)

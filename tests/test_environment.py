"""What an installation reads from its environment."""

from signalize_console import environment


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    """SIGNALIZE_HOME= would otherwise be the current directory, and its secrets in it."""
    monkeypatch.setenv("SIGNALIZE_HOME", "")
    assert environment.text("SIGNALIZE_HOME", "var") == "var"
    monkeypatch.setenv("SIGNALIZE_HOME", "elsewhere")
    assert environment.text("SIGNALIZE_HOME", "var") == "elsewhere"

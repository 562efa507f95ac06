"""A program that is missing never hides a hole: in CI it is a failure."""

import pytest

from tests.programs import require


def test_what_is_missing_is_skipped_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    require("sh")
    for ci, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="needs no-such-program"):
            require("sh", "no-such-program")

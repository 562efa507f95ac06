"""The examples of the documentation: every fenced block, and which of them a test has run."""

import re
import textwrap
from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest

from tests.web import ROOT

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "clients/**/*.md")


class Name(NamedTuple):
    """The ``number``-th block in this language on this page, from 0."""

    page: str
    language: str
    number: int


RUN: set[Name] = set()


@cache
def examples() -> dict[Name, str]:
    found: dict[Name, str] = {}
    for path in sorted(path for pattern in PAGES for path in ROOT.glob(pattern)):
        page, seen = str(path.relative_to(ROOT)), Counter[str]()
        for _indent, language, code in FENCE.findall(path.read_text()):
            found[Name(page, language, seen[language])] = textwrap.dedent(code)
            seen[language] += 1
    return found


def example(page: str, language: str, number: int = 0) -> str:
    """Its code, to be run. Call it where the module is loaded: what nobody has called for is forgotten."""
    name = Name(page, language, number)
    RUN.add(name)
    return examples()[name]


def runs(page: str, language: str, number: int = 0) -> pytest.MarkDecorator:
    """The test gets this example as ``code``."""
    code = example(page, language, number)
    return pytest.mark.parametrize("code", [code], ids=[f"{page}:{language}{number}"])


def commands(code: str, program: str) -> list[str]:
    return [line for line in code.splitlines() if line.startswith(f"{program} ")]

"""docs/production.md was executed on a Debian machine, by hand; here: all that it names is still there."""

import re
import shlex

import pytest
from django.core.management import get_commands

from signalize_console.deliveries import gauges
from tests.docs.examples import commands, examples
from tests.web import ROOT

PAGE = "docs/production.md"
STEPS = [code for name, code in examples().items() if (name.page, name.language) == (PAGE, "sh")]
OUTPUTS = [code for name, code in examples().items() if (name.page, name.language) == (PAGE, "")]
TYPED = "\n".join(STEPS)
TEXT = (ROOT / PAGE).read_text()
UNITS = ROOT / "deploy" / "systemd"


def test_there_are_ten_steps() -> None:
    assert re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE) == [str(number) for number in range(1, 11)]


def test_every_command_of_the_console_exists() -> None:
    named = set(re.findall(r"deploy/manage (\w+)", TYPED))
    assert len(named) > 4
    assert named <= set(get_commands())
    assert (ROOT / "deploy/manage").stat().st_mode & 0o111


def test_every_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    wanted = [line.split()[1] for line in commands(TYPED, "make")]
    assert wanted
    assert [target for target in wanted if f"\n{target}: " not in makefile] == []


def test_every_file_of_ours_exists() -> None:
    named = set(re.findall(r"(?<![\w/])(?:deploy|tests|docs)/[\w./-]+\w", TEXT))
    assert len(named) > 3
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_setting_is_one() -> None:
    (block,) = [code for code in STEPS if "DATABASE_URL" in code]
    settings = set(re.findall(r"^([A-Z_]+)=", block, re.MULTILINE))
    assert len(settings) > 8
    known = (ROOT / "README.md").read_text()
    assert [name for name in settings if f"`{name}`" not in known] == []
    exported = re.findall(r"export (\w+)=", TYPED)
    assert exported
    assert [name for name in exported if name not in (ROOT / "deploy/manage").read_text()] == []


def test_every_unit_exists_and_is_shown() -> None:
    for verb in ("enable --now", "start", "restart"):
        for line in re.findall(rf"systemctl {verb} (signalize.*)", TYPED):
            for unit in shlex.split(line):
                name = unit if "." in unit else f"{unit}.service"
                assert (UNITS / name).exists(), unit
    shown = set(re.findall(r"^(signalize\S+) +loaded", "\n".join(OUTPUTS), re.MULTILINE))
    target = (UNITS / "signalize.target").read_text()
    assert shown >= set(re.findall(r"signalize-\S+\.service", target))


@pytest.mark.django_db
def test_the_metrics_that_are_shown_are_ours() -> None:
    names = {f"signalize_{gauge.name}" for gauge in gauges.read()}
    shown = set(re.findall(r"^(signalize_\w+)[{ ]", "\n".join(OUTPUTS), re.MULTILINE))
    assert shown
    assert shown <= names


def test_no_secret_is_shown() -> None:
    assert not re.findall(r"(?:KEY|TOKEN|PASSWORD)=[\w-]{8}", TEXT)
    assert not re.findall(r"\b[\w-]{43}\b", "\n".join(OUTPUTS))

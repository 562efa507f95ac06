"""Every example in the documentation is run by a test; a new one fails here until it is."""

import importlib
import re

import pytest
from django.db import connection

from tests.docs.examples import RUN, Name, commands, example, examples
from tests.web import ROOT

RUNNING = [
    *(
        "tests.docs.test_api",
        "tests.docs.test_integrations",
        "tests.docs.test_moving_in",
        "tests.docs.test_webhooks",
    ),
    *("tests.browsers.test_documented", "tests.browsers.test_opt_in_elsewhere"),
]
# What a test can't do: it would install services or containers on this machine. tests/test_deploy.py tries their parts,
# tests/deliveries/test_restoring.py the backup.
FOR_A_SERVER = {Name("docs/operations.md", "sh", number) for number in range(13)}
FOR_A_SERVER.add(Name("docs/operations.md", "nginx", 0))
# What migrate says is looked at in tests/upgrades/test_migrate.py.
FOR_A_SERVER.add(Name("docs/operations.md", "", 0))
# Executed on a machine of its own; tests/docs/test_production.py looks whether what they name is still there.
FOR_A_SERVER |= {name for name in examples() if name.page == "docs/production.md"}
# The first start and `make test` themselves; that the targets are there is looked at below.
MAKE = [example("README.md", "sh"), example("CONTRIBUTING.md", "sh")]
HOUSE = example("docs/architecture.md", "")
FORGOTTEN = example("docs/operations.md", "sql")


def test_no_example_is_forgotten() -> None:
    for module in RUNNING:
        importlib.import_module(module)
    assert set(examples()) - RUN == FOR_A_SERVER
    assert len(examples()) > 25


@pytest.mark.parametrize("code", MAKE, ids=["README.md", "CONTRIBUTING.md"])
def test_make_has_what_it_is_asked_for(code: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    wanted = [command.split()[1] for command in commands(code, "make")]
    assert wanted
    assert [target for target in wanted if f"\n{target}: " not in makefile] == []


@pytest.mark.django_db
def test_a_forgotten_transaction_is_found_as_the_page_says() -> None:
    running, prepared = FORGOTTEN.strip().rstrip(";").split(";")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_current_xact_id()")
        (ours, _transaction) = cursor.fetchone()
        cursor.execute(running)
        assert ours in {pid for pid, *_facts in cursor.fetchall()}
        cursor.execute(prepared)
        assert cursor.fetchall() == []


def test_the_house_has_the_rooms_that_are_drawn() -> None:
    package = ROOT / "signalize_console"
    drawn = set(re.findall(r"^    (\w+)/", HOUSE, re.MULTILINE))
    assert drawn == {path.parent.name for path in package.glob("*/__init__.py")}

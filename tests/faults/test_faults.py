"""At least forty kills and one of each other fault, in every run of the suite; ``make faults`` has a thousand."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.living import ROOT
from tests.faults.__main__ import LEAST_SNAPSHOTS, SCENARIOS
from tests.faults.reckoning import WINDOW

KILLS = 40
Figures = Mapping[str, Mapping[str, Any]]

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Of one run with a console of its own, which nothing of this suite's touches."""
    path = tmp_path_factory.mktemp("faults") / "figures.json"
    argv = [sys.executable, "-m", "tests.faults", "--brief", f"--kills={KILLS}", f"--json={path}"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=850, check=False)
    assert path.exists(), done.stdout + done.stderr
    scenarios: Figures = json.loads(path.read_text())["scenarios"]
    return scenarios


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_lost_and_no_marketing_comes_twice(figures: Figures, scenario: str) -> None:
    facts = figures[scenario]

    assert facts["wrong"] == []
    assert (facts["lost"], facts["marketing_twice"]) == (0, 0)
    assert facts["most_uncertain"] <= WINDOW
    assert facts["counted"] > 0
    assert facts["deliveries"] > 100
    assert facts["snapshots"] >= LEAST_SNAPSHOTS


def test_each_part_restarted_in_turn_over_other_servers(tmp_path: Path) -> None:
    """RabbitMQ instead of Valkey, and PgBouncer before PostgreSQL."""
    path = tmp_path / "figures.json"
    argv = [sys.executable, "-m", "tests.faults.spread", "rabbitmq", "--deliveries=1000", f"--json={path}"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert path.exists(), done.stdout + done.stderr
    facts = json.loads(path.read_text())
    assert facts["wrong"] == []
    assert (facts["lost"], facts["marketing_twice"]) == (0, 0)
    assert facts["most_uncertain"] <= WINDOW
    assert facts["counted"] > 0
    assert facts["deliveries"] >= 1000


def test_the_kills_hit_work_in_flight(figures: Figures) -> None:
    kills = figures["kills"]

    assert kills["counted"] >= KILLS
    assert kills["unknown"] + kills["transactional_twice"] > 0
    assert kills["unreached"] == []


def test_a_stopped_worker_posts_nothing_when_it_wakes(figures: Figures) -> None:
    kills = figures["kills"]["extra"]

    assert kills["held_asleep"] > 0
    assert kills["posted_when_awake"] == 0


def test_a_clean_stop_leaves_nothing_uncertain(figures: Figures) -> None:
    rolling = figures["rolling"]

    assert (rolling["unknown"], rolling["transactional_twice"]) == (0, 0)
    assert rolling["recovery"] <= 15


def test_messages_are_accepted_while_the_broker_is_away(figures: Figures) -> None:
    broker = figures["broker"]

    assert broker["extra"]["accepted_without_broker"] > 0
    assert (broker["unknown"], broker["transactional_twice"]) == (0, 0)


@pytest.mark.parametrize("scenario", ["postgres", "broker"])
def test_sending_goes_on_soon_after_an_outage(figures: Figures, scenario: str) -> None:
    assert figures[scenario]["recovery"] <= 10

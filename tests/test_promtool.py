"""Prometheus' own tool judges what is written for Prometheus: rules, the dashboard's expressions, and ``/metrics``."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.test import Client, override_settings

from signalize_console.deliveries import latencies
from signalize_console.deliveries.latencies import LatencyKind
from tests.programs import require
from tests.test_watching import RULES, panels
from tests.web import ROOT

CASES = ROOT / "tests/alerts_test.yaml"
# What Grafana puts in its place is at least four times the interval of scraping.
INTERVAL = "$__rate_interval"
# A little of a rule made other, which its cases must notice.
CHANGED = {
    "SignalizeTransactionalLate": ("> 10\n", "> 11\n"),
    "SignalizeRefused": ("[20m]", "[5m]"),
    "SignalizeThrottled": ("for: 6h", "for: 5h"),
    "SignalizePushServiceAlert": ('kind!="throttled"', 'kind!="other"'),
    "SignalizePostsSlow": ("(0.95,", "(0.5,"),
    "SignalizeReadingStands": ("[10m])) == 0", "[10m])) < 0"),
    "SignalizeSecretKeysDiffer": ("signalize_secret_keys > 1", "signalize_secret_keys > 2"),
}


def promtool(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    require("promtool")
    return subprocess.run(
        ["promtool", *arguments], cwd=ROOT, input=given, capture_output=True, text=True, check=False
    )


def test_the_rules_are_understood() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "deploy/alerts.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    cases = [case for one in yaml.safe_load(CASES.read_text())["tests"] for case in one["alert_rule_test"]]
    for fires in (True, False):
        shown = {case["alertname"] for case in cases if bool(case.get("exp_alerts")) == fires}
        assert shown == {rule["alert"] for rule in RULES}

    done = promtool("test", "rules", CASES)

    assert done.returncode == 0, done.stdout + done.stderr


def test_other_rules_would_be_noticed(tmp_path: Path) -> None:
    rules = (ROOT / "deploy/alerts.yaml").read_text()
    for ours, other in CHANGED.values():
        assert ours in rules
        rules = rules.replace(ours, other)
    (tmp_path / "alerts.yaml").write_text(rules)
    (tmp_path / "test.yaml").write_text(CASES.read_text().replace("../deploy/alerts.yaml", "alerts.yaml"))
    done = promtool("test", "rules", tmp_path / "test.yaml")
    assert done.returncode == 1
    assert set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr)) == set(CHANGED)


def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    """As a rule each, since promtool has no other way to ask."""
    expressions = [target["expr"] for one in panels() for target in one["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": text.replace(INTERVAL, "1m")}
        for number, text in enumerate(expressions)
    ]
    file = tmp_path / "dashboard.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(expressions)} rules found" in done.stdout


@pytest.mark.django_db(transaction=True)
def test_prometheus_reads_what_metrics_gives() -> None:
    for kind in LatencyKind:
        latencies.stopwatch.note(kind, 0.1, transactional=True, push_service="fcm")
    latencies.stopwatch.add()
    with override_settings(METRICS_TOKEN="watch"):
        text = Client().get("/metrics", headers={"authorization": "Bearer watch"}).content.decode()
    assert "signalize_post_seconds_bucket" in text
    done = promtool("check", "metrics", given=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

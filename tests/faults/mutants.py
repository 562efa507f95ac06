"""``make mutants``: breaks each promise of the engine in a copy of the code, and shows the test that sees it.

Ends with 1 if one is seen by no test, or if a change doesn't fit the code any more.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import report

ROOT = Path(__file__).resolve().parent.parent.parent
D, W = "signalize_console/deliveries", "signalize_console/webpush"
ENGINE, RACES = "tests/deliveries/test_engine.py", "tests/deliveries/test_races.py"


class Mutant(NamedTuple):
    """``old`` stands in ``file`` exactly once; ``tests`` are those that should fail."""

    name: str
    file: str
    old: str
    new: str
    tests: str


MUTANTS = [
    Mutant(
        "drop the fence",
        f"{D}/ledger.py",
        "      AND delivery.state || '' = 'sending' AND delivery.attempts = result.attempts\n",
        "      AND delivery.state || '' = 'sending'\n",
        RACES,
    ),
    Mutant(
        "drop the commit of the claim",
        f"{D}/ledger.py",
        '    with connection.cursor() as cursor:\n        cursor.execute(\n            ";".join',
        "    connection.commit() if not connection.get_autocommit() else connection.set_autocommit(False)\n"
        '    with connection.cursor() as cursor:\n        cursor.execute(\n            ";".join',
        RACES,
    ),
    Mutant(
        "record before posting",
        f"{D}/dispatch.py",
        "                self.wire.submit(request)\n",
        '                self._keep(Result(delivery, "accepted", "accepted", status=201))\n'
        "                self.wire.submit(request)\n",
        ENGINE,
    ),
    Mutant(
        "a checkpoint at fetch",
        f"{D}/ledger.py",
        "SET state = 'sending', attempts = delivery.attempts + 1,\n    lease_until = now() + make_interval(secs => %s)",
        "SET state = 'accepted', attempts = delivery.attempts + 1, answered_at = now(),\n"
        "    due_at = now() + make_interval(secs => 0 * %s)",
        ENGINE,
    ),
    Mutant("a lease of 0 seconds", f"{D}/ledger.py", "LEASE_SECONDS = 30\n", "LEASE_SECONDS = 0\n", ENGINE),
    Mutant(
        "no FOR UPDATE SKIP LOCKED",
        f"{D}/ledger.py",
        "        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED\n    ) waiting LIMIT %s",
        "        ORDER BY due_at LIMIT %s\n    ) waiting LIMIT %s",
        RACES,
    ),
    Mutant(
        "delete on 403",
        f"{W}/outcomes.py",
        'Row("", 403, r"", O.CONFIGURATION, "forbidden")',
        'Row("", 403, r"", O.GONE, "forbidden")',
        "tests/deliveries/test_answers.py",
    ),
    Mutant(
        "follow redirects",
        f"{W}/transport.py",
        "pycurl.FOLLOWLOCATION: False",
        "pycurl.FOLLOWLOCATION: True",
        "tests/webpush/test_transport.py::test_it_follows_no_redirect",
    ),
    Mutant(
        "post twice on a reused connection",
        f"{W}/transport.py",
        "        if self.begun or self.late:\n",
        "        if self.late:\n",
        "tests/webpush/test_transport.py::test_a_connection_closed_after_the_request_is_not_posted_twice",
    ),
    Mutant(
        "skip the expiry check at the claim",
        f"{D}/ledger.py",
        "          AND valid_until > now(){only}\n",
        "          {only}\n",
        "tests/deliveries/test_faults.py",
    ),
    Mutant(
        "skip the expiry check at the post",
        f"{D}/sending.py",
        "deadline=claimed_at + min(HAND_OVER_SECONDS, delivery.seconds_left)",
        "deadline=claimed_at + HAND_OVER_SECONDS",
        "tests/deliveries/test_faults.py",
    ),
    Mutant(
        "post after the lease",
        f"{D}/sending.py",
        "deadline=claimed_at + min(HAND_OVER_SECONDS, delivery.seconds_left)",
        "deadline=claimed_at + delivery.seconds_left",
        "tests/deliveries/test_faults.py",
    ),
    Mutant(
        "== for a report's token",
        f"{D}/tokens.py",
        "not hmac.compare_digest(mac, _mac(named))",
        "mac != _mac(named)",
        "tests/test_secrets.py",
    ),
    Mutant(
        "== for an auth secret",
        "signalize_console/recipients/subscribing.py",
        'hmac.compare_digest(subscription.auth.encode(), auth.rstrip("=").encode())',
        'subscription.auth == auth.rstrip("=")',
        "tests/test_secrets.py",
    ),
    Mutant(
        "== for an API key",
        "signalize_console/api/authentication.py",
        "not hmac.compare_digest(bytes(row[0]), given)",
        "bytes(row[0]) != given",
        "tests/test_secrets.py",
    ),
    Mutant(
        "no fingerprint",
        f"{D}/idempotency.py",
        "    if bytes(fingerprint) != digest:\n",
        "    if not digest:\n",
        "tests/deliveries/test_outbox.py",
    ),
    Mutant(
        "synchronous_commit = off",
        f"{D}/durability.py",
        "('synchronous_commit', 'fsync', 'full_page_writes')",
        "('fsync', 'full_page_writes')",
        "tests/deliveries/test_workers.py::test_a_worker_refuses_a_database_that_may_forget",
    ),
    Mutant(
        "a restored copy sends",
        f"{D}/dispatch.py",
        "claiming = claiming and self._may_send()",
        "claiming = bool(claiming)",
        "tests/deliveries/test_installation.py",
    ),
    Mutant(
        "marketing of a restored copy goes on by itself",
        f"{D}/installation.py",
        "        cursor.execute(PAUSE)\n",
        "",
        "tests/deliveries/test_installation.py",
    ),
    Mutant(
        "retry ignores Retry-After",
        f"{W}/outcomes.py",
        "wait = retry_after(asked) if asked else None",
        "wait = None",
        "tests/webpush/test_outcomes.py",
    ),
    Mutant(
        "no jitter",
        f"{D}/sending.py",
        "return random.uniform(1.0, longest)  #",
        "return longest  #",
        "tests/deliveries/test_lanes.py",
    ),
    Mutant(
        "urlsplit for the host check",
        f"{W}/push_services.py",
        "        match = ENDPOINT.fullmatch(url)\n        if not match:\n",
        "        from urllib.parse import urlsplit\n\n        parts = urlsplit(url)\n"
        '        match = {"host": parts.hostname or "", "port": parts.port}\n'
        '        if parts.scheme != "https":\n',
        "tests/webpush/test_push_services.py",
    ),
    Mutant(
        "a lock in what tells the workers to stop",
        f"{D}/tasks.py",
        'stopping = multiprocessing.RawValue("b", 0)',
        'stopping = multiprocessing.Value("b", 0)',
        "tests/deliveries/test_tasks.py",
    ),
    Mutant(
        "read no answers while the database is away",
        f"{D}/dispatch.py",
        "            self._listen(LOOK_AGAIN)\n",
        "            time.sleep(LOOK_AGAIN)\n",
        "tests/deliveries/test_faults.py",
    ),
    Mutant(
        "settle beside an alert that ends",
        f"{D}/progress.py",
        "        cursor.execute(LOCK_STOPS)\n",
        "",
        RACES,
    ),
]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        copy = Path(directory)
        copy.chmod(0o755)
        copy_tree(copy)
        wanted = [
            one for one in MUTANTS if not sys.argv[1:] or any(word in one.name for word in sys.argv[1:])
        ]
        if said := failing(copy, sorted({one.tests for one in wanted})):
            print(f"The tests fail without a mutant already: {said}")
            return 1
        rows = []
        for mutant in wanted:
            print(f"  {mutant.name} …", flush=True)
            rows.append([mutant.name, seen_by(copy, mutant)])
    report.table(["mutant", "seen by"], [[name, test or "NOBODY"] for name, test in rows])
    return int(not all(test for _name, test in rows))


def copy_tree(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def seen_by(copy: Path, mutant: Mutant) -> str:
    """The first test that fails; "" if none does, or if the change doesn't fit."""
    place = copy / mutant.file
    whole = place.read_text()
    if whole.count(mutant.old) != 1:
        print(f"    doesn't fit {mutant.file} any more")
        return ""
    try:
        place.write_text(whole.replace(mutant.old, mutant.new))
        return failing(copy, [mutant.tests])
    finally:
        place.write_text(whole)


def failing(copy: Path, tests: list[str]) -> str:
    """The first of these tests that fails, or "". Raises where they can't run at all."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != 1 or not found:
        raise SystemExit(f"{tests} can't run:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return found[1]


if __name__ == "__main__":
    sys.exit(main())

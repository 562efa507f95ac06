"""The drill: back up while there is work, restore beside it, let real workers run there, and let it go."""

import datetime
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from signalize_console.deliveries import erasing, erasure_log, installation
from signalize_console.deliveries.backups import Backup
from signalize_console.deliveries.dispatch import Dispatch
from signalize_console.deliveries.erasure_log import path
from signalize_console.deliveries.models import Delivery
from signalize_console.embedded import backing_up
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import CARELESS, EmbeddedPostgres
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.deliveries.conftest import Subscribe
from tests.deliveries.test_engine import send_to
from tests.programs import lacking
from tests.web import ROOT, database_url

SEND = """
import django; django.setup()
from signalize_console.deliveries.dispatch import Dispatch
print(Dispatch(transactional=True).run(seconds=5) + Dispatch(transactional=False).run(seconds=5))
"""


class Copy:
    """An empty database beside the tests', and what is run on it in processes of their own."""

    def __init__(self, home: Path, double: PushServiceDouble, beside: str) -> None:
        self.home = home
        self.url = urlsplit(beside)._replace(path="/restored").geturl()
        assert self.url != beside
        self.env = {
            **os.environ,
            "DATABASE_URL": self.url,
            "SIGNALIZE_HOME": str(home),
            "SIGNALIZE_KEY_ENCRYPTION_KEY": (Path(os.environ["SIGNALIZE_HOME"]) / "key_encryption_key").read_text(),
            "SIGNALIZE_PUSH_SERVICES": double.push_services,
            "SIGNALIZE_PUSH_SERVICES_CA": str(double.ca_file),
            "DJANGO_SETTINGS_MODULE": "signalize_console.settings",
        }  # fmt: skip

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *argv], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )

    def manage(self, *words: object) -> str:
        done = self.run("manage.py", *map(str, words))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as copied:
            return copied.execute(sql).fetchall()

    def sent(self) -> tuple[int, str]:
        """How many a worker posted, and what it logged."""
        done = self.run("-c", SEND)
        assert done.returncode == 0, done.stderr
        return int(done.stdout), done.stderr


@pytest.fixture
def copy(transactional_db: None, tmp_path: Path, double: PushServiceDouble) -> Iterator[Copy]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE restored")
    yield Copy(tmp_path / "home", double, database_url())
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE restored (FORCE)")


def backup(to: Path) -> Path:
    """As an operator does it, on the tests' own database."""
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", str(to)],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": database_url()},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def test_the_drill(
    copy: Copy,
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    settings: Settings,
    tmp_path: Path,
) -> None:
    installation.send_from_here("tests")
    gone, stays = subscribe(), subscribe()
    for subscription in (gone, stays):
        send_to(subscription, website)
        send_to(subscription, website, transactional=False)
    (settings.HOME.media / "rose.png").write_bytes(b"rose")
    assert not Backup.objects.exists()
    made = backup(tmp_path / "backups")
    assert Backup.objects.exists()
    assert [oct(file.stat().st_mode)[-3:] for file in sorted(made.iterdir())] == ["600", "600"]
    assert os.environ["SIGNALIZE_HOME"] not in (made / "database.dump").read_bytes().decode(errors="replace")

    # The original goes on: everything is sent, somebody is erased, and comes back.
    for transactional in (True, False):
        Dispatch(transactional).run(seconds=10)
    assert double.requests == 4
    erasing.erase(gone.recipient)
    Recipient.objects.create(website=website, client_id=gone.recipient.client_id)

    said = copy.manage("restore", made, "--erasures", path())

    assert "1 recipients were erased again." in said
    assert "manage.py send_from_here" in said
    assert copy.ask("SELECT id FROM recipients_recipient") == [(stays.recipient_id,)]
    assert (copy.home / "media" / "rose.png").read_bytes() == b"rose"
    assert copy.manage("replay_erasures", path()) == "0 recipients were erased again.\n"
    posted, log = copy.sent()
    assert (posted, double.requests) == (0, 4)
    assert "restored or copied" in log
    assert set(copy.ask("SELECT state, attempts FROM deliveries_delivery")) == {("pending", 0)}
    assert "invariants hold" in copy.manage("verify_ledger")

    copy.manage("send_from_here")

    posted, log = copy.sent()
    # The erased one's is cancelled; marketing, that the original has sent, waits for a person.
    assert (posted, double.requests) == (1, 5)
    assert double.received[-1].endpoint == stays.endpoint
    assert set(
        copy.ask("SELECT state, paused_because FROM messaging_pushmessage WHERE NOT transactional")
    ) == {("paused", "restored")}
    assert "invariants hold" in copy.manage("verify_ledger")
    again = copy.run("manage.py", "restore", str(made))
    assert again.returncode == 1
    assert "isn't empty" in again.stderr
    assert Delivery.objects.count() == 4


def test_whoever_agreed_anew_after_the_erasure_stays(website: Website, subscribe: Subscribe) -> None:
    erased = subscribe().recipient
    erasing.erase(erased)
    back = Recipient.objects.create(website=website, client_id=erased.client_id)

    assert erasing.replay(erasure_log.read(path())) == 0
    Recipient.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    assert erasing.replay(erasure_log.read(path())) == 1
    assert not Recipient.objects.filter(pk=back.pk).exists()


def test_the_record_names_nobody_and_is_only_ours(website: Website, subscribe: Subscribe) -> None:
    recipient = subscribe().recipient
    before = path().read_text() if path().exists() else ""
    erasing.erase(recipient)
    written = path().read_text().removeprefix(before)
    assert written.count("\n") == 1
    assert recipient.client_id not in written
    assert path().stat().st_mode & 0o077 == 0


def test_an_unwritable_record_stops_no_erasure(
    website: Website,
    subscribe: Subscribe,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.ERASURES = "/dev/null/erasures.log"
    erasing.erase(subscribe().recipient)
    assert not Recipient.objects.exists()
    assert "SIGNALIZE_ERASURES" in caplog.text


HALF = """
import resource, sys
import django; django.setup()
from signalize_console.deliveries import erasure_log
from signalize_console.recipients.models import Recipient
one = Recipient(website_id=1, client_id="0" * 32)
erasure_log.note(one)
full = erasure_log.path().stat().st_size + 30
_soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (full, hard))
erasure_log.note(one)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
erasure_log.note(one)
"""


def test_a_full_disk_is_told_and_spoils_no_other_record(tmp_path: Path) -> None:
    log = tmp_path / "erasures.log"
    env = {
        **os.environ,
        "SIGNALIZE_ERASURES": str(log),
        "DJANGO_SETTINGS_MODULE": "signalize_console.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", HALF], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stderr.count("can't be written (No space left on device)") == 1
    first, half, last = log.read_text().splitlines()
    assert len(half) == 30
    for whole in (first, last):
        (tmp_path / "one").write_text(f"{whole}\n")
        assert len(list(erasure_log.read(tmp_path / "one"))) == 1


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A server older than the programs that come with the console."""
    binaries = [
        place for place in Path("/usr/lib/postgresql").glob("1[456]/bin") if (place / "postgres").exists()
    ]
    if not binaries:
        lacking("needs PostgreSQL 14, 15 or 16. On Debian 12: apt-get install postgresql")
    directory = Path(tempfile.mkdtemp(prefix="signalize-older-"))
    directory.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("SIGNALIZE_PG_BIN", str(binaries[0]))
        server = EmbeddedPostgres(Home(directory), settings=CARELESS).start()
    yield server.home
    server.stop()
    shutil.rmtree(directory)


@pytest.mark.timeout(180)
def test_a_server_that_is_older_than_our_programs_gets_its_backup_back(
    older: Home, double: PushServiceDouble, tmp_path: Path
) -> None:
    copy = Copy(tmp_path / "home", double, older.database_url)
    original = {**copy.env, "DATABASE_URL": older.database_url}
    for words in (["migrate", "--verbosity=0"], ["backup", str(tmp_path / "backups")]):
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=original, check=True)
    with psycopg.connect(older.database_url, autocommit=True) as server:
        assert server.info.server_version < 170_000
        server.execute("CREATE DATABASE restored")

    (made,) = (tmp_path / "backups").iterdir()
    copy.manage("restore", made)

    assert "invariants hold" in copy.manage("verify_ledger")
    again = copy.run("manage.py", "restore", str(made))
    assert "isn't empty" in again.stderr


def test_of_an_archive_only_files_below_media_are_taken(settings: Settings, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "media.tar", "w") as archive:
        for name in ("media/rose.png", "media/../../evil", "/evil", "evil"):
            archive.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("media/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    backing_up.unpack(tmp_path / "media.tar", tmp_path / "home" / "media")

    taken = [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if not one.is_dir()]
    assert sorted(taken) == ["home/media/rose.png", "media.tar"]


@pytest.mark.parametrize(
    ("word", "said"),
    [("nothing", "no backup"), ("broken", "pg_restore failed"), ("cut", "pg_restore failed")],
)
def test_what_is_no_backup_is_refused_in_words(copy: Copy, tmp_path: Path, word: str, said: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "database.dump").write_text("no dump")
    if word == "cut":
        whole = (backup(tmp_path) / "database.dump").read_bytes()
        (tmp_path / "cut").mkdir()
        (tmp_path / "cut" / "database.dump").write_bytes(whole[: len(whole) * 9 // 10])
    done = copy.run("manage.py", "restore", str(tmp_path / word))
    assert done.returncode == 1
    assert said in done.stderr
    assert copy.ask("SELECT count(*) FROM pg_class WHERE relname = 'django_migrations'") == [(0,)]


def test_a_broken_record_is_refused_in_words(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "erasures.log").write_text("who knows\n")
    copy.manage("migrate", "--verbosity=0")
    done = copy.run("manage.py", "replay_erasures", str(tmp_path / "erasures.log"))
    assert done.returncode == 1
    assert "line 1" in done.stderr

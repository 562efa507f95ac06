"""What a migration may do while the console runs, and the code before it goes on running on what it made.

Read in the SQL that it comes to, so that RunSQL is judged as AddField is. What can't be read (RunPython) is refused, unless
it is among the exceptions with the reason.
"""

import re
from typing import NamedTuple

from django.db.migrations import Migration, RunPython, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

# The last migrations of each app that the first release comes with: nobody has run a console in between.
BASELINE = {
    "activity": "0005_horizon",
    "api": "0002_api",
    "audiences": "0002_lists",
    "automations": "0003_winners",
    "console": "0002_audit_forgetting",
    "deliveries": "0009_installation",
    "messaging": "0009_variants",
    "recipients": "0007_export_permission",
    "webhooks": "0001_initial",
    "websites": "0006_imports",
}
# Those that may do what the rules refuse, each with the reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}
# What stays small, whatever the audience: rewritten or scanned in no time. Any other table is taken for large.
SMALL = re.compile(
    r"(auth|django|axes|otp|websites|console)_\w+|api_apikey|audiences_segment|automations_rule(version)?"
    r"|deliveries_(alert|heartbeat|installation)|activity_(cursor|horizon)|messaging_(messagetemplate|templatetext)"
    r"|webhooks_webhookendpoint|recipients_import"
)


# An index that exists already is skipped, or dropped and made anew; Django drops one IF EXISTS.
REPEATABLE = re.compile("AddIndexToPartitions|RemoveIndex|RemoveIndexConcurrently|ValidateConstraint")


class Rule(NamedTuple):
    """Refuses what matches; on a small table only if ``always``."""

    pattern: str
    always: bool
    why: str


GONE = "the code before it still reads and writes it. First let the code do without; it can go in the release after"
SLOW = "it reads the whole table, and all who write wait"
RULES = [
    Rule(r"DROP TABLE", True, GONE),
    Rule(r"(DROP COLUMN|RENAME (COLUMN|TO|\"))", True, GONE),
    Rule(r"ADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL", True,
         "the code before it doesn't fill it: give it a db_default, or allow NULL"),
    Rule(r"ADD COLUMN .*\bDEFAULT (?!\(?('|\d|-\d|true|false|NULL|STATEMENT_TIMESTAMP\(\)|now\(\)|ARRAY\[\]))", False,
         "a default that differs from row to row rewrites the table: add it with NULL, and fill it in chunks"),
    Rule(r"ADD COLUMN .*\bGENERATED .*STORED", False, "it rewrites the table"),
    Rule(r"ADD COLUMN .*\b(UNIQUE|REFERENCES|CONSTRAINT)\b", False, f"{SLOW}; add it by itself, CONCURRENTLY or NOT VALID"),
    Rule(r"ALTER COLUMN \S+ (SET DATA )?TYPE", True, "it rewrites the table, and the code before it has the old type"),
    Rule(r"ALTER COLUMN \S+ SET NOT NULL", True, f"the code before it may leave it empty; and {SLOW}"),
    Rule(r"ALTER COLUMN \S+ DROP DEFAULT", True, "the code before it relies on it"),
    Rule(r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY|\S+ ON ONLY)", False,
         f"{SLOW}: AddIndexConcurrently, or AddIndexToPartitions, with atomic = False"),
    Rule(r"ADD CONSTRAINT (?!.*(NOT VALID|USING INDEX))", False,
         f"{SLOW}: AddConstraintNotValid, or a unique index CONCURRENTLY"),
    Rule(r"DROP CONSTRAINT|DROP INDEX .*\b(one_|uniq)", True,
         "ON CONFLICT of the code before it names what is unique"),
    Rule(r"^(UPDATE|DELETE FROM|INSERT INTO|TRUNCATE|LOCK)\b", False, "all of its rows at once: a command, in chunks"),
    Rule(r"CLUSTER|VACUUM FULL|REINDEX (?!.*CONCURRENTLY)", True, "nobody can read meanwhile"),
]  # fmt: skip


def after_baseline(loader: MigrationLoader) -> list[Migration]:
    """Our migrations that came after it, in the order in which they run."""
    known = [node for node in BASELINE.items() if node in loader.graph.nodes]
    before = {one for node in known for one in loader.graph.forwards_plan(node)}
    plan = loader.graph._generate_plan(loader.graph.leaf_nodes(), True)
    return [loader.graph.nodes[key] for key in plan if key not in before and key[0] in BASELINE]


def complaints(migration: Migration, loader: MigrationLoader) -> list[str]:
    """Why this migration may not run beside a console, in words; empty where it may."""
    found = [
        "what Python does can't be read: is it quick, does it lock little, can the code before it live with it?"
        for operation in _flat(migration.operations)
        if isinstance(operation, RunPython)
    ]
    if not migration.atomic:
        found += [
            f"{type(operation).__name__} can't be repeated after it was interrupted, and the migration isn't atomic"
            for operation in _flat(migration.operations)
            if not REPEATABLE.fullmatch(type(operation).__name__)
        ]
    return found + judged(loader.collect_sql([(migration, False)]))


def _flat(operations: list[Operation]) -> list[Operation]:
    inner = [
        _flat(one.database_operations) if isinstance(one, SeparateDatabaseAndState) else [one]
        for one in operations
    ]
    return [one for some in inner for one in some]


def judged(statements: list[str]) -> list[str]:
    """What the rules have against these statements of one migration."""
    sql = [one.strip() for one in statements if not one.strip().startswith("--")]
    created = {name for one in sql for name in re.findall(r'CREATE TABLE "?(\w+)', one)}
    found = []
    for one in sql:
        table = _table(one)
        for rule in RULES:
            is_meant = rule.always or not SMALL.fullmatch(table)
            if table not in created and is_meant and re.search(rule.pattern, one, re.IGNORECASE):
                found.append(f"{one[:150]}: {rule.why}.")
    return found


TABLE = re.compile(
    r'(?:TABLE|UPDATE|INTO|FROM|TRUNCATE)(?: IF EXISTS)?(?: ONLY)? "?(\w+)|^CREATE .*? ON (?:ONLY )?"?(\w+)',
    re.IGNORECASE,
)


def _table(statement: str) -> str:
    found = TABLE.search(statement)
    return (found[1] or found[2]) if found else ""

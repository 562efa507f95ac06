# Signalize Console. `make` alone lists what there is.
SHELL := /bin/bash
PYTHON := .venv/bin/python
# So many tests run at once, each on servers of its own.
TEST_WORKERS ?= 2

.PHONY: help run test check messages bench-send bench-latency bench-scale bench-scale-out bench-claims bench-beacons bench-segments bench-api bench-admin bench-automations bench-import test-integrations fuzz faults outages upgrades containers mutants format bench-retention bench-sizes bench-soak lock sbom audit
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/console ## start everything on this machine: PostgreSQL, Valkey, web, workers, beat
	@exec $(PYTHON) manage.py runconsole

test: .venv/tests ## run every test, on real servers and, where they are installed, in real browsers
	@$(PYTHON) -m pytest -q -rs -n $(TEST_WORKERS) --dist loadfile

check: .venv/tests ## format, lint, types, import contracts, Django's checks, migrations, templates
	@bash tests/check

format: .venv/tests ## put the code into its form
	@$(PYTHON) -m ruff check --fix -q . ; $(PYTHON) -m ruff format .

messages: .venv/tests ## put new texts into the German catalogue, compile it, and list what is to be translated
	@$(PYTHON) -m tests.messages

bench-send: .venv/tests ## 20,000 deliveries beside a pywebpush loop and Node's web-push
	@$(PYTHON) -m tests.benchmarks.send

bench-beacons: .venv/tests ## shown and clicked reports while a message is being sent, and a flood
	@$(PYTHON) -m tests.benchmarks.beacons

bench-latency: .venv/tests ## from a REST call to the POST at the push service, with and without a broker
	@$(PYTHON) -m tests.benchmarks.latency

bench-scale: .venv/tests ## one message to a million, with transactional messages meanwhile (SCALE=100000 for fewer)
	@$(PYTHON) -m tests.benchmarks.scale

bench-scale-out: .venv/tests ## one, two and four worker processes over one database
	@$(PYTHON) -m tests.benchmarks.scale_out

bench-soak: .venv/tests ## half an hour at 30 % load: memory, and how quick claiming is (MINUTES=5 for less)
	@$(PYTHON) -m tests.benchmarks.soak

bench-claims: .venv/tests ## the ledger alone: claiming in one step beside two
	@$(PYTHON) -m tests.benchmarks.claims

faults: .venv/tests ## 1,000 kills and every other fault, with what was lost (FAULTS_KILLS=200 for fewer)
	@$(PYTHON) -m tests.faults --kills $${FAULTS_KILLS:-1000}

outages: .venv/tests ## as on several machines, each part restarted in turn; over Valkey, then over RabbitMQ and PgBouncer (OUTAGES_DELIVERIES=20000 for fewer)
	@for broker in valkey rabbitmq; do $(PYTHON) -m tests.faults.spread $$broker --deliveries $${OUTAGES_DELIVERIES:-200000} || exit 1; done

upgrades: .venv/tests ## from the release before to this code while all of it works, a million rows of each kind (SCALE=20000 for fewer)
	@$(PYTHON) -m tests.upgrades

containers: ## builds the image, starts compose.yaml, and brings a backup of it back (needs Docker with Compose)
	@tests/containers

mutants: .venv/tests ## breaks each promise of the engine in a copy, and shows the test that sees it
	@$(PYTHON) -m tests.faults.mutants

bench-api: .venv/tests ## how fast the API accepts, beside a view that only inserts one row (wrk)
	@$(PYTHON) -m tests.benchmarks.api

bench-admin: .venv/tests ## every page of the console with 1M recipients and 10M deliveries behind it (SCALE=100000 for a tenth)
	@$(PYTHON) -m tests.benchmarks.admin

bench-retention: .venv/tests ## 10M deliveries over twelve months: letting go of one, ingest beside it, reports (SCALE=100000 for fewer)
	@$(PYTHON) -m tests.benchmarks.retention

bench-sizes: .venv/tests ## bytes, write-ahead log and time of cores that a recipient, a delivery and a report take (SCALE=20000 for fewer)
	@$(PYTHON) -m tests.benchmarks.sizes

fuzz: .venv/tests ## some 100,000 schemathesis cases, and 50 rounds of 200 twins, against the running web (hours)
	@$(PYTHON) -m tests.api.fuzz

bench-segments: .venv/tests ## a million recipients: counting, sampling and expanding segments
	@$(PYTHON) -m tests.benchmarks.segments

bench-automations: .venv/tests ## 1,000 events a second through 20 rules, beside a million waiting runs (SCALE=0.02 for less)
	@$(PYTHON) -m tests.benchmarks.automations

bench-import: .venv/tests ## a million subscriptions move in: rate, memory, and taking them back (SCALE=100000 for fewer)
	@$(PYTHON) -m tests.benchmarks.imports

test-integrations: .venv/tests integrations/zapier/node_modules ## the Zapier app, the clients and every example, against the running web
	@$(PYTHON) -m pytest -q -rs tests/integrations tests/docs

integrations/zapier/node_modules: integrations/zapier/package-lock.json
	@cd integrations/zapier && npm ci --no-audit --no-fund --silent && touch node_modules

lock: .venv/supply ## write requirements.lock anew: every package with its hashes, in the versions that are installed here
	@$(PYTHON) -m pip freeze --disable-pip-version-check | grep == > .venv/supply/installed
	@.venv/supply/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		-c .venv/supply/installed requirements.txt -o .venv/supply/lock
	@{ echo '# Every package with its hashes, made by `make lock` from requirements.txt: pip install --require-hashes -r requirements.lock'; \
		cat .venv/supply/lock; } > requirements.lock

sbom: .venv/supply ## write var/sbom.cdx.json, what the console is made of (CycloneDX)
	@mkdir -p var && .venv/supply/bin/cyclonedx-py requirements --output-reproducible --of JSON -o var/sbom.cdx.json requirements.lock
	@echo "var/sbom.cdx.json"

audit: .venv/supply ## ask PyPI for known vulnerabilities of what is in requirements.lock (needs the internet)
	@tests/audit .venv/supply/bin

.venv/supply: tests/requirements-supply.txt | .venv/bin/python
	@$(PYTHON) -m venv .venv/supply
	@.venv/supply/bin/pip install --quiet --disable-pip-version-check -r tests/requirements-supply.txt
	@touch $@

.venv/bin/python:
	@tests/make_venv

.venv/console: requirements.lock | .venv/bin/python
	@echo "Installing what the console needs into .venv (once) …"
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/tests: tests/requirements.txt tests/requirements-no-deps.txt requirements.txt | .venv/bin/python
	@echo "Installing what the tests need into .venv (once) …"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps -r tests/requirements-no-deps.txt
	@touch $@ .venv/console

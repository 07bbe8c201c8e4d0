# make run    the whole product on this machine; Ctrl-C stops it
# make setup  .venv with the pinned requirements, ready for `.venv/bin/python manage.py ...`
# make check  the fast checks, for every commit: lint, types, migrations, quick tests
# make test   all tests but the long proofs, browser tests included
# make test-long  the long proofs as well
# make bench  load N results (N=10000,1000000 for two sizes) and measure beside a bare Django project
# make bench-reviewers  how long the decisions of eight busy reviewers wait until Mixpeek has them
# make bench-browser  N results (N=100000): how long from the key that submits to the next item painted
# make drill  N people's submits (N=10000 CLIENTS=50 SEED=1) while everything is killed and cut: is a word lost?
# make drill ABUSE=1 CLIENTS=10  the same beside one abusive client: are the others still answered within a second?
# make lock   pin the requirements anew from pyproject.toml
# make messages  collect the sentences to translate into var/django.pot
# make clean  remove what was installed and built here; the data in var/ stays
#
# Paths are relative throughout, because make splits absolute ones at spaces.

PY = .venv/bin/python
BROWSERS = chromium-headless-shell chromium chromium-browser google-chrome
PIP = $(PY) -m pip install --quiet --quiet --disable-pip-version-check --root-user-action=ignore
LOCK = $(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links -q --custom-compile-command "make lock"

# What was compiled is kept: else each of a hundred processes compiles the product and every test anew.
unexport PYTHONDONTWRITEBYTECODE

# The two parts of `make test` run at the same time, and both wait much of it.
PYTEST = $(PY) -m pytest -n 4 --dist worksteal
PYTEST_BROWSER = $(PY) -m pytest -n 3 --dist worksteal tests/browser

.PHONY: run setup dev browser check test test-long lint types migrations fast-tests tests browser-tests long-tests \
	long-browser-tests compiled bench bench-browser bench-reviewers drill lock messages clean
.DEFAULT_GOAL := run

run: setup
	@exec $(PY) -m tools.launch

# A copy of the installed requirements tells whether they changed; time stamps do not survive a checkout.
setup: $(PY)
	@cmp -s requirements.txt .venv/installed.txt || { echo "Installing the requirements ..." && \
		$(PIP) -r requirements.txt && cp requirements.txt .venv/installed.txt; }

dev: setup
	@cmp -s requirements-dev.txt .venv/installed-dev.txt || { echo "Installing the development requirements ..." && \
		$(PIP) -r requirements-dev.txt && cp requirements-dev.txt .venv/installed-dev.txt; }

$(PY):
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "Making .venv with $$python ..."; \
		"$$python" -m venv .venv && exit 0; \
		rm -rf .venv; \
		echo "$$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; \
	done; \
	echo "Python 3.11 or later is needed and none was found. Install it, or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1

# Debian's headless shell, which needs half the time of a whole browser and which root can install; else the browser that
# is there, else Debian's, else Playwright's own.
browser: dev
	@is_there() { for name in "$$@"; do "$$name" --version >/dev/null 2>&1 && return 0; done; return 1; }; \
	install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$$1" >/dev/null 2>&1 && is_there "$$1"; }; \
	is_there $(word 1,$(BROWSERS)) && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing a browser for the tests ..."; \
		apt-get update -qq; \
		install chromium-headless-shell && exit 0; \
		is_there $(BROWSERS) || install chromium && exit 0; \
	fi; \
	is_there $(BROWSERS) && exit 0; \
	ls .venv/browser-installed >/dev/null 2>&1 && exit 0; \
	echo "Installing Playwright's Chromium ..."; \
	$(PY) -m playwright install chromium && touch .venv/browser-installed

# Every part runs, also when one before it failed; then the whole fails. What needs one core runs beside compiling the
# tests, which else each of their processes would do at the same time.
define run_all
failed=0; \
$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync lint types migrations compiled || failed=1; \
$(MAKE) --no-print-directory --keep-going --jobs=2 $(1) || failed=1; \
exit $$failed
endef

check: dev
	@$(call run_all,fast-tests)

test: dev browser
	@$(call run_all,tests browser-tests)

test-long: dev browser
	@$(call run_all,long-tests long-browser-tests)

lint:
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types:
	$(PY) -m mypy

migrations:
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check

# The tests themselves say what is wrong with one that cannot be read.
compiled:
	@$(PY) -m pytest --collect-only --quiet >/dev/null || true

fast-tests:
	$(PYTEST) -m "not browser and not process and not slow and not long"

tests:
	$(PYTEST) -m "not browser and not long"

# By itself: Playwright's event loop gives its thread another connection to the database.
browser-tests:
	$(PYTEST_BROWSER) -m "browser and not long"

long-tests:
	LONG_TESTS=1 $(PYTEST) -m "not browser"

long-browser-tests:
	$(PYTEST_BROWSER) -m browser

bench: setup
	@$(PY) -m tools.bench $(or $(N),10000)

bench-browser: dev browser
	@$(PY) -m tools.bench.browser $(or $(N),100000)

bench-reviewers: setup
	@$(PY) -m tools.bench.reviewers

drill: setup
	@$(PY) -m tools.drill $(or $(N),10000) --clients $(or $(CLIENTS),50) --seed $(or $(SEED),1) $(if $(ABUSE),--abuse)

lock: $(PY)
	@$(PIP) uv
	$(LOCK) -o requirements.txt
	$(LOCK) -c requirements.txt --extra dev -o requirements-dev.txt

messages: dev
	@mkdir -p var
	$(PY) -m babel.messages.frontend extract --mapping=pyproject.toml --project=reviewapp \
		--keywords="gettext_lazy ngettext_lazy:1,2 pgettext_lazy:1c,2" --output=var/django.pot .

clean:
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis var/tests
	find reviewapp tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

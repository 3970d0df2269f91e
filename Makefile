# Two commands set up and run everything: `make demo` and `make test`. Both install into .venv first.

PYTHON ?= python3
BIN := .venv/bin
TRAINWRIGHT := $(BIN)/trainwright
SPEC := examples/tiny-cpu.yaml
RUN := runs/tiny-cpu

.PHONY: install demo test test-long lint format docs services bench clean

install: .venv/installed

# The main job on real text: one spec becomes a bundle, a trained model and an emissions table.
demo: .venv/installed
	$(TRAINWRIGHT) check $(SPEC)
	$(TRAINWRIGHT) estimate $(SPEC)
	$(TRAINWRIGHT) compile $(SPEC)
	$(TRAINWRIGHT) launch $(SPEC)
	$(TRAINWRIGHT) report $(RUN)
	rm -rf $(RUN)/huggingface
	$(TRAINWRIGHT) export $(RUN) --out $(RUN)/huggingface --prompt "def main("

test: lint
	$(BIN)/pytest -n 3 --dist worksteal -m "not slow"

# Soak, fuzz and fault campaigns: an hour or more.
test-long: .venv/installed
	$(BIN)/pytest -n 2 --dist worksteal

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The site, in site/; warnings are errors.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# What the service tests need, on Debian: a real Slurm, sshd and pdsh, a browser. Without it those tests say skipped.
services:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		slurm-wlm munge openssh-server openssh-client pdsh iproute2 chromium chromium-driver gcc libc6-dev libfaketime >/dev/null

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev,docs]'
	touch $@

clean:
	rm -rf .venv build runs site .pytest_cache .ruff_cache .hypothesis

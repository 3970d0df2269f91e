# Two commands set up and run everything: `make demo` and `make test`. Both install into .venv first.

PYTHON ?= python3
BIN := .venv/bin
DEVICE := .venv-device
AUDIT := .venv-audit
SITE := import sysconfig; print(sysconfig.get_path('purelib'))
TRAINWRIGHT := $(BIN)/trainwright
SPEC := examples/tiny-cpu.yaml
RUN := runs/tiny-cpu

.PHONY: install wheel demo test test-wheel test-offline test-long test-device device-env lint format audit docs services bench clean

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
	$(BIN)/pytest -n 3 --dist worksteal -m "not slow and not device"

# Soak, fuzz and fault campaigns: an hour or more.
test-long: .venv/installed
	$(BIN)/pytest -n 2 --dist worksteal -m "not device"

# A fresh environment with the wheel alone: what it answers, and what it says where a package is missing.
test-wheel: .venv/installed
	$(BIN)/pytest -n 0 tests/commands/test_base_install.py

# Without any network but loopback, in a network namespace of its own.
test-offline: .venv/installed
	unshare --map-root-user --net sh -c 'ip link set lo up && exec $(BIN)/pytest -n 3 --dist worksteal \
		-m "not slow and not device and not service"'

# The device path without a device: torch's CUDA build over a pretend CUDA (tests/fakes/cuda).
test-device: device-env
	DEVICE_TESTS=required $(BIN)/pytest -n 2 -m device tests/device

device-env: $(DEVICE)/installed

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Known vulnerabilities of what is pinned, from PyPI's advisories; a package that cannot be looked up is an error too.
audit: $(AUDIT)/installed
	$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements-base.txt
	$(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

$(AUDIT)/installed:
	$(PYTHON) -m venv --clear $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet pip-audit==2.10.1
	touch $@

# The site, in site/; warnings are errors.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# What the service tests need, on Debian: a real Slurm, sshd and pdsh, a browser. Without it those tests say skipped.
services:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		slurm-wlm slurmdbd mariadb-server munge openssh-server openssh-client pdsh iproute2 chromium chromium-driver gcc libc6-dev libfaketime >/dev/null

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev,docs]'
	touch $@

# .venv once more, with another torch before it. No NVIDIA package is installed but headers: the pretend CUDA stands for them.
$(DEVICE)/installed: .venv/installed constraints-device.txt
	$(PYTHON) -m venv --clear $(DEVICE)
	$(DEVICE)/bin/python -m pip install --quiet --no-deps --constraint constraints-device.txt torch
	$(DEVICE)/bin/python -m pip install --quiet --no-deps --constraint constraints-device.txt --target $(DEVICE)/headers \
		nvidia-cuda-runtime nvidia-cuda-crt
	echo "import site; site.addsitedir('$$($(BIN)/python -c "$(SITE)")')" > "$$($(DEVICE)/bin/python -c "$(SITE)")/venv.pth"
	sed '1s|.*|#!$(CURDIR)/$(DEVICE)/bin/python|' $(BIN)/trainwright > $(DEVICE)/bin/trainwright
	chmod +x $(DEVICE)/bin/trainwright
	touch $@

# dist/trainwright-*.whl: `pip install dist/*.whl` plans and compiles, `pip install 'dist/NAME.whl[train]'` trains too.
wheel: .venv/installed
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	rm -rf build/lib build/bdist.*

clean:
	rm -rf .venv $(DEVICE) $(AUDIT) build dist runs site .pytest_cache .ruff_cache .hypothesis

# Two commands: `make demo` and `make test`. Both make the environment on first use.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: setup demo compare table gan test lint format test-tfds bench clean

setup: $(INSTALLED)

$(INSTALLED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fdx needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

demo: setup
	$(RUN) -m launch.demo --workdir=runs/demo --data_dir=data

# Three training strategies of ResNet-50 on a simulated motor bench, pretrained on another one; honest and leaky split.
compare: setup
	$(RUN) -m launch.compare --dataset=motor_rig/motor_a_small --pretrain_dataset=motor_rig/motor_b_small \
		--seeds=1 --epochs=6 --pretrain_epochs=6 --data_dir=data --workdir=runs/compare

# From a table of sensor readings to an 8-bit model and a C array.
table: setup
	$(RUN) -m launch.table --workdir=runs/table --data_dir=data

# Spectrograms of rare faults from a conditional GAN, judged against real ones, and what they are worth in training.
gan: setup
	$(RUN) -m launch.rare_faults --workdir=runs/gan --data_dir=data

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: setup
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

test: lint
	$(RUN) -m pytest -n 2 --dist loadscope

# The stock `tfds build` program with its own requirements (TensorFlow among them), in an environment of its own.
test-tfds: setup
	test -x .venv-tfds/bin/python || $(PYTHON) -m venv .venv-tfds
	.venv-tfds/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-tfds.txt
	FDX_STOCK_PYTHON=.venv-tfds/bin/python $(RUN) -m pytest tests/stock_tfds

# Side-by-side timings against PyTorch, in an environment of its own.
bench: setup
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-benchmark.txt
	.venv-bench/bin/python -m benchmarks.model_steps
	.venv-bench/bin/python -m benchmarks.study_job

clean:
	rm -rf data runs .pytest_cache .ruff_cache

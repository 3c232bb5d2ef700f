# Two commands: `make demo` and `make test`. Both make the environment on first use. `make check` is the fast part of the tests.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Tests write thousands of small files: into memory, where the system offers 8 GB of it as a folder.
RAM := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8000000 { print "/dev/shm" }')
# Byte code of tests is kept: pytest rewrites their asserts, which takes seconds in each of its processes.
IN_RAM := $(if $(RAM),PYTEST_DEBUG_TEMPROOT=$(RAM)) PYTHONDONTWRITEBYTECODE=
INSTALLED := $(VENV)/.installed

.PHONY: setup demo compare study table gan check test lint types format docs test-tfds bench bench-adapt clean

# The tests of `make check`: signal, data, files, the order of the rooms, the pages, and the contract of the small networks.
SLOW := tests/signal/test_usable_real.py tests/signal/test_shaft_speed_machines.py tests/data/test_raw_text_cases.py \
	tests/data/test_raw_cases.py tests/data/test_raw_files.py tests/data/test_raw_mat_damage.py
FAST := $(filter-out $(SLOW),$(wildcard tests/signal/test_*.py tests/data/test_raw_*.py) \
	$(patsubst %,tests/data/test_%.py,blocks protocols row_stretches row_dependence stratified guard \
	imbalance fingerprint) $(patsubst %,tests/models/test_%.py,registry layers mlp band_mlp contract) \
	$(patsubst %,tests/test_%.py,files names locks rooms readme requirements published_figures))

setup: $(INSTALLED)

$(INSTALLED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fdx needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	@# Byte code on all cores; pip writes it on one. Some packages hold templates that are not Python: no error.
	@$(RUN) -m compileall -q -j 0 $(VENV)/lib > /dev/null 2>&1 || true
	@touch $@

demo: setup
	$(RUN) -m launch.demo --workdir=runs/demo --data_dir=data

# Three training strategies of ResNet-50 on a simulated motor bench, pretrained on another one; honest and leaky split.
compare: setup
	$(RUN) -m launch.compare --dataset=motor_rig/motor_a_small --pretrain_dataset=motor_rig/motor_b_small \
		--seeds=1 --epochs=6 --pretrain_epochs=6 --data_dir=data --workdir=runs/compare

# The four networks of Di Maggio (Sensors 23(1):211, 2023) on a simulated rig: its random split, and what it left open.
study: setup
	$(RUN) -m launch.study --data_dir=data --workdir=runs/study

# From a table of sensor readings to an 8-bit model and a C array.
table: setup
	$(RUN) -m launch.table --workdir=runs/table --data_dir=data

# Spectrograms of rare faults from a conditional GAN, judged against real ones, and what they are worth in training.
gan: setup
	$(RUN) -m launch.rare_faults --workdir=runs/gan --data_dir=data

# The judge of launch.predict --zero_shot, made again from simulated machines: 20 minutes on two idle cores.
.PHONY: universal
universal: setup
	$(RUN) -m launch.universal --data_dir=data --workdir=runs/universal --out=runs/universal/judge

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: setup
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

types: setup
	$(RUN) -m mypy -n 2

# Under a minute on two cores, once mypy's cache is there.
check: lint types
	$(IN_RAM) $(RUN) -m pytest -n 2 --dist loadscope $(FAST) -k 'not resnet50 and not efficientnet_lite0 and not vggish'

test: lint types
	$(IN_RAM) $(RUN) -m pytest -n 2 --dist loadscope

# The stock `tfds build` program with its own requirements (TensorFlow among them), in an environment of its own.
test-tfds: setup
	test -x .venv-tfds/bin/python || $(PYTHON) -m venv .venv-tfds
	.venv-tfds/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-tfds.txt
	FDX_STOCK_PYTHON=.venv-tfds/bin/python $(RUN) -m pytest tests/stock_tfds

# The site, with its notebooks executed, in an environment of its own.
docs: setup
	test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	.venv-docs/bin/python docs/run_notebooks.py --check
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict

# The table of speed: fdx in turns with PyTorch, librosa and others, in an environment of its own. Under half an hour on
# two idle cores; a stopped call goes on, and docs/benchmarks/speed.md is written at its end.
bench: setup
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-benchmark.txt
	.venv-bench/bin/python -m benchmarks.speed_run --publish

# JMMD, MK-MMD, DANN and CDAN in plain PyTorch on the windows that fdx adapts on, in the same environment: 30 runs of two
# to four minutes on an idle core. A stopped call goes on.
bench-adapt: setup
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-benchmark.txt
	.venv-bench/bin/python -m benchmarks.references --workdir=runs/references --data_dir=data

clean:
	rm -rf data runs site .pytest_cache .ruff_cache .mypy_cache

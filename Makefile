# Two commands do everything: "make demo" and "make test".  The rest is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
WORKERS ?= 2
# a worker a core, each with neighbouring tests; what sympy has found once it need not find again, what was compiled
# is kept for the processes that tests start, and so is memory that was freed (glibc): arrays of megabytes come and go
SETTINGS := OPENBLAS_NUM_THREADS=1 SYMPY_CACHE_SIZE=50000 PYTHONDONTWRITEBYTECODE= \
            MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456

.PHONY: demo test deep matrix docs tables functions fuzz mutants bench report-check lint clean

$(VENV)/run.stamp: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(PIP) -e ".[torch,transport,fast,test]"
	touch $@

demo: $(VENV)/run.stamp
	$(BIN)/sgm-bounds demo --out out

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(SETTINGS) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# the slow checks, then sixteen times as many examples where a test draws them
deep: $(VENV)/test.stamp
	$(PIP) -e ".[dask,tables]"
	REQUIRE_DASK=1 $(SETTINGS) $(BIN)/python -m pytest -m deep -s
	TIMES=16 $(SETTINGS) $(BIN)/python -m pytest -n $(WORKERS) -m "hypothesis and not deep"

# the suite on every CPython of setup.cfg's classifiers that is on the PATH, with the lowest and with the newest
# versions of what is needed: OPTIONS="--python 3.12 --versions lowest --tests tests/bounds"
matrix:
	$(PYTHON) tests/matrix.py $(OPTIONS)

# the site, its notebooks executed (again where they changed), in out/site
docs: $(VENV)/test.stamp
	$(SETTINGS) $(BIN)/python -m sphinx -W --keep-going -q -b html docs out/site

# the measured table of the docs, docs/data/tightness.json
tables: $(VENV)/test.stamp
	$(BIN)/python tests/benchmarks/tightness.py

# bounds/stated/functions.py from what the theorems state, verify/studies/published_rows.json from their orders
functions: $(VENV)/run.stamp
	$(BIN)/python -c "from bounds.stated.source import write; write()"
	$(BIN)/python -c "from verify.studies import orders, rows_ahead; rows_ahead.write(orders.published_row)"

# mutated problem files, one a seed: FIRST=50000 goes on where a run stopped; faults go to out/fuzz
FILES ?= 100000
FIRST ?= 0
fuzz: $(VENV)/test.stamp
	$(SETTINGS) $(BIN)/python -m tests.fuzz.campaign --files $(FILES) --first $(FIRST) --workers $(WORKERS)

# mutants of formulas, drawn with SEED: a larger N goes on where a smaller one stopped; results in out/mutants.jsonl,
# OPTIONS="--again" runs again what survived, "--trusted" does not time the tests again first, "--longest 1"
# leaves out slow tests but a module's own, "--module bounds/steps" does a part, "--together" does not run survivors
# again on their own, "--apart" runs every mutant so
N ?= 200
SEED ?= 1
OPTIONS ?=
mutants: $(VENV)/test.stamp
	$(SETTINGS) $(BIN)/python -m tests.mutation.campaign --mutants $(N) --seed $(SEED) --workers $(WORKERS) $(OPTIONS)

bench: $(VENV)/test.stamp
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python tests/benchmarks/bench.py
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python tests/benchmarks/sampler.py

# a page in headless Chromium, at two widths in two themes; needs a chromium, and gets playwright
report-check: $(VENV)/run.stamp
	$(PIP) playwright
	mkdir -p out
	$(BIN)/sgm-bounds report two_modes --out out/report.html --force
	$(BIN)/python -m tests.browser_check out/report.html out/report

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV) out build *.egg-info

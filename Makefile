# The two commands of README are `make demo` and `make test`; `make help` lists the rest.
# Everything is built optimised: loops over millions of weights are useless without.

SWIFT ?= swift
TRIT := .build/release/trit
# The model of `make demo` and `make bench` instead of the built-in one: MODEL=… wins over TRITLAB_MODEL.
MODEL ?= $(TRITLAB_MODEL)
# Where `make install` puts the program; DESTDIR stands before it, for packages.
PREFIX ?= /usr/local
# JOBS=1 compiles one file after the other, where memory is short.
SWIFT_BUILD := $(SWIFT) build -c release $(if $(JOBS),--jobs $(JOBS))
SWIFT_TEST := $(SWIFT) test -c release --disable-testable-imports $(if $(JOBS),--jobs $(JOBS))

# What make was asked for: messages end with the command that goes on.
export GOAL := $(or $(MAKECMDGOALS),demo)
export DESTDIR

.DEFAULT_GOAL := help
.PHONY: help demo test notebooks test-examples test-arm test-leaves test-sanitize test-surroundings test-slurm test-jupyter notebook test-kills test-race check-blocks \
	fuzz fuzz-ci fuzz-coverage build dependencies install uninstall bench bench-gate race race-peers scaling \
	format lint docs clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 26

dependencies: ## Install the libraries and tools that are missing (apt-get; elsewhere says what to install)
	@Scripts/check-toolchain.sh "$(SWIFT)"
	@Scripts/install-dependencies.sh

build: dependencies ## Build the command, optimised
	@Scripts/check-machine.sh "$(TRIT)"
	@Scripts/build.sh $(SWIFT_BUILD) --product trit

demo: build ## Run the quickstart experiment: text, perplexity, comparison, plots (other model: MODEL=…)
	@Scripts/demo.sh "$(TRIT)" "$(MODEL)"

install: build ## Install the command with its models, completions and man pages: PREFIX=/usr/local [DESTDIR=…]
	@Scripts/install.sh install "$(TRIT)" "$(PREFIX)"

uninstall: ## Remove what `make install` has put below PREFIX, and nothing else
	@Scripts/install.sh uninstall "$(PREFIX)"

test: dependencies ## Run all tests, optimised
	$(SWIFT_TEST)

test-examples: dependencies ## Build and test the packages below Examples/, with what `make test` has built
	@Scripts/test-examples.sh "$(SWIFT)" $(if $(JOBS),--jobs $(JOBS))

check-blocks: build ## Run every block of README, CONTRIBUTING and the experiment files, as it is written there
	@Scripts/check-blocks.sh "$(TRIT)"

notebooks: build ## Run the lessons, hold them against what is committed, write pages to docs/build/notebooks [LIMIT=60]
	@Scripts/run-notebooks.sh "$(TRIT)"

test-arm: dependencies ## Prove the NEON leaves under an emulator (qemu-user), by the usual law checkers
	@Scripts/install-dependencies.sh arm
	$(SWIFT_BUILD) --build-tests
	@Scripts/test-arm.sh "$(TRIT)" "$(SWIFT)"

test-leaves: ## Call every C leaf at every shape against guard pages, plain and under clang's UBSan
	@Scripts/test-leaves.sh

test-slurm: build ## Run a sweep as a job array under a real Slurm, by GNU parallel and by windows: equal to one run
	@Scripts/test-slurm.sh "$(TRIT)"

test-jupyter: build ## Run Jupyter's conformance suite, nbclient and 100 rounds of abuse on the kernel [ROUNDS=100]
	@Scripts/test-jupyter.sh "$(TRIT)" "$(or $(ROUNDS),100)"

notebook: build ## Open JupyterLab with the kernel and the lessons, in an environment below .build [NOTEBOOKS=FOLDER] [PORT=8888]
	@Scripts/notebook.sh "$(TRIT)" "$(or $(NOTEBOOKS),.build/jupyter/notebooks)" "$(or $(PORT),8888)"

test-kills: dependencies ## Kill runs, trainings and exports at random moments: nothing is lost or half written
	$(SWIFT) test -c release --disable-testable-imports --filter 'KillTests'

test-surroundings: build ## Run the command short of descriptors, memory, disk, streams and environment
	@Scripts/test-surroundings.sh "$(TRIT)"

# Own folders: objects of one sanitizer are of no use to another. The command of the tests is built with it too.
test-sanitize: dependencies ## Run all tests under AddressSanitizer, then under ThreadSanitizer [SANITIZERS='address thread']
	@for kind in $(or $(SANITIZERS),address thread); do \
	  echo "== $$kind" && \
	  ASAN_OPTIONS=$(ASAN) TSAN_OPTIONS=$(TSAN) \
	  $(SWIFT) test -c release --disable-testable-imports --sanitize=$$kind --scratch-path .build/$$kind || exit 1; \
	done

# Leaks are told apart from faults: Swift's runtime keeps what it made once. A file that is cut short is a SIGBUS that
# the lab itself answers.
ASAN := detect_leaks=0:handle_sigbus=0:allow_user_segv_handler=1
TSAN := halt_on_error=0:report_signal_unsafe=0:suppressions=$(CURDIR)/Tests/thread-sanitizer.supp
# The fuzzer with AddressSanitizer and counters of edges; only its own product is built.
FUZZ := $(SWIFT) build -c release --sanitize=address --scratch-path .build/fuzz-build --product trit-fuzz \
	-Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table
FUZZER := ASAN_OPTIONS=$(ASAN) .build/fuzz-build/release/trit-fuzz

fuzz: dependencies ## Fuzz every reader, codec, plan and option for hours [SECONDS=14400] [SEED=1] [TARGETS='gguf json']
	$(FUZZ)
	$(FUZZER) run $(TARGETS) --seconds $(or $(SECONDS),14400) --seed $(or $(SEED),1)

fuzz-coverage: ## After 'make fuzz': how much of its sources each target reached
	$(FUZZER) coverage

fuzz-ci: dependencies ## Two minutes of fuzzing from fixed seeds, in the optimised build of the tests
	$(SWIFT) build -c release --product trit-fuzz
	.build/release/trit-fuzz run --seconds 120 --seed 1

bench: build ## Measure tokens per second (other model: MODEL=…)
	$(TRIT) bench -m "$(or $(MODEL),builtin:storyteller)"

bench-gate: build ## Is this build no slower than another? OLD=PATH/trit [MODEL=…] [PAIRS=15] [BENCH='-p 128 -n 64 -t 1']
	@Scripts/bench-gate.sh "$(OLD)" "$(TRIT)" "$(or $(MODEL),builtin:storyteller)" "$(or $(PAIRS),15)" $(BENCH)

race-peers: ## Build the programs that `make race` compares with, natively (half an hour on two cores)
	@Scripts/race/install.sh

race: build ## Race llama.cpp and ik_llama.cpp on one shape and write the table of this CPU (RACE='--minutes 30')
	@Scripts/race/race.py --trit "$(TRIT)" $(RACE)

test-race: ## Test the race's arithmetic, its table and the verdicts of bench-gate (Python alone)
	@python3 -m unittest discover -q -s Scripts/race -p 'test_*.py'

scaling: build ## Train and measure the eight models of experiments/scaling.yaml again (hours)
	@Scripts/train-scaling.sh "$(TRIT)"
	$(TRIT) run experiments/scaling.yaml

format: ## Format all Swift sources in place
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Examples Package.swift

lint: ## Check the format and the house rules of all Swift sources; prints nothing when all is well
	@$(SWIFT) format lint --strict --recursive --parallel Sources Tests Examples Package.swift

docs: build ## Write a page for each stage, command and figure, and the API, to docs/build [PAGES=1: no API]
	@Scripts/build-docs.sh "$(TRIT)"

clean: ## Remove what was built; run records in runs/ stay
	rm -rf .build docs/build

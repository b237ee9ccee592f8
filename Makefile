# `make` lists what there is to do. Everything needs Go and nothing else; the
# race detector needs a C compiler too, and is left out where there is none.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# What to test: make test PKG=./internal/run RUN=TestFault
PKG ?= ./...
RUN ?=
# The package that takes longest begins first, so that the others run beside it.
FIRST := $(if $(filter ./...,$(PKG)),./cmd/tidelock)
# Packages at a time: tests wait for disks and processes, so that as many as
# there are processors leave a quarter of their time unused.
AT_ONCE := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1 )))
# What to measure: make bench BENCH=plan
BENCH ?=

BIN  := bin
LINT := go tool -modfile=internal/tools/lint/go.mod

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# The race detector is linked with C.
CC_FOUND := $(shell command -v "$$(go env CC)" 2>/dev/null)
ifneq ($(CC_FOUND),)
# The detector watches all Go code but SQLite's, which is C in translation: it
# works on memory of its own by address and locks by means of its own, so that
# there is nothing to find in it that is ours. The driver around it is watched.
# What goes through the database takes half the processor time without.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
NOTE :=
else
RACE :=
NOTE := "no C compiler here, so the tests ran without the race detector"
endif

.PHONY: help setup servers build demo picture test chaos cover bench lint fmt vuln docker clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Get what tests and demo need: a Terraform or OpenTofu, the stand-in provider
	@go run ./internal/toolchain/setup

servers: ## Get the real servers for tests: Vault, S3, Azurite (10 minutes, once; make test then uses them)
	@go run ./internal/toolchain/servers/get

build: ## Build the static binary bin/tidelock
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/tidelock ./cmd/tidelock

demo: ## Show one pull request all the way, on a stand-in GitHub (DEMO=--exit ends by itself)
	@go run ./cmd/tidelock demo $(DEMO)

picture: ## Take the README's picture from the demo (needs Chromium)
	@go run ./internal/tools/picture docs/images/comment.png

test: setup ## Run every test (PKG=./bot RUN=TestFault to choose) and say what was skipped
	@go test -json $(RACE) -timeout 30m -p $(AT_ONCE) $(if $(RUN),-run '$(RUN)') $(FIRST) $(PKG) | go run ./internal/tools/testreport $(NOTE)

# The seed of a bad day that is to be played again: make chaos SEED=7
SEED ?= 0

chaos: setup ## Play a bad day: lost, doubled, shuffled webhooks and a hundred kills (SEED=7 plays one again)
	go test -count=1 -v -timeout 30m -run 'TestChaos$$' ./cmd/tidelock -seed $(SEED) -webhooks 2000 -kills 100

cover: ## Run every test and write coverage to dist/cover.html
	@mkdir -p dist
	go test -coverpkg=./... -coverprofile=dist/cover.out $(PKG)
	go tool cover -html=dist/cover.out -o dist/cover.html
	@go tool cover -func=dist/cover.out | tail -n 1

bench: ## Measure against bare Terraform (BENCH=plan for one part); also writes bench.json
	go run ./internal/bench $(BENCH)

lint: ## Check format, vet, staticcheck and which package imports which
	@unformatted="$$(gofmt -l .)"; if [ -n "$$unformatted" ]; then \
	  echo "Not formatted (make fmt mends it):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(LINT) staticcheck ./...
	go test ./internal/importtest

fmt: ## Format all Go files
	gofmt -w .

vuln: ## Look for known vulnerabilities (needs a way to the Go vulnerability database)
	@code=0; report="$$($(LINT) govulncheck $(PKG) 2>&1)" || code=$$?; echo "$$report"; \
	if [ $$code -ne 0 ] && grep -q 'fetching vulnerabilities' <<<"$$report"; then \
	  echo "Not checked: the Go vulnerability database can't be reached from here."; exit 0; fi; \
	exit $$code

docker: ## Build the container image tidelock
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg DATE=$(DATE) -t tidelock:$(VERSION) -t tidelock .

clean: ## Delete what these targets made
	rm -rf $(BIN) dist bench.json

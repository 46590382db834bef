# `make help` prints what can be made, from the comments behind the targets.

target := $(or $(CARGO_TARGET_DIR),target)
release := cargo build --release --locked --workspace --features actionfleet/jemalloc
# one set of features for all commands, so that nothing is compiled twice
check := --workspace --locked
# the documentation is for who works on the source: private items are in it, and links to them
rustdoc := -D warnings -A rustdoc::private-intra-doc-links

.PHONY: help demo demo-rabbitmq test lint bench schemas fmt build clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s  %s\n", $$1, $$2 }' Makefile

# unoptimised, as the tests are: optimising takes three times as long as all the rest
demo: ## send real jobs through a queue in a folder to a stand-in AI service and back
	@deploy/setup/install linker
	cargo build $(check) --bin actionfleet --bin demo
	@$(target)/debug/demo

demo-rabbitmq: ## the same on a private RabbitMQ and a private PostgreSQL
	@deploy/setup/install services
	cargo build $(check) --bin actionfleet --bin demo
	@$(target)/debug/demo --on rabbitmq

test: ## install what is missing, lint, and run all tests
	@deploy/setup/install clients
	@$(MAKE) --no-print-directory lint
	INSTA_UPDATE=no cargo test $(check)

lint: ## check format, clippy, documentation, and what is depended upon
	cargo fmt --all --check
	cargo clippy $(check) --all-targets -- -D warnings
	RUSTDOCFLAGS='$(rustdoc)' cargo doc $(check) --no-deps --document-private-items
	@if cargo deny --version >/dev/null 2>&1; then \
		cargo deny --workspace --locked check bans licenses sources; \
	else \
		echo 'cargo-deny is not installed; the tests check what it would'; \
	fi

bench: ## measure the fleet against the barest loop that does the same work
	@deploy/setup/install services
	$(release) --bin actionfleet --bin bench
	@$(target)/release/bench

schemas: ## write the JSON Schemas, the AsyncAPI document and the reference pages anew
	REGENERATE=1 cargo test $(check) --test wire --test e2e -- committed_

fmt: ## format the source
	cargo fmt --all

build: ## build the binary, target/release/actionfleet
	$(release) --bin actionfleet

clean: ## remove all that was built
	cargo clean

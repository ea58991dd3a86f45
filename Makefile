# SPDX-License-Identifier: Apache-2.0
# A thin front: each target is one command of tools/, which says what it does.
.PHONY: all build run test test-fast test-long test-listening conformance lab lab-cluster bench bench-peers bench-soak bench-flood bench-store bench-cluster bench-diagnosis bench-speech speech-model install check-style clean

PREFIX ?= /usr/local

all: build

build:
	@tools/install-deps run
	@tools/build build

run:
	@tools/install-deps run
	@tools/run

test:
	@tools/install-deps test
	@tools/run-tests all

test-fast:
	@tools/install-deps run
	@tools/run-tests fast

test-long:
	@tools/install-deps test
	@tools/run-tests long

# A recogniser listens to every prompt of every language; some ten minutes.
test-listening:
	@tools/install-deps test
	@tools/build build
	@tests/listening/listen

conformance:
	@tools/install-deps test
	@tools/build build
	@tests/conformance/conformance

lab:
	@tools/install-deps lab
	@tools/build build
	@lab/lab

# Three nodes, mistreated while they are used; some six minutes. FAULTS='kill primary_killed' plays those alone.
lab-cluster:
	@tools/install-deps lab
	@tools/build build
	@lab/lab-cluster $(FAULTS)

# At most 15 minutes; BENCH=--quick takes three.
bench:
	@tools/install-deps run
	@tools/build build-release
	@bench/run build-release $(BENCH)

# Beside whatever other server this machine has; none is needed.
bench-peers:
	@tools/install-deps run
	@tools/build build-release
	@bench/peers build-release $(BENCH)

# Half an hour of calls of all kinds: do memory and descriptors come back? BENCH='--minutes 5' for less.
bench-soak:
	@tools/install-deps run
	@tools/build build-release
	@bench/soak build-release $(BENCH)

# Good calls while somebody floods the node. BENCH=--quick takes two minutes instead of eight.
bench-flood:
	@tools/install-deps test
	@tools/build build-release
	@bench/flood $(BENCH) build-release

# A million messages in 100,000 mailboxes, in SQLite and PostgreSQL. BENCH='--scale 100' takes seconds instead of minutes.
bench-store:
	@tools/install-deps test
	@tools/build build-release
	@bench/store build-release $(BENCH)

# What the faults of lab-cluster cost, a JSON line each; the machine should do nothing else. BENCH='--rounds 5 kill' for one of them, more often.
bench-cluster:
	@tools/install-deps test
	@tools/build build-release
	@bench/cluster build-release $(BENCH)

bench-diagnosis:
	@tools/install-deps test
	@tools/build build
	@bench/diagnosis/run

# BENCH=--quick takes three minutes instead of half an hour.
bench-speech:
	@tools/speech/make-model build-release --if-possible
	@tools/build build-release
	@bench/speech/run build-release $(BENCH)

# What callers' names are heard with; without it they are heard less well. Four minutes, once.
speech-model:
	@tools/speech/make-model build-release

install:
	@tools/install-deps run
	@tools/build build-release --prefix "$(PREFIX)"
	@tools/speech/make-model build-release --if-possible
	meson install -C build-release --no-rebuild

check-style:
	@tools/check-style

clean:
	rm -rf build build-*

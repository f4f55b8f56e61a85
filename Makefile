# The commands of the project. CONTRIBUTING.md tells when to use which.

SHELL := /bin/bash

.PHONY: build test lint fuzz bench bench-quick bench-failover bench-bigvalues suite sim sim-soak pgo

build: ## one binary, bin/skein
	go build -o bin/skein ./cmd/skein

test: ## everything that must hold before a change is taken
	scripts/test

sim: ## the simulator: 500 seeds over all workloads, 25 under the race detector; 3 minutes
	scripts/sim 500

sim-soak: ## the simulator until it is stopped, with the clusters of 2000 nodes
	scripts/sim soak

lint: ## formatting and vet
	scripts/lint

fuzz: ## every fuzz test for 10 seconds
	scripts/fuzz 10s

bench: ## side by side with redis-server; at most 40 minutes
	go run ./bench

bench-quick: ## the same in 5 minutes
	go run ./bench -quick

bench-failover: ## what a failover costs, side by side with redis-server; a quarter of an hour
	go run ./bench/failover

bench-bigvalues: ## what other clients feel of work on big values, side by side with redis-server; half an hour
	go run ./bench/bigvalues

pgo: ## the profile by which the compiler inlines what is hot, made anew; 3 minutes
	scripts/pgo

suite: ## Redis's own Tcl tests; needs SKEIN_REDIS_SRC, see scripts/suite
	scripts/suite

accept-%: ## hours: the whole acceptance of cluster, replication, simulator, types or scripts
	scripts/accept $*

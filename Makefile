# SPDX-License-Identifier: MIT
# A thin front: CMake and Ninja do the work. `make setup` is the only target that needs a network.
CACHE ?= $(or $(STORYFI_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/storyfi)
LLAMA_DIR ?= $(CACHE)/llama
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 20
export STORYFI_CACHE := $(CACHE)
export LLAMA LLAMA_DIR FUZZ_SECONDS BACKEND CUDA_ARCH CONVERT

NINJA = ninja -C $(BUILD)
CONFIGURE = cmake -S . -G Ninja -DSTORYFI_LLAMA_DIR=$(LLAMA_DIR) -DSTORYFI_MODEL_DIR=$(CACHE)/models -DSTORYFI_WEB_DIR=$(CACHE)/web

.PHONY: all setup demo test test-full soak asan tsan fuzz lint bench install deb arm64 clean print-cache
.DEFAULT_GOAL := all

# Configured every time (half a second): the set-up cache may have gained or lost libraries.
all:
	@$(CONFIGURE) -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_ARGS) $(if $(V),,>/dev/null)
	@$(NINJA)
	@test -x $(BUILD)/storyfi-engine || echo "built without storyfi-engine: no llama.cpp in $(LLAMA_DIR) (make setup fetches it)"

setup:
	@tools/setup.sh

demo: setup
	@$(MAKE) --no-print-directory all
	@tools/tune.sh
	@tools/demo.sh

test:
	@tools/run-tests.sh

test-full:
	@tools/run-tests.sh --full

# Random faults for so many hours; SEED=n repeats their order.
HOURS ?= 1
SEED ?=
soak: all
	@tests/rings/88-soak.sh $(HOURS) $(SEED)

asan:
	@tools/run-tests.sh asan

tsan:
	@tools/run-tests.sh tsan

fuzz:
	@tools/fuzz.sh

lint:
	@tools/lint.sh

# Beside the Python SDK's axon, llama-server, llama-batched-bench and Transformers; writes bench/results/ and
# doc/benchmarks.md. The peers are built and installed first (10 minutes, 3 GB). Needs a quiet machine and an hour.
bench: all
	@bench/axon.sh
	@bench/stories.sh
	@bench/engine.sh
	@bench/deadlines.sh
	@bench/quality.sh

# With what was built before, so that `sudo make install` needs no set-up cache of root's own.
install:
	@test -f $(BUILD)/build.ninja || $(MAKE) --no-print-directory all
	@$(NINJA)
	@cmake --install $(BUILD) --prefix $(PREFIX)

# The Debian package, in build/deb.
deb:
	@test -f $(BUILD)/build.ninja || $(MAKE) --no-print-directory all
	@$(NINJA)
	@rm -rf $(BUILD)/deb
	@cpack -G DEB -B $(BUILD)/deb --config $(BUILD)/CPackConfig.cmake $(if $(V),,>/dev/null)
	@ls $(BUILD)/deb/*.deb

# For 64-bit ARM, in build-arm64; CHECK=1 runs its unit tests under qemu too.
arm64:
	@tools/arm64.sh $(if $(CHECK),--test)

# Removes what was built; the set-up cache stays (its path: make -s print-cache).
clean:
	rm -rf build build-*/ out

print-cache:
	@echo $(CACHE)

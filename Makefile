# The front door. Everything is built by meson into build/ (release-like, asserts on) and build/asan/ (unit tests
# under ASan and UBSan); this file only knows the order of things.
#
#   make         build            make test    install what is missing, build, run every test
#   make deps    Debian packages  make demo    run a real program in a sandbox and show whose kernel it ran on
#   make check   layers, style    make bench   one table: native, picket, ratio

BUILD := build
NINJA := ninja -C $(BUILD) -j$(shell nproc)

.PHONY: all deps test demo bench check clean unit
all: $(BUILD)/build.ninja
	@$(NINJA)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

deps:
	@tools/install-deps

check:
	@tools/check-layers
	@tools/check-style

test: deps all
	@tools/run-tests

demo: deps all
	@tools/demo

bench: deps all
	@bench/run

clean:
	rm -rf $(BUILD)

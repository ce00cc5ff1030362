# The front door. Everything is built by meson into build/ (release-like, asserts on) and build/asan/ (unit tests
# under ASan and UBSan); this file only knows the order of things.
#
#   make         build            make test    install what is missing, build, run every test
#   make deps    Debian packages  make demo    run a real program in a sandbox and show whose kernel it ran on
#   make check   layers, style    make bench   one table: native, picket, ratio
#   make install, make deb       below /usr/local; a Debian package in build/
#   make bench-start             starting containers: picket beside crun (and runsc)

BUILD := build
NINJA := ninja -C $(BUILD) -j$(shell nproc)

.PHONY: all deps test demo bench bench-start check clean unit install deb
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

bench-start: deps all
	@bench/start

install: all
	@meson install -C $(BUILD) --no-rebuild

deb: deps
	@tools/make-deb

clean:
	rm -rf $(BUILD)

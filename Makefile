# SPDX-License-Identifier: Apache-2.0
#
# Everything starts here.
#   make demo    install what is missing, build, run a store day, say what to open
#   make check   install what is missing, build, test
#   make help    the rest

BUILD ?= build
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
V ?= 0
Q = $(if $(filter 1,$(V)),,@)

include $(if $(CROSS),cross/$(CROSS).mk)

# The rooms of the library, in the order in which they may call each other: src/README.md.
ROOMS = core nouns store logic learn recommend score policy decide ingest session profile deliver trust sync hq spine daemon tools
LIB_SRC = $(foreach r,$(ROOMS),$(sort $(wildcard src/$(r)/*.c)))
CTL_SRC = $(sort $(wildcard src/ctl/*.c))
ASM_SRC = $(sort $(wildcard src/deliver/*.S))

PKGS = libmosquitto expat sqlite3 libsodium libevent libevent_openssl jansson libzstd openssl
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
# What only headquarters needs is asked of only where it is called: aisled does without.
HQ_PKGS = libpq libnats
PKG_CFLAGS := $(PKG_CFLAGS) $(shell $(PKG_CONFIG) --cflags $(HQ_PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lm \
	-Wl,--push-state,--as-needed $(shell $(PKG_CONFIG) --libs $(HQ_PKGS) 2>/dev/null) -Wl,--pop-state
VERSION := 0.1.0

# Where each event does not come by, or nearly all of its time is spent in other rooms, the compiler looks at size first.
SMALL = $(addprefix src/,policy/% trust/% sync/% hq/% spine/% deliver/% daemon/% tools/% ctl/% score/model_import% score/model_lightgbm% \
	score/model_xgboost% score/exam% ingest/mapping% ingest/xml% core/conf% core/zone% core/csv% core/near% core/crash% profile/profiles%)
# -ffp-contract=off: the engine's numbers are the same on every machine.
# _FILE_OFFSET_BITS: on armhf readdir refuses what a 64-bit file system names. _TIME_BITS stays: it is part of libraries' ABI.
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc -DAISLE_VERSION='"$(VERSION)"' \
	-ffp-contract=off -fno-strict-aliasing -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE \
	-fstack-clash-protection -ffile-prefix-map=$(CURDIR)=. \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
	$(if $(WERROR),-Werror) $(ARCH_CFLAGS) $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
# What nobody calls is left out; nothing unwinds a stack but debuggers, which read .debug_frame; relocations lie packed where the linker can.
RELR := $(if $(shell $(CC) -nostdlib -shared -Wl,-z,pack-relative-relocs -x c /dev/null -o /dev/null 2>&1),,-Wl,-z,pack-relative-relocs)
ALL_LDFLAGS = -pie -Wl,--gc-sections $(RELR) -Wl,--build-id -Wl,-z,relro,-z,now,-z,noexecstack $(ARCH_LDFLAGS) $(LDFLAGS)

obj = $(patsubst %.S,$(BUILD)/%.o,$(patsubst %.c,$(BUILD)/%.o,$(1)))
LIB_OBJ = $(call obj,$(LIB_SRC) $(ASM_SRC))
UNIT_SRC = $(sort $(wildcard tests/unit/*.c))
UNIT_BIN = $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
FUZZ_SRC = $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC = $(sort $(wildcard tests/bench/*.c))
BENCH_BIN = $(BENCH_SRC:tests/bench/%.c=$(BUILD)/bench/%)

.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all
all: $(BUILD)/aisled $(BUILD)/aislectl

$(BUILD)/libaisle.a: $(LIB_OBJ)
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

# What outsiders link: the part of it that include/aisle/engine.h needs, as one object with no name but aisle_* to
# the outside, so that none meets one of theirs.
OBJCOPY ?= objcopy
LIBRARY_PKGS = sqlite3 libsodium jansson libzstd
$(BUILD)/lib/libaisle.a: $(BUILD)/src/tools/library.o $(BUILD)/libaisle.a
	@mkdir -p $(@D)
	$(Q)$(CC) -r -nostdlib -o $(@D)/aisle.o $^
	$(Q)$(OBJCOPY) --strip-debug --wildcard --keep-global-symbol='aisle_*' $(@D)/aisle.o
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $(@D)/aisle.o

$(BUILD)/aisled: $(call obj,src/aisled.c src/aisled_heap.c src/aisled_wire.c) $(BUILD)/libaisle.a
	@$(if $(filter 0,$(V)),echo "  LINK $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/aislectl: $(call obj,$(CTL_SRC)) $(BUILD)/libaisle.a
	@$(if $(filter 0,$(V)),echo "  LINK $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(filter 0,$(V)),echo "  CC   $<",:)
	$(Q)$(CC) $(if $(filter $(SMALL),$<),$(patsubst -O2,-Os,$(ALL_CFLAGS)),$(ALL_CFLAGS)) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The pages lie compressed in the binary.
PAGES = $(patsubst src/deliver/page/%,$(BUILD)/page/%.zst,$(wildcard src/deliver/page/*))
$(BUILD)/page/%.zst: src/deliver/page/%
	@mkdir -p $(@D)
	$(Q)zstd -19 -q -c $< >$@
$(BUILD)/src/deliver/page_data.o: $(PAGES)
$(BUILD)/src/deliver/page_data.o: CPPFLAGS += -Wa,-I$(BUILD)/page

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libaisle.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libaisle.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

ALL_OBJ = $(LIB_OBJ) $(call obj,src/aisled.c src/aisled_heap.c src/aisled_wire.c $(CTL_SRC) $(UNIT_SRC) $(BENCH_SRC) $(FUZZ_SRC) \
	tests/model/box.c tests/scenario/fetcher.c tests/browser/page_server.c)
-include $(ALL_OBJ:.o=.d)

# ---- what a fresh Debian 12 lacks ----

DEBS = gcc make pkg-config libc6-dev libexpat1-dev libmosquitto-dev libsqlite3-dev libsodium-dev libevent-dev libjansson-dev \
	libzstd-dev libssl-dev libpq-dev libnats-dev libcmocka-dev mosquitto mosquitto-clients minisign procps strace systemd tzdata zlib1g-dev zstd python3 python3-paho-mqtt
DEBS_CI = clang clang-format clang-tidy cppcheck libclang-rt-14-dev crossbuild-essential-arm64 crossbuild-essential-armhf qemu-user-static mmdebstrap \
	chromium e2fsprogs python3-xgboost python3-numpy postgresql nats-server
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)
# Installs the packages of $(1) that are not there yet; quiet when there is nothing to do. $(2) may add to them:
# Node.js can have come from elsewhere with its npm, and Debian's would be in its way.
install_debs = missing=; for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || \
	missing="$$missing $$p"; done; $(2) if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	$(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -q -y --no-install-recommends $$missing; fi

DEBS_MODELS = python3-xgboost python3-pandas python3-sklearn

.PHONY: deps deps-ci deps-models
deps:
	@$(call install_debs,$(DEBS))
deps-ci: deps
	@$(call install_debs,$(DEBS_CI),command -v npm >/dev/null || missing="$$missing nodejs npm";)

# ---- tests ----

RESULTS ?= $(BUILD)/results
run_test = tests/run.sh $(RESULTS)
# So many compile, and so many tests run, side by side.
JOBS ?= $(shell nproc)
side_by_side = xargs -P $(JOBS) -I {}

.PHONY: unit
unit: $(UNIT_BIN)
	$(Q)printf '%s\n' $(notdir $^) | RUN="$(RUN)" $(side_by_side) $(run_test) unit/{} $(RUN) $(BUILD)/unit/{}

# Black-box tests: a real broker, a real daemon, the published contract.
SCENARIOS = $(sort $(wildcard tests/scenario/test_*.py))
# The longest begin first; they wait more than they work, so one more than there are processors.
LONG = $(addprefix tests/scenario/test_,demo.py activation.py publish.py train.py fetch.py link.py)
.PHONY: scenario
scenario: all $(BUILD)/box $(BUILD)/fetcher
	$(Q)printf '%s\n' $(basename $(notdir $(LONG) $(filter-out $(LONG),$(SCENARIOS)))) | \
		BUILD=$(abspath $(BUILD)) RUN="$(RUN)" xargs -P $$(($(JOBS) + 1)) -I {} \
		$(run_test) scenario/{} /usr/bin/python3 tests/scenario/{}.py

# The engines of a large headquarters: PostgreSQL, a NATS cluster.
HQ_TESTS = $(sort $(wildcard tests/hq/test_*.py))
.PHONY: hq
hq: deps-ci all
	$(Q)for t in $(basename $(notdir $(HQ_TESTS))); do BUILD=$(abspath $(BUILD)) PYTHONPATH=tests/scenario \
		$(run_test) hq/$$t /usr/bin/python3 tests/hq/$$t.py || exit 1; done

# A fleet of stores through a whole headquarters, of which parts are killed: tests/fleet/fleet.py.
FLEET_OBJ = $(call obj,$(sort $(wildcard tests/fleet/*.c)))
-include $(FLEET_OBJ:.o=.d)
$(BUILD)/fleet: $(FLEET_OBJ) $(BUILD)/libaisle.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
STORES ?= 200
FORM ?= brokers
.PHONY: fleet
fleet: deps-ci all $(BUILD)/fleet
	$(Q)BUILD=$(abspath $(BUILD)) PYTHONPATH=tests/scenario:tests/hq $(run_test) fleet/$(FORM)-$(STORES) \
		/usr/bin/python3 tests/fleet/fleet.py $(STORES) $(FORM) $(FLEET)

# Headquarters' endpoint as it is shipped, on loopback, to try.
.PHONY: hq-brokers hq-nats
hq-brokers hq-nats: deps-ci
	$(Q)PYTHONPATH=tests/scenario /usr/bin/python3 tests/hq/try.py $(@:hq-%=%) $(BUILD)/hq

.PHONY: browser
browser: deps-ci all $(BUILD)/page_server
	$(Q)cd tests/browser && { [ -d node_modules/axe-core ] || \
		npm install --silent --no-audit --no-fund --no-package-lock; }
	$(Q)printf '%s\n' "page $(abspath $(BUILD)/page_server)" "manager $(abspath $(BUILD)/page_server)" "live $(abspath $(BUILD))" "till $(abspath $(BUILD))" "preview $(abspath $(BUILD))" "fleet $(abspath $(BUILD))" | xargs -P 2 -L 1 \
		sh -c '$(run_test) browser/$$0 node tests/browser/$$0.mjs $$1 $(abspath $(BUILD)/screens)'

# The till in JavaScript of docs/examples; the one in C is a scenario like the others.
.PHONY: till-js
till-js: deps-ci all
	$(Q)cd tests/browser && { [ -d node_modules/mqtt ] || npm install --silent --no-audit --no-fund --no-package-lock; }
	$(Q)NODE_PATH=$(abspath tests/browser/node_modules) TILL="node docs/examples/till.js" BUILD=$(abspath $(BUILD)) \
		$(run_test) scenario/till_js /usr/bin/python3 tests/scenario/test_till_examples.py

# The pictures of README.md, docs/tablet.md and docs/headquarters-small.md, as the browser test saw the pages.
.PHONY: screenshots
screenshots: browser
	$(Q)cp $(BUILD)/screens/live-1024x768-light-2.png docs/images/tablet.png
	$(Q)cp $(BUILD)/screens/live-1024x768-light-3.png docs/images/recall.png
	$(Q)cp $(BUILD)/screens/live-390x844-light-1.png docs/images/phone.png
	$(Q)cp $(BUILD)/screens/manager-report-tablet-light.png docs/images/manager.png
	$(Q)cp $(BUILD)/screens/fleet-25.png docs/images/fleet.png

$(BUILD)/page_server: $(BUILD)/tests/browser/page_server.o $(BUILD)/libaisle.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# The store beside a model of its contract, over random sequences of events: tests/model/sequences.py.
SEQUENCES ?= 200000
.PHONY: sequences
sequences: all $(BUILD)/box
	$(Q)BUILD=$(abspath $(BUILD)) $(run_test) model/sequences /usr/bin/python3 tests/model/sequences.py --count $(SEQUENCES) $(if $(SEED),--seed $(SEED))

# Decisions of chance, each made the slow way too: tests/unit/test_columns.c.
DECISIONS ?= 100000
.PHONY: decisions
decisions: $(BUILD)/unit/test_columns
	$(Q)DECISIONS=$(DECISIONS) $(if $(SEED),SEED=$(SEED)) $(run_test) model/decisions $<

# What train makes of shops in which nobody differs from anybody: no model, but of one in a hundred.
SILENT ?= 100
.PHONY: silent-shops
silent-shops: all
	$(Q)BUILD=$(abspath $(BUILD)) $(run_test) model/shops /usr/bin/python3 tests/model/shops.py $(SILENT) --seed $(or $(SEED),1000)

$(BUILD)/box: $(BUILD)/tests/model/box.o $(BUILD)/libaisle.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# A store that fetches what it is told to, for tests/scenario/test_fetch.py.
$(BUILD)/fetcher: $(BUILD)/tests/scenario/fetcher.o $(BUILD)/libaisle.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# ---- what people type ----

.PHONY: check check-ci built
built: all $(UNIT_BIN)
check: deps
	@rm -f $(BUILD)/results
	@$(MAKE) --no-print-directory -j$(JOBS) built
	@echo "lint"; $(MAKE) --no-print-directory lint
	@echo "unit tests"; $(MAKE) --no-print-directory unit
	@echo "a store, from outside"; $(MAKE) --no-print-directory scenario
	@tests/sum.sh $(BUILD)/results

# Both commands of README.md in a Debian that has nothing: what is called is declared.
.PHONY: fresh
fresh:
	@$(call install_debs,mmdebstrap)
	$(Q)rm -rf $(BUILD)/fresh && git clone --quiet . $(BUILD)/fresh && $(SUDO) sh tests/fresh.sh $(BUILD)/fresh

# The CI column of the budgets: sanitizers, ARM, crashes, the browser.
check-ci: deps-ci
	@rm -f $(BUILD)/results-*
	@echo "lint, with every tool"; LINT_ALL=1 $(MAKE) --no-print-directory lint
	@echo "what tools find in the source"; $(MAKE) --no-print-directory analyze
	@echo "clang, AddressSanitizer and UndefinedBehaviorSanitizer"
	@for goal in "-j$(JOBS) built" unit scenario "-j$(JOBS) fuzz-corpus"; do \
		$(MAKE) --no-print-directory CC=clang BUILD=build/asan RESULTS=build/results-asan WERROR=1 \
			CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" $$goal || exit 1; done
	@echo "a store and the model of its contract"; $(MAKE) --no-print-directory sequences SEQUENCES=20000 RESULTS=build/results-sequences
	@echo "decisions, the slow way too"; $(MAKE) --no-print-directory decisions RESULTS=build/results-sequences
	@echo "power cuts, faults and flips, on a simulated disk"; $(MAKE) --no-print-directory cuts faults engine-flips RESULTS=build/results-sim
	@echo "kill -9 under load, and a full disk"; $(MAKE) --no-print-directory crash full KILLS=50 RESULTS=build/results-crash
	@echo "a large headquarters"; $(MAKE) --no-print-directory hq fleet RESULTS=build/results-hq
	@echo "the page, in a browser"; $(MAKE) --no-print-directory browser RESULTS=build/results-browser
	@echo "the till in JavaScript"; $(MAKE) --no-print-directory till-js RESULTS=build/results-browser
	@echo "models, against XGBoost"; $(MAKE) --no-print-directory conformance RESULTS=build/results-conformance
	@echo "the reference models, trained anew"; $(MAKE) --no-print-directory models-same RESULTS=build/results-models
	@echo "ARM"; $(MAKE) --no-print-directory cross-check
	@tests/sum.sh build/results-*

# ---- crashes, fuzzing, figures ----

KILLS ?= 200
.PHONY: crash
crash: all
	$(Q)BUILD=$(abspath $(BUILD)) $(run_test) crash/kills /usr/bin/python3 tests/crash/kills.py $(KILLS)

# A tmpfs and an ext4 without a byte or an inode left, at five moments, FULL times; mounts them, which needs root.
FULL ?= 1
.PHONY: full
full: all
	$(Q)BUILD=$(abspath $(BUILD)) $(run_test) crash/full /usr/bin/python3 tests/crash/full.py $(FULL)

# The store on a simulated disk, in one process: tests/sim. CUTS=50000 power cuts, seeds from SEED; two of them side by side.
SIM_OBJ = $(call obj,tests/sim/disk.c tests/sim/trace.c tests/sim/folder.c tests/sim/world.c tests/sim/story.c)
SIM_WRAPS = rename link unlink fsync statvfs64 posix_fallocate64
-include $(SIM_OBJ:.o=.d)
$(BUILD)/sim/%: $(BUILD)/tests/sim/%.o $(SIM_OBJ) $(BUILD)/libaisle.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(SIM_WRAPS:%=-Wl,--wrap=%) -o $@ $^ $(PKG_LIBS)
CUTS ?= 50000
.PHONY: cuts
cuts: $(BUILD)/sim/cuts
	$(Q)printf '%s\n' 1 2 | xargs -P 2 -I {} sh -c '$(run_test) sim/cuts-{} $(BUILD)/sim/cuts $$(($(CUTS) / 2)) $$(($(or $(SEED),1) + ({} - 1) * 1000000))'

# Each call to that disk fails, once and for good, and it is full at any byte; SITES stories of some 500 calls.
SITES ?= 4
.PHONY: faults
faults: $(BUILD)/sim/faults
	$(Q)$(run_test) sim/faults $(BUILD)/sim/faults $(SITES) $(or $(SEED),1)

# One bit of state.db flips, under the engine, ENGINE_FLIPS=10000 times; and under a daemon with overdue timers.
ENGINE_FLIPS ?= 10000
FLIPS ?= 200
.PHONY: flips engine-flips
engine-flips: $(BUILD)/sim/flips
	$(Q)$(run_test) sim/flips $(BUILD)/sim/flips $(ENGINE_FLIPS) $(or $(SEED),1)
flips: engine-flips all
	$(Q)BUILD=$(abspath $(BUILD)) $(run_test) scenario/test_damage /usr/bin/python3 tests/scenario/test_damage.py $(FLIPS)
	$(Q)BUILD=$(abspath $(BUILD)) $(run_test) scenario/test_flipped_files /usr/bin/python3 tests/scenario/test_flipped_files.py $(FLIPS)

# Every parser and protocol edge under random bytes, two at a time: tests/fuzz/run.py. ONLY="json uplink" chooses.
SECONDS = 60
.PHONY: fuzz fuzz-built
fuzz-built: $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/bin/%)
	@:
fuzz: deps-ci
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/fuzz \
		CC="$(if $(findstring clang,$(CC)),$(CC),clang)" \
		CFLAGS="-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
		fuzz-built
	$(Q)SECONDS=$(SECONDS) JOBS=$(JOBS) ONLY="$(ONLY)" FUZZ=build/fuzz/bin /usr/bin/python3 tests/fuzz/run.py
# Each target over its corpus, once: in any build by clang with its sanitizers.
.PHONY: fuzz-corpus
fuzz-corpus: fuzz-built
	$(Q)SECONDS=0 JOBS=$(JOBS) FUZZ=$(BUILD)/bin $(run_test) fuzz/corpus /usr/bin/python3 tests/fuzz/run.py

$(BUILD)/bin/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libaisle.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

.PHONY: bench
bench: deps-ci all $(BENCH_BIN)
	$(Q)set -e; for t in $(filter $(BUILD)/bench/bench_%,$(BENCH_BIN)); do echo "== $$(basename $$t)"; $$t; done
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/models.py --quick
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/loop.py $(LOOP)

# What comes too fast, over the broker as it is shipped: FLOOD='--events 100000 --seconds 20'.
.PHONY: flood
flood: all $(BUILD)/bench/flood $(BUILD)/bench/load
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/flood.py $(FLOOD)

# Headquarters is away for two weeks, and comes back: OFFLINE='--days 14 --a-day 50000'.
.PHONY: offline
offline: all $(BUILD)/bench/load
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/offline.py $(OFFLINE)

# Does what is kept fit what is promised? A state is told DAYS simulated days of EVENTS each, and looked into; AWAY: so many of them without
# headquarters. MORE='--max-mib 1024 --policy FOLDER'. Ten minutes and 2 GiB of a RAM disk.
.PHONY: days
days: all $(BUILD)/bench/age
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/days.py --days $(or $(DAYS),35) --events $(or $(EVENTS),50000) --away $(or $(AWAY),14) $(MORE)

# What an event costs over how much there is: events, customers and profiles, open baskets, actions. CURVES='--only open --time'. An hour.
.PHONY: curves
curves: all $(BUILD)/bench/age
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/curves.py $(CURVES)

# Tables beside what is simpler, on later baskets; DATA=DIR: the sets that are not here, as for make models.
.PHONY: recommend-figures
recommend-figures: $(BUILD)/bench/recommend
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/recommend.py $(if $(DATA),$(abspath $(DATA)))

# Scoring beside the library that trained the model; MODELS='--update docs/benchmarks.md --plot docs/models-speed.svg' writes it down.
.PHONY: bench-models
bench-models: deps-ci $(BUILD)/bench/bench_model $(BUILD)/bench/xgboost_peer
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/models.py $(MODELS)

# Small wrong changes, and whether a test sees them: tests/mutants.py. Hours for all of them; SEED, COUNT (of a room), ROOMS, ONLY (of
# these functions) choose.
.PHONY: mutants
mutants: export MUTANTS_CC = $(CC) $(filter-out -O% -g,$(ALL_CFLAGS)) -O2
mutants: export MUTANTS_LIBS = $(PKG_LIBS)
mutants: deps
	@SEED="$(SEED)" COUNT="$(COUNT)" ONLY="$(ONLY)" ROOMS="$(if $(filter command,$(origin ROOMS)),$(ROOMS))" CC="$(CC)" \
		MAKE="$(MAKE)" BUILD="$(BUILD)" /usr/bin/python3 tests/mutants.py

# ---- what must stay true of the source ----

.PHONY: lint format
lint: all
	$(Q)BUILD=$(BUILD) sh tests/lint.sh
format: deps-ci
	$(Q)git ls-files 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]' | xargs clang-format -i

# ---- what tools find in the source ----

# A stamp for each source and tool: what did not change is not looked at again. What is not asked, and why: .clang-tidy, tests/cppcheck.txt.
ANALYZE_SRC = $(LIB_SRC) src/aisled.c src/aisled_heap.c src/aisled_wire.c $(CTL_SRC)
ANALYZE_FLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc -DAISLE_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
analyzed = $(ANALYZE_SRC:%.c=$(BUILD)/analyze/%.$(1))
# At -O0: what the optimizer takes out is not looked at. It takes what memcpy fills for uninitialized; the others look for that too.
ANALYZE_GCC = -O0 -fanalyzer -Wno-analyzer-use-of-uninitialized-value
# Shows what a tool said where it found something.
quietly = >$@.txt 2>&1 && touch $@ || { cat $@.txt; exit 1; }
$(BUILD)/analyze/%.gcc: %.c
	@mkdir -p $(@D)
	$(Q)gcc $(ANALYZE_FLAGS) $(ANALYZE_GCC) -Werror -MMD -MP -MF $(@:.gcc=.d) -MT $@ -MT $(@:.gcc=.tidy) -c -o /dev/null $< $(quietly)
$(BUILD)/analyze/%.tidy: %.c .clang-tidy
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- $(ANALYZE_FLAGS) $(quietly)
ifneq ($(filter analyze%,$(MAKECMDGOALS)),)
-include $(call analyzed,d)
endif
.PHONY: analyze analyze-gcc analyze-tidy analyze-cppcheck
analyze-gcc: $(call analyzed,gcc)
	@echo "gcc -fanalyzer: $(words $^) sources, no finding"
analyze-tidy: $(call analyzed,tidy)
	@echo "clang-tidy: $(words $^) sources, no finding"
# The two headers have macros that loop.
analyze-cppcheck:
	@mkdir -p $(BUILD)/analyze/cppcheck
	$(Q)cppcheck -q -j$(JOBS) --std=c11 --enable=warning,performance,portability --error-exitcode=1 --template=gcc \
		--cppcheck-build-dir=$(BUILD)/analyze/cppcheck --suppressions-list=tests/cppcheck.txt -D_GNU_SOURCE -Iinclude -Isrc \
		--include=$(shell $(PKG_CONFIG) --variable=includedir jansson)/jansson.h --include=$(shell printf '\043include <sys/queue.h>' | gcc -M -x c - | grep -o '[^ ]*/sys/queue.h') $(ANALYZE_SRC)
	@echo "cppcheck: $(words $(ANALYZE_SRC)) sources, no finding"
analyze: deps-ci
	$(Q)bad=0; for t in gcc tidy cppcheck; do $(MAKE) --no-print-directory -k -j$(JOBS) analyze-$$t || { echo "$$t: findings"; bad=1; }; done; exit $$bad

# ---- ARM under emulation ----

.PHONY: cross-check
cross-check: deps-ci
	$(Q)for c in $(CROSSES); do sh cross/sysroot.sh $$c build/sysroot/$$c || exit 1; for goal in "-j$(JOBS) built" unit replay-same conformance; do \
		$(MAKE) --no-print-directory CROSS=$$c BUILD=build/$$c RESULTS=build/results-$$c WERROR=1 $$goal || exit 1; done; done
CROSSES ?= arm64 armhf

# Margins to the bit of XGBoost and LightGBM; of some of the models where each run is emulated.
.PHONY: conformance
conformance: deps-ci all
	$(Q)$(run_test) conformance/xgboost_models /usr/bin/python3 tests/conformance/xgboost_models.py \
		--aislectl "$(RUN) $(abspath $(BUILD))/aislectl" --every $(if $(RUN),8,1)

# The same events give the same bytes: twice, cut at any turn, here and under emulation.
.PHONY: replay-same
replay-same: all
	$(Q)BUILD=$(abspath $(BUILD)) RUN="$(RUN)" $(run_test) replay/$(notdir $(BUILD)) /usr/bin/python3 tests/conformance/replay_same.py

# ---- models ----

# From models/training/data to models/reference and the table of models/README.md, the same bytes each time.
# DATA=DIR cuts that data anew and measures what is not shipped: DIR/complete_journey, DIR/hillstrom_email, DIR/online_retail.
.PHONY: models models-same
deps-models: deps
	@$(call install_debs,$(DEBS_MODELS))
models: deps-models $(BUILD)/aislectl
	$(Q)$(if $(DATA),/usr/bin/python3 models/training/slice.py $(DATA)/complete_journey)
	$(Q)$(if $(DATA),BUILD=$(abspath $(BUILD)) /usr/bin/python3 models/training/outside.py $(DATA))
	$(Q)BUILD=$(abspath $(BUILD)) /usr/bin/python3 models/training/train.py
models-same: deps-models $(BUILD)/aislectl
	$(Q)set -e; for t in export_models models_labels models_same; do BUILD=$(abspath $(BUILD)) $(run_test) conformance/$$t \
		/usr/bin/python3 tests/conformance/$$t.py; done

# ---- install ----

prefix ?= /usr
sysconfdir ?= /etc
mandir ?= $(prefix)/share/man
.PHONY: install clean help demo
install: all $(BUILD)/lib/libaisle.a
	install -D -m 755 $(BUILD)/aisled $(DESTDIR)$(prefix)/sbin/aisled
	install -D -m 755 $(BUILD)/aislectl $(DESTDIR)$(prefix)/bin/aislectl
	install -D -m 644 systemd/aisled.service $(DESTDIR)$(prefix)/lib/systemd/system/aisled.service
	install -D -m 644 systemd/aisle-link.service $(DESTDIR)$(prefix)/lib/systemd/system/aisle-link.service
	for s in aisled aisle-link; do sed -i 's,/usr/sbin/,$(prefix)/sbin/,' $(DESTDIR)$(prefix)/lib/systemd/system/$$s.service; done
	install -D -m 644 systemd/aisle.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/aisle.conf
	install -D -m 644 systemd/aisled.socket $(DESTDIR)$(prefix)/lib/systemd/system/aisled.socket
	install -D -m 644 systemd/aisle-link.socket $(DESTDIR)$(prefix)/lib/systemd/system/aisle-link.socket
	install -D -m 644 systemd/aisle.tmpfiles $(DESTDIR)$(prefix)/lib/tmpfiles.d/aisle.conf
	for f in systemd/examples/*.conf; do install -D -m 644 $$f $(DESTDIR)$(prefix)/share/aisle/systemd/$$(basename $$f); done
	for f in $$(cd firmware-config/hq && find . -type f); do install -D -m 644 firmware-config/hq/$$f $(DESTDIR)$(prefix)/share/aisle/hq/$$f; done
	for f in systemd/hq/*; do install -D -m 644 $$f $(DESTDIR)$(prefix)/share/aisle/hq/systemd/$$(basename $$f); done
	@# An operator's file is never written over. No secret is in it: those are files of their own.
	f=$(DESTDIR)$(sysconfdir)/aisle/aisled.conf; [ ! -e $$f ] || f=$$f.new; install -D -m 644 firmware-config/aisled.conf $$f
	install -D -m 644 firmware-config/aclfile $(DESTDIR)$(prefix)/share/aisle/aclfile
	for s in 1 5 8; do for f in docs/man/*.$$s; do install -D -m 644 $$f $(DESTDIR)$(mandir)/man$$s/$$(basename $$f); done; done
	install -D -m 644 $(BUILD)/lib/libaisle.a $(DESTDIR)$(prefix)/lib/libaisle.a
	for f in engine error; do install -D -m 644 include/aisle/$$f.h $(DESTDIR)$(prefix)/include/aisle/$$f.h; done
	install -D -m 644 src/aisle.pc.in $(DESTDIR)$(prefix)/lib/pkgconfig/aisle.pc
	sed -i 's,@prefix@,$(prefix),; s,@version@,$(VERSION),; s,@requires@,$(LIBRARY_PKGS),' $(DESTDIR)$(prefix)/lib/pkgconfig/aisle.pc
	install -D -m 644 docs/aislectl.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/aislectl
	install -D -m 644 firmware-config/mosquitto.conf $(DESTDIR)$(prefix)/share/aisle/mosquitto.conf
	cd models/starter && for f in *.json */*; do install -D -m 644 $$f $(DESTDIR)$(prefix)/share/aisle/starter/$$f; done
	for f in firmware-config/mappings/*.json; do install -D -m 644 $$f $(DESTDIR)$(prefix)/share/aisle/mappings/$$(basename $$f); done

demo: deps
	@start=$$(date +%s); echo "building, $(JOBS) files at a time: one to four minutes the first time"; \
		$(MAKE) --no-print-directory -j$(JOBS) all && echo "built in $$(($$(date +%s) - start)) s"
	@BUILD=$(abspath $(BUILD)) /usr/bin/python3 models/demo/demo.py $(DEMO)

clean:
	rm -rf build

help:
	@echo "make demo       install what is missing, build, run a store day, say what to open"
	@echo "make check      install what is missing, build, test (under 12 minutes)"
	@echo "make check-ci   sanitizers, ARM under emulation, crashes, the page in a browser"
	@echo "make fresh      make demo and make check in an empty Debian 12"
	@echo "make bench      figures; make bench-models: models beside XGBoost"
	@echo "make conformance  margins of models, against XGBoost"
	@echo "make hq         the collector before PostgreSQL and a NATS cluster"
	@echo "make fleet      STORES=200 stores through FORM=brokers|nats into PostgreSQL, parts of it killed"
	@echo "make hq-brokers, make hq-nats  headquarters' endpoint as it is shipped, on loopback, to try"
	@echo "make days       35 simulated days of 50,000 events: what is kept, and does it fit; make curves: what an event costs over it"
	@echo "make flood      a backlog, and 10,000 messages a second, beside another till"
	@echo "make crash      kill -9, KILLS=200 times, under load"
	@echo "make full       a file system that is full, of bytes and of inodes, FULL=1 times at five moments"
	@echo "make decisions  decisions of chance made the slow way too, DECISIONS=100000"
	@echo "make cuts       CUTS=50000 power cuts on a simulated disk, seeds from SEED=1"
	@echo "make faults     each call to the disk fails, once and for good, over SITES=4 stories; full at any byte"
	@echo "make sequences  the store beside a model of its contract, SEQUENCES=200000 times"
	@echo "make silent-shops  what train makes of SILENT=100 shops without a signal"
	@echo "make mutants    small wrong changes, COUNT=40 a room; what no test sees is listed"
	@echo "make fuzz       every parser and protocol edge, SECONDS=60 each"
	@echo "make flips      one bit of the state flips, ENGINE_FLIPS=10000 times under the engine, FLIPS=200 under the daemon"
	@echo "make lint       what must stay true of the source"
	@echo "make analyze    gcc -fanalyzer, clang-tidy and cppcheck over src, JOBS=2 at a time"
	@echo "make format     sources as .clang-format has them"
	@echo "make models     trains models/reference; DATA=DIR for what is not shipped"
	@echo "make models-same  twice, the same bytes; and in a policy"
	@echo "make screenshots  docs/images anew, from the browser test"
	@echo "make install    DESTDIR=, prefix=/usr"
	@echo "make clean"

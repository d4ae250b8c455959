# Pneumail - GNU make 4 or later.
#   make                 everything, below build/
#   make setup check     install into conf-qmail's directory (DESTDIR before it), check it
#   make up | down       run a whole mail host here: see README.md
#   make deb | package       a Debian package | the files of one, below DESTDIR, as any user
#   make test lint        every test suite | the static checks
#   make bench | bench-plot  speed beside other systems | charts of it
#   make test-full | soak  the proofs to their full figures | for SOAK=SECONDS, or until stopped
#   make SAN=address,undefined ...   the same with sanitizers, below build-san/
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1
BUILD := build$(if $(SAN),-san)
O := $(BUILD)/obj
B := $(BUILD)/bin
CC := $(shell head -n 1 conf-cc)
SHELL := /bin/sh

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
	-Wwrite-strings -Wformat=2 -Wvla -Wundef -Wconversion -Wsign-conversion
STD := -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -Isrc -I$(BUILD) -MMD -MP
HARD := -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections \
	$(if $(SAN),-g -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all, \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
CFLAGS_ALL = $(STD) $(WARN) $(HARD) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,--gc-sections,--as-needed,-O1,--hash-style=gnu \
	$(if $(SAN),-fsanitize=$(SAN),-s) $(LDFLAGS)

# What runs anew for each message or connection is linked statically where musl is at hand, which
# more than halves the cost of an exec (src/README.md); `make MUSL=` links everything as usual.
MUSL := $(if $(SAN),,$(shell command -v musl-gcc))
S := $(if $(MUSL),$(BUILD)/static,$O)
MUSL_CC = $(MUSL) $(wordlist 2,99,$(CC)) -idirafter /usr/include \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch)
# These need the resolver, OpenSSL or libcrypt, made for the system's own C library.
NO_MUSL := src/net/dns.c src/net/idn.c src/pop3/password.c $(filter-out src/tls/ucspi.c src/tls/verdict.c,$(wildcard src/tls/*.c))
MUSL_LIB := $(if $(MUSL),$(shell $(MUSL) -v 2>&1 | sed -n 's,^Reading specs from \(.*\)/musl-gcc.specs,\1,p'))
# A static PIE, so that the address space is laid out at random as for the others.
MUSL_LINK = $(MUSL) -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text \
	$(filter-out -pie,$(LDFLAGS_ALL)) $(addprefix $(MUSL_LIB)/,rcrt1.o crti.o crtn.o)

SAN_OPTIONS := $(if $(SAN),tests/san/options.c)

# What a folder shares lives in one archive; a file with main is named like its program.
FOLDERS := lib mail net tls spf queue send spawn local remote smtp qmtp pop3 inject users tools install
LIB := $O/lib.a
MAIL := $O/mail.a $(LIB)
NET := $O/net.a
SPF := $O/spf.a $(NET) $(LIB)
TLS := $O/tls.a
QUEUE := $O/queue.a $(MAIL)
CDB := $(shell $(CC) -print-file-name=libcdb.a)
# Names of domains beyond US-ASCII; without these two libraries they do not exist.
IDN := $(wildcard $(foreach l,idn2 unistring,$(shell $(CC) -print-file-name=lib$l.a)))
IDN := $(if $(word 2,$(IDN)),$(IDN))
S_MAIL := $S/mail.a $S/lib.a
S_QUEUE := $S/queue.a $(S_MAIL)

all it: programs boot

# ---- programs ----
include src/programs.mk
PROGRAMS := $(shell sed -n 's,^$$B/\([a-z0-9-]*\): .*,\1,p' src/programs.mk)
SCRIPTS := $(patsubst src/%.sh,$B/%,$(shell find src -name '*.sh' | sed 's,src/[^/]*/,src/,'))

programs: $(addprefix $B/,$(PROGRAMS)) $(SCRIPTS)

$(addprefix $B/,$(PROGRAMS)):
	@mkdir -p $(@D)
	$(if $(filter $(BUILD)/static/%,$<),$(MUSL_LINK),$(CC) $(LDFLAGS_ALL)) -o $@ \
	    $(filter %.o,$^) $(SAN_OPTIONS) $(filter %.a,$+) $(LIBS_$(@F))

# ---- objects and archives ----
define ARCHIVE
$(1)/$(2).a: $(patsubst src/%.c,$(1)/%.o,$(filter-out $(PROGRAMS:%=src/$(2)/%.c) \
	$(if $(filter %/static,$(1)),$(NO_MUSL)),$(wildcard src/$(2)/*.c)))
endef
$(foreach f,$(FOLDERS),$(foreach o,$(sort $O $S),$(eval $(call ARCHIVE,$o,$f))))

%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsD $@ $(filter %.o,$^)

$O/%.o: src/%.c $(BUILD)/site.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(if $(IDN),-DWITH_IDN2) -c -o $@ $<
$(BUILD)/static/%.o: src/%.c $(BUILD)/site.h
	@mkdir -p $(@D)
	$(MUSL_CC) $(CFLAGS_ALL) -c -o $@ $<

# An administrator's older build may have differed: conf-split, conf-users, conf-groups,
# conf-break and conf-patrn are honoured where they exist.
CONF := $(wildcard conf-qmail conf-spawn conf-split conf-users conf-groups conf-break conf-patrn)
$(BUILD)/site.h: $(CONF) src/install/site-h.awk
	@mkdir -p $(@D)
	awk -f src/install/site-h.awk $(CONF) > $@.tmp
	mv -f $@.tmp $@

# Scripts: @HOME@, @SPLIT@, @USER_DAEMON@, @GROUP_QMAIL@ and so on are filled in from site.h.
FILL := $(BUILD)/fill.sed
$(FILL): $(BUILD)/site.h
	sed -n 's/^#define SITE_\([A-Z_]*\) "*\([^"]*\)"*$$/s,@\1@,\2,g/p' $< > $@
vpath %.sh $(addprefix src/,$(FOLDERS))
$B/%: %.sh $(FILL)
	@mkdir -p $(@D)
	sed -f $(FILL) $< > $@.tmp
	chmod 755 $@.tmp
	mv -f $@.tmp $@

# ---- unit tests ----
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/test/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/test/%,$(wildcard tests/fuzz/fuzz_*.c))
units: $(UNITS) $(FUZZERS)
UNIT_LIBS := $(FOLDERS:%=$O/%.a)
$(BUILD)/test/%: tests/unit/%.c tests/unit/tap.h $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Itests/unit $(LDFLAGS_ALL) -o $@ $< -Wl,--start-group \
	    $(UNIT_LIBS) -Wl,--end-group $(CDB) $(IDN) -lresolv -lcrypt -lssl -lcrypto
$(BUILD)/test/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/loop.c tests/fuzz/fuzz.h $(BUILD)/rig/rig.a $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.c,$^) -Wl,--start-group \
	    $(BUILD)/rig/rig.a $(UNIT_LIBS) -Wl,--end-group $(CDB) $(IDN) -lresolv -lcrypt -lssl -lcrypto

# ---- fuzzing: tests/fuzz/run has all targets built into one program, with its own BUILD and CC ----
RIG := $(patsubst tests/fuzz/%.c,$(BUILD)/rig/%.o,$(wildcard tests/fuzz/rig*.c))
$(BUILD)/rig/rig.a: $(RIG)
	@rm -f $@
	$(AR) rcsD $@ $^
$(BUILD)/rig/%.o: tests/fuzz/%.c $(BUILD)/site.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -I$(@D) -c -o $@ $<
$(BUILD)/rig/fuzz_%.o: tests/fuzz/fuzz_%.c $(BUILD)/site.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -DLLVMFuzzerTestOneInput=run_$* -Dfuzz_words=words_$* -c -o $@ $<
$(BUILD)/rig/targets.h: $(wildcard tests/fuzz/fuzz_*.c)
	@mkdir -p $(@D)
	printf 'TARGET(%s)\n' $(FUZZERS:$(BUILD)/test/fuzz_%=%) > $@
$(BUILD)/rig/driver.o: $(BUILD)/rig/targets.h
$(BUILD)/fuzz: $(BUILD)/rig/driver.o $(BUILD)/rig/patience.o $(RIG) $(FUZZERS:$(BUILD)/test/%=$(BUILD)/rig/%.o) $(UNIT_LIBS)
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) -Wl,--start-group \
	    $(UNIT_LIBS) -Wl,--end-group $(CDB) $(IDN) -lresolv -lcrypt -lssl -lcrypto
$(BUILD)/planted: $(BUILD)/rig/planted.o $(BUILD)/rig/patience.o
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^

# ---- manuals: the build's choices filled in, second names made ----
man: $(BUILD)/man.done
$(BUILD)/man.done: man/render man/MLINKS $(wildcard man/*.[1-8]) $(CONF) Makefile
	man/render $(BUILD)/man
	touch $@

# ---- installing, running, testing ----
setup: all man boot doc
	$B/setup $(BUILD)
check: all man boot doc
	$B/instcheck $(BUILD)
package: all man boot doc
	$B/setup --files $(BUILD)
deb: all man boot doc
	@src/install/deb.sh $(BUILD) $(VERSION)

boot: $(patsubst %,$(BUILD)/%,$(filter-out %.md,$(wildcard boot/*[a-z0-9])))
$(BUILD)/boot/%: boot/% $(FILL)
	@mkdir -p $(@D)
	sed -f $(FILL) $< > $@.tmp && mv -f $@.tmp $@

FILTERS := $(wildcard src/install/fail2ban/*.conf)
doc: $(patsubst %,$(BUILD)/doc/%,INSTALL README.md $(notdir $(FILTERS)))
vpath %.conf $(dir $(FILTERS))
$(BUILD)/doc/%: %
	@mkdir -p $(@D)
	cp $< $@

# Variables of these names in the environment mean something else.
given = $(if $(findstring command,$(origin $1)),"$1=$($1)")
up: ; @src/install/up.sh $(call given,HOST) $(call given,SENDMAIL)
down: $B/services ; @src/install/down.sh $(call given,SENDMAIL)
test: ; @tests/run
test-full: ; @DEPTH=full tests/run
soak: all ; @tests/soak $(SOAK)
lint: ; @tests/lint/run
bench: all ; @tests/bench/run
bench-plot: ; @tests/bench/plot
clean: ; rm -rf build build-san

.PHONY: all it programs units setup check package deb man boot doc up down test test-full soak lint bench bench-plot clean
-include $(shell find $O $S $(BUILD)/test $(BUILD)/rig -name '*.d' 2>/dev/null)

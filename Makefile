# Pneumail - GNU make 4 or later.
#   make                 everything, below build/
#   make setup check     install into conf-qmail's directory (DESTDIR before it), check it
#   make up | down       run a whole mail host here: see README.md
#   make deb | package       a Debian package | the files of one, below DESTDIR, as any user
#   make test lint bench  every test suite | the static checks | speed beside other systems
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

SAN_OPTIONS := $(if $(SAN),tests/san/options.c)

# What a folder shares lives in one archive; a file with main is named like its program.
FOLDERS := lib mail net tls queue send spawn local remote smtp qmtp pop3 inject users tools install
LIB := $O/lib.a
MAIL := $O/mail.a $(LIB)
NET := $O/net.a
TLS := $O/tls.a
QUEUE := $O/queue.a $(MAIL)
CDB := -l:libcdb.a

all it: programs boot

# ---- programs: what each one links, highest layer first ----
# folder queue
$B/qmail-queue: $O/queue/qmail-queue.o $(QUEUE)
$B/qmail-clean: $O/queue/qmail-clean.o $(QUEUE)
$B/qmail-qread: $O/queue/qmail-qread.o $(QUEUE)
$B/qmail-qstat: $O/queue/qmail-qstat.o $(QUEUE)
$B/qmail-qcheck: $O/queue/qmail-qcheck.o $(QUEUE)
# folder send
$B/qmail-send: $O/send/qmail-send.o $O/send.a $(QUEUE)
$B/qmail-todo: $O/send/qmail-todo.o $O/send.a $(QUEUE)
$B/qmail-start: $O/send/qmail-start.o $O/send.a $(QUEUE)
# folder spawn
$B/qmail-lspawn: $O/spawn/qmail-lspawn.o $O/spawn.a $(QUEUE)
$B/qmail-rspawn: $O/spawn/qmail-rspawn.o $O/spawn.a $(QUEUE)
# folder local
$B/qmail-local: $O/local/qmail-local.o $O/local.a $(QUEUE)
$B/forward: $O/local/forward.o $O/local.a $(QUEUE)
$B/condredirect: $O/local/condredirect.o $O/local.a $(QUEUE)
$B/bouncesaying: $O/local/bouncesaying.o $O/local.a $(QUEUE)
$B/except: $O/local/except.o $O/local.a $(QUEUE)
$B/preline: $O/local/preline.o $O/local.a $(QUEUE)
$B/maildirmake: $O/local/maildirmake.o $O/local.a $(QUEUE)
$B/maildir2mbox: $O/local/maildir2mbox.o $O/local.a $(QUEUE)
$B/maildirwatch: $O/local/maildirwatch.o $O/local.a $(QUEUE)
$B/qreceipt: $O/local/qreceipt.o $O/local.a $(QUEUE)
$B/qbiff: $O/local/qbiff.o $O/local.a $(QUEUE)
# folder remote
$B/qmail-remote: $O/remote/qmail-remote.o $O/remote.a $(NET) $(TLS) $(QUEUE)
$B/qmail-qmqpc: $O/remote/qmail-qmqpc.o $O/remote.a $(NET) $(QUEUE)
$B/qmail-tcpto: $O/remote/qmail-tcpto.o $O/remote.a $(NET) $(QUEUE)
$B/qmail-tcpok: $O/remote/qmail-tcpok.o $O/remote.a $(NET) $(QUEUE)
# folder smtp
$B/qmail-smtpd: $O/smtp/qmail-smtpd.o $O/smtp.a $(NET) $(TLS) $(QUEUE)
# folder qmtp
$B/qmail-qmtpd: $O/qmtp/qmail-qmtpd.o $O/qmtp.a $(QUEUE)
$B/qmail-qmqpd: $O/qmtp/qmail-qmqpd.o $O/qmtp.a $(QUEUE)
# folder pop3
$B/qmail-popup: $O/pop3/qmail-popup.o $O/pop3.a $(MAIL)
$B/qmail-pop3d: $O/pop3/qmail-pop3d.o $O/pop3.a $(MAIL)
$B/checkpassword: $O/pop3/checkpassword.o $O/pop3.a $(MAIL)
# folder inject
$B/qmail-inject: $O/inject/qmail-inject.o $O/inject.a $(QUEUE)
$B/sendmail: $O/inject/sendmail.o $O/inject.a $(QUEUE)
$B/predate: $O/inject/predate.o $O/inject.a $(QUEUE)
$B/qsmhook: $O/inject/qsmhook.o $O/inject.a $(QUEUE)
# folder users
$B/qmail-getpw: $O/users/qmail-getpw.o $O/users.a $(MAIL)
$B/qmail-pw2u: $O/users/qmail-pw2u.o $O/users.a $(MAIL)
$B/qmail-newu: $O/users/qmail-newu.o $O/users.a $(MAIL)
# folder tools
$B/qmail-showctl: $O/tools/qmail-showctl.o $O/tools.a $(NET) $(QUEUE)
$B/qmail-newmrh: $O/tools/qmail-newmrh.o $O/tools.a $(NET) $(QUEUE)
$B/splogger: $O/tools/splogger.o $O/tools.a $(NET) $(QUEUE)
$B/tcp-env: $O/tools/tcp-env.o $O/tools.a $(NET) $(QUEUE)
# ... for `config` and for looking at DNS as the suite does; not installed in bin
$B/hostname: $O/tools/hostname.o $O/tools.a $(NET) $(QUEUE)
$B/ipmeprint: $O/tools/ipmeprint.o $O/tools.a $(NET) $(QUEUE)
$B/dnsip: $O/tools/dnsip.o $O/tools.a $(NET) $(QUEUE)
$B/dnsptr: $O/tools/dnsptr.o $O/tools.a $(NET) $(QUEUE)
$B/dnsmxip: $O/tools/dnsmxip.o $O/tools.a $(NET) $(QUEUE)
$B/dnscname: $O/tools/dnscname.o $O/tools.a $(NET) $(QUEUE)
$B/dnsfq: $O/tools/dnsfq.o $O/tools.a $(NET) $(QUEUE)
# folder install: used from the tree, not installed
$B/setup: $O/install/setup.o $O/install.a $(LIB)
$B/instcheck: $O/install/instcheck.o $O/install.a $(LIB)

LIBS_qmail-lspawn := $(CDB)
LIBS_qmail-smtpd := $(CDB)
LIBS_qmail-qmtpd := $(CDB)
LIBS_qmail-newu := $(CDB)
LIBS_qmail-newmrh := $(CDB)
LIBS_qmail-showctl := $(CDB)
LIBS_qmail-remote := -lresolv
LIBS_tcp-env := -lresolv
LIBS_dnsip := -lresolv
LIBS_dnsptr := -lresolv
LIBS_dnsfq := -lresolv
LIBS_dnsmxip := -lresolv
LIBS_dnscname := -lresolv
LIBS_checkpassword := -lcrypt

PROGRAMS := $(shell sed -n 's,^$$B/\([a-z0-9-]*\): .*,\1,p' Makefile)
SCRIPTS := $(patsubst src/%.sh,$B/%,$(shell find src -name '*.sh' | sed 's,src/[^/]*/,src/,'))

programs: $(addprefix $B/,$(PROGRAMS)) $(SCRIPTS)

$(addprefix $B/,$(PROGRAMS)):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(SAN_OPTIONS) $(filter %.a,$+) $(LIBS_$(@F))

# ---- objects and archives ----
define ARCHIVE
$O/$(1).a: $(patsubst src/%.c,$O/%.o,$(filter-out $(PROGRAMS:%=src/$(1)/%.c),$(wildcard src/$(1)/*.c)))
endef
$(foreach f,$(FOLDERS),$(eval $(call ARCHIVE,$f)))

$O/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsD $@ $(filter %.o,$^)

$O/%.o: src/%.c $(BUILD)/site.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

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
	    $(UNIT_LIBS) -Wl,--end-group $(CDB) -lresolv -lcrypt
$(BUILD)/test/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/loop.c tests/fuzz/fuzz.h $(BUILD)/rig/rig.a $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.c,$^) -Wl,--start-group \
	    $(BUILD)/rig/rig.a $(UNIT_LIBS) -Wl,--end-group $(CDB) -lresolv -lcrypt

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
	    $(UNIT_LIBS) -Wl,--end-group $(CDB) -lresolv -lcrypt
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

doc: $(patsubst %,$(BUILD)/doc/%,INSTALL README.md)
$(BUILD)/doc/%: %
	@mkdir -p $(@D)
	cp $< $@

# Variables of these names in the environment mean something else.
given = $(if $(findstring command,$(origin $1)),"$1=$($1)")
up: ; @src/install/up.sh $(call given,HOST) $(call given,SENDMAIL)
down: ; @src/install/down.sh $(call given,SENDMAIL)
test: ; @tests/run
test-full: ; @DEPTH=full tests/run
soak: all ; @tests/soak $(SOAK)
lint: ; @tests/lint/run
bench: all ; @tests/bench/run
clean: ; rm -rf build build-san

.PHONY: all it programs units setup check package deb man boot doc up down test test-full soak lint bench clean
-include $(shell find $O $(BUILD)/test $(BUILD)/rig -name '*.d' 2>/dev/null)

# programs - what each program links, highest layer first.  From $S comes what runs anew for each
# message or connection and is linked statically where that is possible, from $O all else.

# folder queue
$B/qmail-queue: $S/queue/qmail-queue.o $(S_QUEUE)
$B/qmail-clean: $O/queue/qmail-clean.o $(QUEUE)
$B/qmail-qread: $O/queue/qmail-qread.o $(QUEUE)
$B/qmail-qstat: $O/queue/qmail-qstat.o $(QUEUE)
$B/qmail-qfilter: $O/queue/qmail-qfilter.o $(QUEUE)
$B/qmail-qcheck: $O/queue/qmail-qcheck.o $(QUEUE)
# folder send
$B/qmail-send: $O/send/qmail-send.o $O/send.a $(QUEUE)
$B/qmail-todo: $O/send/qmail-todo.o $O/send.a $(QUEUE)
$B/qmail-start: $O/send/qmail-start.o $O/send.a $(QUEUE)
# folder spawn
$B/qmail-lspawn: $O/spawn/qmail-lspawn.o $O/spawn.a $(QUEUE)
$B/qmail-rspawn: $O/spawn/qmail-rspawn.o $O/spawn.a $(QUEUE)
$B/spawn-filter: $O/spawn/spawn-filter.o $O/spawn.a $(QUEUE)
# folder local
$B/qmail-local: $S/local/qmail-local.o $S/local.a $(S_QUEUE)
$B/forward: $S/local/forward.o $S/local.a $(S_QUEUE)
$B/condredirect: $S/local/condredirect.o $S/local.a $(S_QUEUE)
$B/bouncesaying: $S/local/bouncesaying.o $S/local.a $(S_QUEUE)
$B/except: $S/local/except.o $S/local.a $(S_QUEUE)
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
$B/qmail-smtpd: $S/smtp/qmail-smtpd.o $S/smtp.a $S/spf.a $S/net.a $S/tls.a $(S_QUEUE)
$B/rcptcheck-overlimit: $S/smtp/rcptcheck-overlimit.o $S/smtp.a $S/net.a $(S_MAIL)
$B/qmail-dnsask: $O/smtp/qmail-dnsask.o $O/smtp.a $(NET) $(TLS) $(QUEUE)
# folder spf
$B/qmail-spf: $O/spf/qmail-spf.o $(SPF)
$B/spfquery: $O/spf/spfquery.o $(SPF)
# folder qmtp
$B/qmail-qmtpd: $S/qmtp/qmail-qmtpd.o $S/qmtp.a $(S_QUEUE)
$B/qmail-qmqpd: $S/qmtp/qmail-qmqpd.o $S/qmtp.a $(S_QUEUE)
# folder tls
$B/qmail-tls: $O/tls/qmail-tls.o $(TLS) $(LIB)
$B/tcpserver-ssl: $O/tls/tcpserver-ssl.o $(LIB)
# folder pop3
$B/qmail-popup: $O/pop3/qmail-popup.o $O/pop3.a $(TLS) $(MAIL)
$B/qmail-pop3d: $S/pop3/qmail-pop3d.o $S/pop3.a $(S_MAIL)
$B/checkpassword: $O/pop3/checkpassword.o $O/pop3.a $(MAIL)
$B/checkpassword-cdb: $O/pop3/checkpassword-cdb.o $O/pop3.a $(MAIL)
$B/checkpassword-smtp: $O/pop3/checkpassword-smtp.o $O/pop3.a $(MAIL)
# folder inject
$B/qmail-inject: $O/inject/qmail-inject.o $O/inject.a $(QUEUE)
$B/sendmail: $S/inject/sendmail.o $S/inject.a $(S_QUEUE)
$B/predate: $O/inject/predate.o $O/inject.a $(QUEUE)
$B/qsmhook: $O/inject/qsmhook.o $O/inject.a $(QUEUE)
# folder users
$B/qmail-getpw: $O/users/qmail-getpw.o $O/users.a $(QUEUE)
$B/qmail-pw2u: $O/users/qmail-pw2u.o $O/users.a $(MAIL)
$B/qmail-newu: $O/users/qmail-newu.o $O/users.a $(MAIL)
$B/qmail-chkuser: $O/users/qmail-chkuser.o $O/users.a $(MAIL)
$B/qmail-newpw: $O/users/qmail-newpw.o $O/users.a $(MAIL)
# folder tools
$B/qmail-showctl: $O/tools/qmail-showctl.o $O/tools.a $(NET) $(QUEUE)
$B/qmail-newmrh: $O/tools/qmail-newmrh.o $O/tools.a $(NET) $(QUEUE)
$B/qmail-newmvrt: $O/tools/qmail-newmvrt.o $O/tools.a $(NET) $(QUEUE)
$B/splogger: $O/tools/splogger.o $O/tools.a $(NET) $(QUEUE)
$B/qmail-climit: $S/tools/qmail-climit.o $S/tools.a $S/net.a $(S_MAIL)
$B/qmail-proxy: $S/tools/qmail-proxy.o $S/tools.a $S/net.a $(S_MAIL)
$B/ipmetest: $O/tools/ipmetest.o $O/tools.a $(NET) $(QUEUE)
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

# libraries
LIBS_qmail-lspawn := $(CDB)
LIBS_qmail-smtpd := $(CDB)
LIBS_qmail-qmtpd := $(CDB)
LIBS_qmail-newu := $(CDB)
LIBS_qmail-chkuser := $(CDB)
LIBS_qmail-newpw := $(CDB)
LIBS_qmail-newmrh := $(CDB)
LIBS_qmail-newmvrt := $(CDB)
LIBS_qmail-showctl := $(CDB)
LIBS_qmail-remote := $(IDN) -lresolv $(if $(SAN),,-static-pie)
LIBS_qmail-spf := $(IDN) -lresolv
LIBS_spfquery := $(IDN) -lresolv
LIBS_qmail-proxy := $(CDB)
LIBS_tcp-env := $(IDN) -lresolv
LIBS_qmail-dnsask := $(IDN) -lresolv
LIBS_dnsip := $(IDN) -lresolv
LIBS_dnsptr := $(IDN) -lresolv
LIBS_dnsfq := $(IDN) -lresolv
LIBS_dnsmxip := $(IDN) -lresolv
LIBS_dnscname := $(IDN) -lresolv
LIBS_checkpassword := -lcrypt
LIBS_checkpassword-cdb := $(CDB) -lcrypt
LIBS_checkpassword-smtp := $(CDB) -lcrypt
LIBS_qmail-tls := -lssl -lcrypto

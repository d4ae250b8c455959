#!/bin/sh
# deb - the Debian package: BUILD/pneumail_VERSION_ARCH.deb.
# Usage: deb BUILD VERSION     Run by: make deb, as anybody, when everything is built.
# The tree of `setup --files` without what must not be lost when the package goes; postinst makes
# those directories, gives files their group and qmail-queue its owner, so a package carries no
# ids and nothing set-uid.  Same tree, same bytes: times are those of the last change.
# Environment: DEBFULLNAME, DEBEMAIL: the maintainer; SOURCE_DATE_EPOCH: the time.
# Exit: 0; 1 with one line.
set -eu
build=$1
version=$2
home=$(head -n 1 conf-qmail)
lib=/usr/lib/pneumail
stage=$build/deb/debian/pneumail	# as dpkg-shlibdeps expects it
maintainer="${DEBFULLNAME:-Pneumail packagers} <${DEBEMAIL:-packagers@pneumail.invalid}>"
umask 022

fail() {
	echo "make deb: $*" >&2
	exit 1
}

for tool in dpkg-deb dpkg-shlibdeps objdump; do
	command -v "$tool" >/dev/null || fail "needs $tool (Debian: dpkg-dev)"
done
[ -n "${SOURCE_DATE_EPOCH-}" ] || SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) ||
    SOURCE_DATE_EPOCH=$(stat -c %Y Makefile)
export SOURCE_DATE_EPOCH
arch=$(dpkg --print-architecture)

# fill FILE: with the places of this build.
fill() {
	sed -f "$build/fill.sed" -e "s,@LIB@,$lib,g" "$1"
}

# What `make setup` puts into the home directory; the rest is made by postinst.
suite() {
	DESTDIR=$stage "$build/bin/setup" --files "$build" || fail "the files could not be staged"
	rm -rf "$stage$home/queue" "$stage$home/control" "$stage$home/users" "$stage$home/alias"
	chmod 711 "$stage$home/bin/qmail-queue" "$stage$home/bin/qmail-tls" \
	    "$stage$home/bin/qmail-chkuser" "$stage$home/bin/checkpassword-smtp"
	mkdir -p "$stage$lib"
	for name in setup instcheck accounts firstconfig services selftest; do
		install -m 755 "$build/bin/$name" "$stage$lib/$name"
	done
}

commands() {
	mkdir -p "$stage/usr/sbin" "$stage/usr/bin"
	ln -s "$home/bin/sendmail" "$stage/usr/sbin/sendmail"
	ln -s ../sbin/sendmail "$stage/usr/lib/sendmail"
	ln -s "$home/bin/sendmail" "$stage/usr/bin/mailq"
	ln -s "$home/bin/sendmail" "$stage/usr/bin/newaliases"
}

# Pages with a general name would meet those of other packages: maildir(5) of courier, mbox(5) of
# mutt.  The section's suffix keeps them apart; man finds them all the same.
manuals() {
	for page in "$build"/man/*.[1-8]; do
		name=${page##*/}
		case $name in
		*qmail* | pneumail.* | sendmail.* | mailq.* | newaliases.*) to=$name ;;
		*) to=${name}qmail ;;
		esac
		section=${name##*.}
		mkdir -p "$stage/usr/share/man/man$section"
		gzip -9n <"$page" >"$stage/usr/share/man/man$section/$to.gz"
	done
}

documents() {
	doc=$stage/usr/share/doc/pneumail
	mkdir -p "$doc"
	cp README.md "$doc/README.md"
	fill src/install/debian/README.md >"$doc/README.Debian"
	{
		echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
		echo 'Upstream-Name: Pneumail'
		echo
		echo 'Files: *'
		sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
		echo 'License: 0BSD'
		sed '1,/^Copyright/d' LICENSE | sed '1{/^$/d;}; s/^$/./; s/^/ /'
	} >"$doc/copyright"
	{
		echo "pneumail ($version) stable; urgency=medium"
		echo
		echo '  * Made from the source tree; its log says what has changed.'
		echo
		echo " -- $maintainer  $(date -uR -d "@$SOURCE_DATE_EPOCH")"
	} | gzip -9n >"$doc/changelog.gz"
}

# What lintian finds and we mean: the home directory is where every document and add-on for qmail
# looks, and what only root or the suite may run is not for others to read.
overrides() {
	mkdir -p "$stage/usr/share/lintian/overrides"
	cat >"$stage/usr/share/lintian/overrides/pneumail" <<-END
	# The home directory of qmail, as all documents and add-ons know it.
	pneumail: non-standard-dir-in-var *
	pneumail: file-in-unusual-dir [${home#/}/*]
	# Modes of qmail: programs that only root or the suite's accounts run.
	pneumail: executable-is-not-world-readable *
	pneumail: non-standard-executable-perm *
	# Programs that run once for each message are static, for the speed of their start.
	pneumail: shared-library-lacks-prerequisites [${home#/}/bin/*]
	pneumail: statically-linked-binary [${home#/}/bin/*]
	END
}

# Programs that need shared objects.
dynamic_files() {
	find "$1" -type f -perm -u+x | while read -r file; do
		[ "$(head -c 4 "$file" | tail -c 3)" != ELF ] ||
		    ! objdump -p "$file" | grep -q NEEDED || echo "$file"
	done
}

# On libraries, as the programs are linked.
dependencies() {
	echo 'Source: pneumail' >"$stage/../control"
	# shellcheck disable=SC2046
	(cd "$build/deb" && dpkg-shlibdeps -O $(dynamic_files debian/pneumail)) |
	    sed -n 's/^shlibs:Depends=//p'
}

metadata() {
	mkdir -p "$stage/DEBIAN"
	depends=$(dependencies)
	[ -n "$depends" ] || fail "dpkg-shlibdeps found no libraries"
	cat >"$stage/DEBIAN/control" <<-END
	Package: pneumail
	Version: $version
	Architecture: $arch
	Maintainer: $maintainer
	Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$stage" | cut -f 1)
	Depends: $depends, adduser, ucspi-tcp, daemontools, daemontools-run | runit
	Suggests: dot-forward, fastforward, procmail, maildrop
	Provides: mail-transport-agent
	Conflicts: mail-transport-agent
	Replaces: mail-transport-agent
	Section: mail
	Priority: optional
	Description: mail system in the place of qmail-1.03
	 Separate programs with accounts of their own queue and deliver mail, and speak
	 SMTP, QMTP, QMQP and POP3.  Control files, .qmail files, queue, log lines and
	 exit codes are those of qmail-1.03; the code is not.
	 .
	 Every message is on disk, names and directories included, before it is
	 reported as accepted.
	END
	for script in postinst prerm postrm; do
		fill "src/install/debian/$script" >"$stage/DEBIAN/$script"
		chmod 755 "$stage/DEBIAN/$script"
	done
	(cd "$stage" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z |
	    xargs -0 md5sum >DEBIAN/md5sums)
}

rm -rf "$build/deb"
mkdir -p "$stage"
suite
commands
manuals
documents
overrides
metadata
package=$build/pneumail_${version}_$arch.deb
dpkg-deb --root-owner-group --build "$stage" "$package" >/dev/null
rm -rf "$build/deb"
echo "$package"

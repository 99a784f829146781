# SPDX-License-Identifier: LGPL-3.0-or-later
# Starts other programs, mostly ./waf, which configures first where needed.

BUILD_DEPS = gcc clang libc6-dev make pkg-config python3 liburing-dev \
	libtalloc-dev libtevent-dev libpopt-dev libjansson-dev libsmartcols-dev \
	libgnutls28-dev \
	libcmocka-dev
# from Debian 13 on; the versions of Debian 12 are too old
QUIC_DEPS = libngtcp2-dev libngtcp2-crypto-gnutls-dev
TEST_DEPS = ccache clang-tidy ctdb docbook-xsl ethtool faketime gnupg iproute2 \
	iptables libjemalloc2 libsocket-wrapper mmdebstrap mount procps \
	python3-jsonschema python3-prometheus-client \
	samba samba-ad-provision samba-dsdb-modules samba-testsuite \
	samba-vfs-modules smbclient strace util-linux valgrind xsltproc
# in addition to BUILD_DEPS
DEB_DEPS = build-essential debhelper docbook-xsl dpkg-dev lintian xsltproc
PICTURE_DEPS = chromium fonts-dejavu-core gnuplot-nox
KERNEL_DEB_DEPS = debhelper dpkg-dev rsync
SELFTEST_DEPS = bpftool iptables libbpf-dev
KERNEL_DEPS = qemu-system-x86 bc bison busybox-static flex kmod libelf-dev \
	libssl-dev patch perl xz-utils
SAMBA_DEPS = bison flex libacl1-dev libarchive-dev libcap-dev libicu-dev \
	libkrb5-dev libparse-yapp-perl libreadline-dev libtasn1-6-dev \
	libtasn1-bin perl zlib1g-dev
BENCH_DEPS = gnuplot-nox

all:
	./waf build

help:
	@echo 'make             build into bin/; install nothing'
	@echo 'make deps        install the required packages (Debian 12 and 13, as root)'
	@echo 'make demo        show a bad client, socket queries and SMB over QUIC, on an own smbd'
	@echo 'make check       run all tests, also those in virtual machines'
	@echo 'make check-fast  run the tests that need neither a VM nor a download'
	@echo 'make fuzz        run a million random cases on each patched kernel'
	@echo 'make check-debug  test on kernels with KASAN, lockdep, ...; takes long'
	@echo 'make selftests   run tests of the kernel, with and without the series'
	@echo 'make kernel-deb  build Debian packages of 6.12 with the series; takes long'
	@echo 'make check-cluster  run all tests of a CTDB cluster'
	@echo 'make check-suites  run all of tests/smbd/suites, also the long ones'
	@echo 'make soak        load smbd for ten minutes while its rings fail'
	@echo 'make check-samba  run smbtorture against the smbds of samba/build; takes long'
	@echo 'make bench       compare our backend with epoll'
	@echo 'make bench-report  the same, with plots, into docs/results/; takes long'
	@echo 'make pictures    record a bad network and draw the pictures of the docs'
	@echo 'make deb         build Debian packages, for this Debian, into bin/deb/'
	@echo 'make repo KEY=ID  make an apt repository of bin/deb/, signed by gpg'
	@echo 'make install     install to the prefix of ./configure; honours DESTDIR'
	@echo 'make clean, make distclean'

# This needs neither root nor a network if no package is missing.
DEPS = $(BUILD_DEPS) $(DEB_DEPS) $(TEST_DEPS) $(KERNEL_DEPS) $(SAMBA_DEPS) \
	$(shell . /etc/os-release && [ "$$VERSION_ID" -ge 13 ] 2>/dev/null && \
		echo $(QUIC_DEPS))
APT = DEBIAN_FRONTEND=noninteractive apt-get -q
deps:
	@have=$$(dpkg-query -Wf '$${db:Status-Status}-$${Package} ' $(DEPS) 2>/dev/null); \
	missing=; \
	for p in $(DEPS); do \
		case " $$have" in \
		*" installed-$$p "*) ;; \
		*) missing="$$missing $$p" ;; \
		esac; \
	done; \
	if [ -n "$$missing" ] || ! ./waf --version >/dev/null 2>&1; then \
		$(APT) update && \
		$(APT) install -y --no-install-recommends $$missing </dev/null && \
		./waf --version >/dev/null || \
		{ echo "make deps: could not install:$${missing:- waf}" >&2; exit 1; }; \
	fi

build-deps: # for tests/tools/debian
	@echo $(BUILD_DEPS) $(QUIC_DEPS)

deb-deps: # for tests/tools/debian
	@echo $(DEB_DEPS)

demo: deps
	./waf build
	tests/smbd/demo
	tests/quicd/demo

check: deps
	./waf test

check-fast:
	./waf test --fast

FUZZ_KERNELS = 7.3-getsockopt 6.12-getsockopt
fuzz: deps
	./waf build
	for kernel in $(FUZZ_KERNELS); do \
		case $$kernel in 6.12*) ring=lts ;; *) ring=all ;; esac; \
		for seed in 1 2 3 4 5; do \
			tests/vm/run --kernel $$kernel --timeout 3600 -- \
				bin/tests/conformance/fuzz --ring $$ring --worker \
				--seed $$seed --cases 200000 || exit 1; \
		done; \
	done

check-debug: deps
	./waf build
	tests/vm/test_run --debug
	tests/tools/debian trixie tests/checks/analyze --all
	tests/run --debug

selftests: DEPS += $(SELFTEST_DEPS)
selftests: deps
	tests/kernel/selftests

kernel-deb: DEPS += $(KERNEL_DEB_DEPS)
kernel-deb: deps
	nice kernel/build 6.12-getsockopt-cloud --packages

check-suites: deps
	./waf build
	tests/smbd/test_suites --all
	tests/tools/debian trixie tests/smbd/test_suites --all

check-cluster: deps
	./waf build
	tests/cluster/test_cluster --all
	tests/tools/debian trixie-ctdb tests/cluster/test_quic

soak: deps
	./waf build
	tests/smbd/soak

check-samba: deps
	./waf build
	tests/smbd/test_quic
	for version in $$(samba/build --versions); do \
		tests/smbd/test_built $$version --torture && \
			tests/smbd/test_share $$version || exit 1; \
	done

bench: deps
	./waf build
	bench/run

bench-report: DEPS += $(BENCH_DEPS)
bench-report: deps
	./waf build
	bench/report

pictures: DEPS += $(PICTURE_DEPS)
pictures: deps
	./waf build
	mkdir -p bin/pictures
	tests/vm/run --kernel 7.3-getsockopt --timeout 3600 \
		--results bin/pictures -- docs/img/record
	docs/img/draw bin/pictures

# Installs what debian/control asks for, and no more.
BUILD_PROFILE = $(shell . /etc/os-release && \
	[ "$$VERSION_ID" -ge 13 ] 2>/dev/null || echo -P pkg.smbd-uring.noquic)
deb:
	@dpkg-checkbuilddeps $(BUILD_PROFILE) 2>/dev/null || { \
		$(APT) update && \
		$(APT) install -y --no-install-recommends dpkg-dev </dev/null && \
		$(APT) build-dep -y --no-install-recommends $(BUILD_PROFILE) ./ \
			</dev/null; }
	debian/build

repo:
	debian/repository "$(KEY)"

install clean distclean:
	./waf $@

.PHONY: all help deps build-deps deb-deps deb repo demo check check-fast fuzz \
	check-cluster check-debug selftests kernel-deb check-suites soak \
	check-samba bench bench-report pictures install clean distclean

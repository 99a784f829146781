# SPDX-License-Identifier: LGPL-3.0-or-later
"""Build of smbd-uring; stand-alone, run by ./waf."""

import os
import re
import subprocess
import sys

from waflib import Build, Configure, Logs, Options, Utils

APPNAME = 'smbd-uring'
VERSION = '0.1.0'
out = 'bin'

# A changed wscript configures again, with the options and variables of before.
Configure.autoconfig = 'clobber'
REMEMBERED = ['CC', 'CFLAGS', 'CPPFLAGS', 'LDFLAGS', 'PKG_CONFIG_PATH']

# pkg-config's name, the oldest version that we build with (Debian 12's), the
# package in Debian.
REQUIRED = [
    ('liburing', '2.3', 'liburing-dev'),
    ('tevent', '0.14.1', 'libtevent-dev'),
    ('talloc', '2.4.0', 'libtalloc-dev'),
    ('popt', '1.19', 'libpopt-dev'),
    ('jansson', '2.14', 'libjansson-dev'),
    ('smartcols', '2.38', 'libsmartcols-dev'),
]

# The same, and what it is for.
OPTIONAL = [
    ('cmocka', '1.1.5', 'libcmocka-dev', 'the unit tests'),
    ('gnutls', '3.7.9', 'libgnutls28-dev', 'smbd-quicd'),
    ('libngtcp2', '1.11', 'libngtcp2-dev, Debian 13', 'smbd-quicd'),
    ('libngtcp2_crypto_gnutls', '1.11',
     'libngtcp2-crypto-gnutls-dev, Debian 13', 'smbd-quicd'),
]

# Features that only newer libraries have; never test version numbers.
# The define, the library, a statement that needs it, the result without it.
FEATURES = [
    ('HAVE_IO_URING_PREP_CMD_SOCK', 'liburing',
     '''struct io_uring_sqe s; int v = 0;
        io_uring_prep_cmd_sock(&s, SOCKET_URING_OP_GETSOCKOPT, 0, 1, 2, &v, 4);
        return s.level + s.optname + s.optlen + (int)s.optval;''',
     'our own'),
]

# Functions that we call and that older versions of libtevent lack, or that have
# no prototype in tevent.h although all versions from 0.14.1 to 0.17.2 export
# them.
TEVENT_SYMBOLS = [
    'tevent_cached_getpid',
    'tevent_common_have_events',
    'tevent_find_ops_byname',
]

CFLAGS = '''
    -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wmissing-prototypes
    -Wstrict-prototypes -Wcast-qual -Wno-unused-parameter -Werror
    -fvisibility=hidden -fstack-protector-strong -D_GNU_SOURCE'''.split()
LINKFLAGS = ['-Wl,-z,relro,-z,now']

MAN_PAGES = ['smbd_uring.7', 'smbd-uring.1', 'smbd-quicd.8',
             'vfs_uring_sockopt.8']
MAN_STYLE = ('http://docbook.sourceforge.net/release/xsl/current/manpages/'
             'docbook.xsl')  # from the XML catalog, not from the network

# smbd-quicd without its main.c: files that need no QUIC library, and the rest.
QUICD_PLAIN = ['quicd/' + part for part in (
    'access', 'addresses', 'behind', 'budget', 'bundle', 'cid', 'close_wait',
    'control', 'cpus', 'directory', 'file', 'framing', 'hosts', 'limits',
    'listeners', 'log', 'message', 'named_files', 'names', 'parameters',
    'prepared', 'queue', 'relay', 'rights', 'secret', 'secret_file', 'service',
    'settings', 'settings_parse', 'smbconf', 'smbconf_include',
    'smbconf_search', 'smbconf_stderr', 'state', 'testparm', 'timer', 'udp',
    'udp_open', 'values', 'workers')]
QUICD = ['quicd/' + part for part in (
    'certificates', 'chain', 'configuration', 'conn', 'conn_admit',
    'conn_callbacks', 'conn_close', 'conn_create', 'conn_state', 'convert',
    'credentials', 'endpoint', 'endpoint_accept', 'endpoint_create',
    'endpoint_drain', 'forms', 'pair', 'parent', 'parent_listeners',
    'parent_reload', 'parent_status', 'publish', 'qlog', 'reading',
    'revocation', 'rules', 'stateless', 'tls', 'trust', 'worker')]
QUICD_LIBS = ['gnutls', 'libngtcp2', 'libngtcp2_crypto_gnutls']

# The unit tests of smbd-quicd that need a QUIC library.
QUICD_UNITS = ['test_qlog.c', 'test_reading.c', 'test_stateless.c']

# The library has the functions that other programs may use.  We link our own
# programs with the objects, and with the files that depend on them.
UTIL = ['util/address', 'util/printable']
LIBRARY = ['compat_getsockopt', 'smbd_uring_backend', 'uring_batch',
           'uring_explain', 'uring_options', 'uring_probe', 'uring_process',
           'uring_queue', 'uring_request', 'uring_ring',
           'uring_ring_obtain', 'uring_ring_try', 'uring_sockopt',
           'uring_syscall']
INTERPOSE = ['epoll_interpose']
PUBLISH = ['transport/' + part for part in (
    'figures', 'publish', 'publish_file', 'publish_format', 'publish_read',
    'publish_row', 'quicd_counters', 'quicd_counters_read',
    'quicd_counters_text')]
TRANSPORT = ['transport/' + part for part in (
    'meter', 'name_list', 'smbd_parameters', 'snapshot', 'snapshot_text',
    'tcp', 'warn', 'watch', 'watch_quic', 'watch_rows', 'watch_settings')]

SHIM = ['preload/' + part for part in (
    'shim', 'shim_environment', 'shim_module')]

# The preload library without its shim.
PRELOAD = ['preload/' + part for part in (
    'preload', 'connection', 'log', 'log_once', 'names', 'query', 'section',
    'settings', 'share', 'smbd_symbols', 'tree')]

TOOL = ['tool/' + part for part in (
    'main', 'tool', 'probe', 'connect', 'status', 'rows', 'join', 'state',
    'cluster', 'kernel', 'sockdiag', 'names', 'command', 'table', 'cell',
    'sort', 'text', 'layout', 'text_quicd', 'json', 'json_quicd', 'json_read',
    'openmetrics', 'openmetrics_clients', 'openmetrics_quicd', 'quicd',
    'quicd_names', 'metrics', 'clients', 'totals', 'history', 'replace',
    'report', 'page', 'day', 'html', 'top', 'check', 'confinement', 'negotiate',
    'verdict', 'ports', 'smbd', 'proc', 'systemd', 'testparm', 'enable',
    'disable', 'dropin', 'restart')]

# The functions that a unit test replaces by its own, with ld's --wrap.
UNIT_WRAPS = {
    'test_smbd_uring_backend': [
        'io_uring_queue_init_params', 'io_uring_register_ring_fd',
        'io_uring_ring_dontfork', 'io_uring_register', 'io_uring_submit',
        'io_uring_enter2', 'io_uring_get_events'],
    'test_timer': ['epoll_pwait2'],
    'test_uring_ring': ['io_uring_queue_init_params', 'io_uring_register',
                        'io_uring_ring_dontfork', 'io_uring_submit',
                        'io_uring_enter2'],
    'test_uring_sockopt': ['io_uring_queue_init_params', 'io_uring_submit',
                           'io_uring_enter2', 'pthread_mutex_lock'],
}


def options(opt):
    opt.load('compiler_c gnu_dirs')
    opt.add_option('--sanitize', metavar='LIST', default='',
                   help='build with -fsanitize=LIST, e.g. address,undefined')
    opt.add_option('--without-tests', action='store_true',
                   help='build what is installed, and nothing else')
    opt.add_option('--fast', action='store_true',
                   help='test: only what needs no VM and no download')
    # waf keeps them with the options in the lock file, see autoconfig above
    opt.parser.set_defaults(
        environ={v: os.environ[v] for v in REMEMBERED if v in os.environ})


def configure(conf):
    conf.environ.update(conf.options.environ)
    # waf's default on Debian is lib64, where no program searches
    Options.options.LIBDIR = Options.options.LIBDIR or '${EXEC_PREFIX}/lib'
    conf.load('compiler_c gnu_dirs')

    table = [('compiler', conf.env.CC[0])]
    for lib, version, package in REQUIRED:
        found = check_library(conf, lib, version)
        if not found:
            conf.fatal('%s >= %s is missing: install %s, or run make deps'
                       % (lib, version, package))
        table.append((lib, found))
        for feature in [f for f in FEATURES if f[1] == lib]:
            table.append(check_feature(conf, *feature))
    for lib, version, package, purpose in OPTIONAL:
        found = check_library(conf, lib, version) or 'no: install ' + package
        table.append((lib, '%s (for %s)' % (found, purpose)))
    conf.env.QUICD = all(conf.env['HAVE_' + lib.upper()] for lib in QUICD_LIBS)
    table.append(('smbd-quicd (SMB over QUIC)', 'yes' if conf.env.QUICD else
                  'no: off, as what it needs is missing'))

    conf.find_program('xsltproc', mandatory=False)
    if conf.env.XSLTPROC and conf.exec_command(
            conf.env.XSLTPROC + ['--nonet', '--noout', MAN_STYLE,
                                 conf.path.abspath() + '/docs/man/%s.xml'
                                 % MAN_PAGES[0]],
            cwd=conf.bldnode.abspath()) == 0:  # --noout writes the page anyway
        conf.env.MAN_PAGES = MAN_PAGES
    table.append(('man pages', 'yes' if conf.env.MAN_PAGES else
                  'no: install xsltproc and docbook-xsl'))

    for symbol in TEVENT_SYMBOLS:
        conf.check_cc(
            msg='Checking for tevent symbol ' + symbol, use='TEVENT',
            errmsg='missing: this libtevent cannot carry a foreign backend',
            fragment='void %s(void); void (*volatile p)(void);\n'
                     'int main(void) { p = %s; return 0; }' % (symbol, symbol))

    conf.define('SMBD_URING_VERSION', VERSION)
    conf.env.PRIVATEDIR = Utils.subst_vars('${LIBDIR}/smbd-uring', conf.env)
    conf.env.DROPINDIR = Utils.subst_vars(
        '${DATADIR}/smbd-uring/smbd.service.d', conf.env)
    conf.define('SMBD_URING_PRELOAD',
                conf.env.PRIVATEDIR + '/smbd-uring-preload.so')
    conf.define('SMBD_URING_DROPIN', conf.env.DROPINDIR + '/smbd-uring.conf')
    conf.write_config_header('config.h')

    # Set the flags after the checks, so that a warning decides none of them.
    # CFLAGS and LDFLAGS of the caller come last and win.
    cflags, linkflags = CFLAGS[:], LINKFLAGS[:]
    if conf.options.sanitize:
        cflags.append('-fno-omit-frame-pointer')
        for flags in cflags, linkflags:
            flags.append('-fsanitize=' + conf.options.sanitize)
    else:
        cflags += ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2']
        linkflags.append('-Wl,--no-undefined')
    conf.env.CFLAGS = cflags + conf.env.CFLAGS
    conf.env.TESTS = not conf.options.without_tests
    conf.env.LINKFLAGS = linkflags + conf.env.LINKFLAGS

    table.append(('sanitizers', conf.options.sanitize or 'none'))
    table.append(('installs to', '%s, libraries to %s'
                  % (conf.env.PREFIX, conf.env.LIBDIR)))
    Logs.info('\n%s %s', APPNAME, VERSION)
    for row in table:
        Logs.info('  %-34s %s', *row)
    Logs.info('')


def check_library(conf, lib, version):
    """The version of lib that was found, or None."""
    store = lib.upper()
    if not conf.check_cfg(package=lib, uselib_store=store, mandatory=False,
                          args=['%s >= %s' % (lib, version),
                                '--cflags', '--libs'],
                          msg='Checking for %s >= %s' % (lib, version)):
        return None
    return conf.check_cfg(modversion=lib, uselib_store=store,
                          define_name=store + '_VERSION')


def check_feature(conf, define, lib, statement, without):
    """Whether statement compiles and links; a row for the table."""
    found = conf.check_cc(
        msg='Checking for ' + define, define_name=define, mandatory=False,
        use=lib.upper(), cflags='-Werror=implicit-function-declaration',
        fragment='#include <%s.h>\n'
                 'int main(void) { %s }' % (lib, statement))
    name = define.replace('HAVE_', '').lower()
    return '  ' + name, 'yes' if found else 'no: ' + without


def version_script(bld):
    """The exports of the library, from source/ABI: one file for each release.

    A symbol has the version of the first release that had it.
    """
    def version(node):
        return [int(n) for n in re.findall(r'\d+', node.name)]

    text, old = '', set()
    for node in sorted(bld.path.ant_glob('source/ABI/*.sigs'), key=version):
        names = {line.split(':')[0] for line in node.read().splitlines()}
        text += 'TEVENT_URING_%s {\n\tglobal:\n%s%s};\n' % (
            '.'.join(map(str, version(node))),
            ''.join('\t\t%s;\n' % name for name in sorted(names - old)),
            '' if old else '\tlocal:\n\t\t*;\n')
        old |= names
    script = bld.bldnode.make_node('tevent-uring.map')
    if not script.exists() or script.read() != text:
        script.write(text)
    return script


def build(bld):
    libs = ['LIBURING', 'TEVENT', 'TALLOC']
    library = ['library'] + libs
    ours = ['util', 'publish', 'transport'] + library
    use = ['interpose'] + ours
    dirs = '. source source/include'

    def source(*names):
        return ['source/%s.c' % n for n in names]

    def module(use=use, **kw):
        env = bld.env.derive()
        env.cshlib_PATTERN = '%s.so'
        bld.shlib(includes=dirs, use=use, env=env, **kw)

    for name, parts in (('util', UTIL), ('library', LIBRARY),
                        ('interpose', INTERPOSE), ('publish', PUBLISH),
                        ('transport', TRANSPORT)):
        bld.objects(name=name, source=source(*parts), includes=dirs,
                    use=libs, cflags='-fPIC')
    script = version_script(bld)
    bld(features='c cshlib', target='tevent-uring', vnum='0', use=library,
        # not -Wl, which a comma in the path would end
        linkflags=['-Xlinker', '--version-script=' + script.abspath()],
        install_path='${LIBDIR}')
    bld.add_manual_dependency(
        bld.bldnode.find_or_declare('libtevent-uring.so'), script)
    bld.stlib(target='tevent-uring-epoll', source=source(*INTERPOSE),
              includes=dirs, use=libs, cflags='-fPIC',
              install_path='${LIBDIR}')
    for name in 'tevent-uring', 'tevent-uring-epoll':
        bld(features='subst', source='source/%s.pc.in' % name,
            target=name + '.pc', install_path='${LIBDIR}/pkgconfig',
            VERSION=VERSION)
    bld.install_files('${INCLUDEDIR}/tevent-uring',
                      bld.path.ant_glob('source/include/*.h'))
    module(target='smbd-uring-preload', source=source(*SHIM), use=[],
           install_path='${PRIVATEDIR}')
    module(target='smbd-uring-module', source=source(*PRELOAD), use=ours,
           install_path='${PRIVATEDIR}')
    bld(features='subst', source='source/preload/smbd-uring.conf.in',
        target='smbd-uring.conf', install_path='${DROPINDIR}',
        PRELOAD=bld.env.PRIVATEDIR + '/smbd-uring-preload.so')
    bld.install_as('${DATADIR}/bash-completion/completions/smbd-uring',
                   'source/tool/completion.bash')
    bld.program(target='smbd-uring', includes=dirs, source=source(*TOOL),
                use=ours + ['POPT', 'JANSSON', 'SMARTCOLS'])
    bld(features='subst', source='monitoring/smbd-uring-metrics.service.in',
        target='smbd-uring-metrics.service', BINDIR=bld.env.BINDIR,
        install_path='${PREFIX}/lib/systemd/system')
    bld.install_files('${PREFIX}/lib/systemd/system',
                      'monitoring/smbd-uring-metrics.timer')
    bld.install_files('${PREFIX}/share/smbd-uring', [
        'monitoring/' + name
        for name in ('grafana.json', 'rules.yml', 'status.schema.json')])
    quicd = ['quicd-plain', 'util', 'publish', 'TEVENT', 'TALLOC']
    bld.objects(name='quicd-plain', source=source(*QUICD_PLAIN), includes=dirs,
                use=libs)
    if bld.env.QUICD:
        quicd_libs = [lib.upper() for lib in QUICD_LIBS]
        bld.objects(name='quicd', source=source(*QUICD), includes=dirs,
                    use=libs + quicd_libs)
        quicd += ['quicd'] + quicd_libs
        bld.program(target='smbd-quicd', source=source('quicd/main'),
                    includes=dirs, use=quicd + ['POPT'],
                    install_path='${SBINDIR}')
        bld(features='subst', source='source/quicd/smbd-quicd.service.in',
            target='smbd-quicd.service', SBINDIR=bld.env.SBINDIR,
            install_path='${PREFIX}/lib/systemd/system')
        bld.install_files('${PREFIX}/share/ctdb/events/legacy',
                          'source/quicd/51.smbd-quicd.script', chmod=0o755)
        bld.install_files('${PREFIX}/share/smbd-quicd',
                          'source/quicd/certbot-deploy', chmod=0o755)

    for page in bld.env.MAN_PAGES:
        bld(rule='${XSLTPROC} --nonet --stringparam refentry.meta.get.quietly 1 '
                 '--stringparam man.output.quietly 1 '
                 '--stringparam man.authors.section.enabled 0 '
                 '-o ${TGT} %s ${SRC}' % MAN_STYLE,
            source='docs/man/%s.xml' % page, target='docs/man/' + page,
            install_path='${MANDIR}/man' + page[-1])

    if not bld.env.TESTS:
        return
    if bld.env.QUICD:
        bld.program(target='tests/fuzz-quicd', install_path=None,
                    source=['tests/quicd/fuzz.c'], includes=dirs,
                    use=quicd,
                    linkflags=['-Wl,--wrap=ngtcp2_crypto_' + f
                               for f in ('decrypt_cb', 'hp_mask_cb')])
        bld.program(target='tests/quicd-peer', install_path=None,
                    source=['tests/quicd/peer.c'], includes=dirs,
                    use=['util'] + quicd_libs)
        for bench in 'quic_client', 'quic_target':
            bld.program(target='bench/' + bench, source='bench/%s.c' % bench,
                        includes=dirs, install_path=None, lib='pthread',
                        use=quicd_libs)
    bld.program(target='tests/access', source='tests/quicd/access.c',
                includes=dirs, install_path=None, use=[
                    'quicd-plain', 'util', 'publish', 'TEVENT', 'TALLOC'])
    for bench in 'loop', 'memory', 'query', 'sample':
        bld.program(target='bench/' + bench, source='bench/%s.c' % bench,
                    includes=dirs, use=use, install_path=None)
    module(target='tests/register-backend', install_path=None,
           source='tests/unit/register_backend.c')
    bld.program(target='tests/publish', source='tests/tool/publish.c',
                includes=dirs, use=use, install_path=None)
    module(target='tests/fault', install_path=None,
           source='tests/lib/fault.c')
    for name in 'hide_vfs', 'reuseport':
        module(target='tests/' + name.replace('_', '-'), install_path=None,
               use=[], source='tests/lib/%s.c' % name)
    module(target='tests/quic-ko', install_path=None, use=[],
           source='tests/lib/quic_ko.c')
    bld.program(target='tests/quicd-parameters', install_path=None,
                source='tests/quicd/parameters.c', includes=dirs, use=quicd)
    bld.objects(name='conformance', includes=dirs, use=use, source=[
        'tests/conformance/%s.c' % part
        for part in ('ask', 'cgroup_bpf', 'compare', 'sockets', 'tap')])
    for name in ('differential', 'faults', 'fuzz'):
        bld.program(target='tests/conformance/' + name, install_path=None,
                    source='tests/conformance/%s.c' % name, includes=dirs,
                    use=['conformance'] + use)
    units = bld.path.ant_glob('tests/unit/quicd/test_*.c', excl=[
        'tests/unit/quicd/' + test
        for test in ([] if bld.env.QUICD else QUICD_UNITS)])
    for test in units if bld.env.HAVE_CMOCKA else []:
        bld.program(target='tests/' + test.name[:-2].replace('_', '_quicd_', 1),
                    source=[test], includes=dirs, use=quicd + ['CMOCKA'],
                    install_path=None,
                    linkflags=['-Wl,--wrap=' + f
                               for f in UNIT_WRAPS.get(test.name[:-2], [])])
    tests = bld.path.ant_glob('tests/unit/test_*.c')
    for test in tests if bld.env.HAVE_CMOCKA else []:
        name = os.path.splitext(test.name)[0]
        bld.program(target='tests/' + name, source=[test], includes=dirs,
                    use=use + ['CMOCKA'], install_path=None,
                    linkflags=['-Wl,--wrap=' + f
                               for f in UNIT_WRAPS.get(name, [])])


class TestContext(Build.BuildContext):
    '''builds, then runs the tests (--fast: without VMs and downloads)'''
    cmd = 'test'

    def execute(self):
        super().execute()
        fast = ['--fast'] if self.options.fast else []
        sys.exit(subprocess.call(['tests/run'] + fast))

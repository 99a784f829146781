// SPDX-License-Identifier: GPL-2.0
//
// Give the getsockopt handlers of all protocols their length as optlen_t.
//
// A handler, or a function that it calls, is what has a parameter
// "int __user *" that goes by one of the names below.  (Coccinelle looks
// through __user, so here it is "int *".)  Left out is the system call itself,
// whose pointer becomes an optlen_t where do_sock_getsockopt() calls a handler.
//
// kernel/6.12/convert runs it.

@function@
identifier fn !~ "^(__)?(sys_|SYSCALL|getsockopt$)";
identifier len =~ "^(_?optlen|ol|option)$";
@@
 fn(...,
-   int *len
+   optlen_t len
    ,...)
 {
 <...
(
- get_user
+ get_optlen
  (..., len)
|
- put_user
+ put_optlen
  (..., len)
|
- USER_SOCKPTR(len)
+ OPTLEN_SOCKPTR(len)
)
 ...>
 }

@prototype@
type T;
identifier fn !~ "^(__)?(sys_|SYSCALL|getsockopt$)";
identifier len =~ "^(_?optlen|ol|option)$";
@@
 T fn(...,
-   int *len
+   optlen_t len
    ,...);

@callback@
type T;
identifier s, fn;
identifier len =~ "^(_?optlen|ol|option)$";
@@
 struct s {
   ...
   T (*fn)(...,
-   int *len
+   optlen_t len
    ,...);
   ...
 };

@caller@
expression ops, sock, level, optname, optval, optlen;
@@
 ops->getsockopt(sock, level, optname, optval,
-   optlen.user
+   USER_OPTLEN(optlen.user)
 )

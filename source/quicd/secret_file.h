/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file of the secret: made if there is none.
 */
#ifndef QUICD_SECRET_FILE_H
#define QUICD_SECRET_FILE_H

#include <talloc.h>

/**
 * @brief Make a file with a new secret, for its owner alone, if there is none.
 *
 * @return errno, or 0 if there is one now.
 */
int quicd_secret_file_make(TALLOC_CTX *mem_ctx, const char *path);

#endif /* QUICD_SECRET_FILE_H */

/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_sign.h - what the commands share that sign: secrets, envelopes, lists, times.
 */
#ifndef AISLE_CTL_CTL_SIGN_H
#define AISLE_CTL_CTL_SIGN_H

#include "ctl/ctl.h"
#include "trust/root.h"

#define CTL_PASSWORD_SIZE 1024
#define CTL_KEYS_MAX 16

/* A line of stdin, the echo off where that is a terminal; "" is one. To be wiped by the caller. A sysexits code. */
int ctl_password(const char *prompt, char out[static CTL_PASSWORD_SIZE]);
/* One that is new: on a terminal it is asked for twice, for a slip would be the password. */
int ctl_new_password(const char *prompt, char out[static CTL_PASSWORD_SIZE]);
/* The secret key of a file, a pipe, or "-" (stdin). Its password, if it has one, is a line of stdin. */
int ctl_secret(const char *path, struct minisign_secret **ret_secret);
/* The keys of --key K.key[,…] sign the manifest; each says that it did. what: "release stable 7", the trusted comment's end. */
int ctl_sign_with(const char *paths, const char *what, struct signed_text *envelope);
/* With a key that was read. */
int ctl_sign_one(const struct minisign_secret *secret, const char *what,
    struct signed_text *envelope, struct err *err) AISLE_MUST_CHECK;
/* --signature F.minisig: made elsewhere, of these very bytes. */
int ctl_sign_attach(const char *path, struct signed_text *envelope);
int ctl_envelope_write(const char *path, const struct signed_text *envelope);
/* The manifest, and each signature as a file of its own: F, F.2, F.3 … */
int ctl_envelope_parts(const struct signed_text *envelope, const char *manifest_path,
    const char *signature_path);
/* "A,B,C" taken apart in place: how many, -1: more than most or an empty one. */
int ctl_list(char *text, char **items, int most);
/* --expires: a time, or "30d" from now on. */
int ctl_expires(const char *text, int64_t now_ms, int64_t *ret_ms);
/* An integer option; EX_USAGE with its name. NULL: it is missing. */
int ctl_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *ret);
int64_t ctl_now_ms(void);
/* "signatures":[{"key","comment"},…] */
void ctl_add_signatures(struct json_writer *w, const struct signed_text *envelope);
void ctl_print_signatures(const struct signed_text *envelope);

#endif

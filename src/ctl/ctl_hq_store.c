/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_hq_store.c - aislectl hq add-store, hq run: a headquarters that aislectl hq init made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/log.h"
#include "core/random.h"
#include "ctl/ctl.h"
#include "hq/setup.h"
#include "trust/release.h"

int
ctl_hq_add_store(struct ctl *ctl)
{
	const char *ring = ctl_option(ctl, "--ring"), *channel = ctl_option(ctl, "--channel"),
		   *at = ctl_option(ctl, "--at");
	struct setup *setup = mem_zero(sizeof(*setup));
	struct err err = { 0 };
	int rc = ctl_words(ctl, 2, 2);

	at = at != NULL ? at : "/etc/aisle";
	channel = channel != NULL ? channel : "stable";
	if (rc == EX_OK && (!trust_name_ok(channel) || (ring != NULL && !trust_name_ok(ring))))
		rc = ctl_fail(EX_USAGE,
		    "--ring, --channel: expected 1 to 32 letters, digits, - and _");
	if (rc == EX_OK &&
	    (random_begin(&err) != 0 || setup_load(ctl->argv[0], setup, &err) != 0 ||
		setup_store(setup, ctl->argv[1], ring, channel, at, &err) != 0))
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		printf("%s/stores/%s: bring all of it to %s on that gateway, and add hq.conf to "
		       "its aisled.conf.\n"
		       "pepper and hq-password are secret: chmod 640, chgrp aisle the one, which "
		       "aisled reads,\nand chgrp aisle-link the other, which its link reads.\n",
		    setup->dir, ctl->argv[1], at);
	free(setup);
	return rc;
}

int
ctl_hq_run(struct ctl *ctl)
{
	struct setup *setup = mem_zero(sizeof(*setup));
	char program[4096], key[SETUP_PATH_SIZE];
	struct err err = { 0 };
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && setup_load(ctl->argv[0], setup, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && len <= 0)
		rc = ctl_fail(EX_OSERR, "/proc is not there");
	if (rc == EX_OK) {
		program[len] = '\0';
		setup_path(setup, "secret/release.key", key);
		if (access(key, F_OK) == 0)
			log_notice("hq: the secret keys are still here: take them off this machine "
				   "path=%s/secret",
			    setup->dir);
		rc = setup_run(setup, program, &err) == 0 ? EX_OK : ctl_fail_err(&err);
	}
	free(setup);
	return rc;
}

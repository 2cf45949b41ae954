/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_fleet.c - aislectl fleet: what each store runs and who is in trouble.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "core/file.h"
#include "core/random.h"
#include "core/when.h"
#include "ctl/ctl_fleet.h"
#include "hq/fleet.h"
#include "tools/fleet_page.h"

#define ROOT_SOON_MS (60 * D_MS)

/* Channel and ring that add-store gave it; "": not known. */
static void
read_group(const char *folder, const char *store, char *channel, char *ring)
{
	char path[4096 + 256 + 16], line[256];
	FILE *f;

	channel[0] = ring[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s/hq.conf", folder, store);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "channel = %32[A-Za-z0-9_-]", channel) != 1)
			(void)sscanf(line, "ring = %32[A-Za-z0-9_-]", ring);
	if (f != NULL)
		fclose(f);
}

void
ctl_stores(const char *dir, store_fn each, void *ctx)
{
	char path[4096], channel[TRUST_NAME_SIZE], ring[TRUST_NAME_SIZE];
	struct dirent *entry;
	DIR *d;

	if (snprintf(path, sizeof(path), "%s/stores", dir) >= (int)sizeof(path))
		return;
	d = opendir(path);
	while (d != NULL && (entry = readdir(d)) != NULL)
		if (trust_name_ok(entry->d_name)) {
			read_group(path, entry->d_name, channel, ring);
			each(ctx, entry->d_name, channel, ring);
		}
	if (d != NULL)
		closedir(d);
}

/* One that was never heard is in trouble, too. */
static void
expect_store(void *ctx, const char *store, const char *channel, const char *ring)
{
	fleet_expect(ctx, store, channel, ring);
}

/* With an expired root a store takes nothing new but the next root: somebody has to make it in time. */
static void
warn_of_root(const struct goods *goods, int64_t now_ms)
{
	const struct root *root =
	    goods->root_count > 0 ? &goods->roots[goods->root_count - 1].root : NULL;
	char until[WHEN_TEXT_SIZE];

	if (root == NULL || root->expires_ms - now_ms > ROOT_SOON_MS)
		return;
	when_text(root->expires_ms, until);
	fprintf(stderr,
	    "aislectl: root %lld %s on %.10s: make the next one (keys root --previous)\n",
	    (long long)root->version, root->expires_ms <= now_ms ? "has ended" : "ends", until);
}

static int
show(struct ctl *ctl, const struct fleet *fleet, const char *page)
{
	struct buf json = { 0 }, text = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	fleet_json(fleet, JSON_WRITER(&json));
	if (page != NULL) {
		fleet_page(&json, &text);
		if (file_write(page, text.data, text.len, 0644, false, &err) != 0)
			rc = ctl_fail_err(&err);
	} else if (ctl->json) {
		puts(json.data);
	} else {
		fleet_text(fleet, &text);
		fputs(text.data, stdout);
	}
	buf_done(&json);
	buf_done(&text);
	return rc;
}

int
ctl_fleet(struct ctl *ctl)
{
	const char *from = ctl_option(ctl, "--from"), *silent = ctl_option(ctl, "--silent"),
		   *page = ctl_option(ctl, "-o");
	struct publish_options options = { .dir = ctl_option(ctl, "--dir") };
	struct fleet fleet = { .now_ms = (int64_t)time(NULL) * S_MS, .silent_ms = FLEET_SILENT_MS };
	struct goods goods = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK && from == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK && silent != NULL &&
	    (!when_duration(silent, &fleet.silent_ms) || fleet.silent_ms <= 0))
		rc = ctl_fail(EX_USAGE, "--silent %s: expected a duration such as 3h", silent);
	if (rc == EX_OK && options.dir != NULL && goods_folder(options.dir, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK &&
	    (random_begin(&err) != 0 || fleet_read(from, &fleet, &err) != 0 ||
		(options.dir != NULL && goods_read(&options, NULL, &goods, &err) != 0)))
		rc = ctl_fail_err(&err);
	if (rc == EX_OK) {
		if (options.dir != NULL) {
			ctl_stores(options.dir, expect_store, &fleet);
			warn_of_root(&goods, fleet.now_ms);
		}
		fleet_settle(&fleet, options.dir != NULL ? &goods : NULL);
		rc = show(ctl, &fleet, page);
	}
	fleet_done(&fleet);
	goods_done(&goods);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0: replay BUNDLE <EVENTS, each decision, one a line. */
#include <aisle/engine.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	struct aisle_options options = { .store = "0042" };
	struct aisle_engine *engine;
	struct aisle_output output;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = aisle_open(&options, &engine);

	if (rc == 0)
		rc = aisle_set_bundle(engine, argc == 2 ? argv[1] : "");
	while (rc == 0 && (len = getline(&line, &size, stdin)) > 0) {
		rc = aisle_feed(engine, line, (size_t)len);
		while (rc == 0 && aisle_next(engine, &output))
			if (output.kind == AISLE_DECISION)
				puts(output.json);
	}
	if (rc != 0)
		fprintf(stderr, "%s\n", aisle_error(engine));
	free(line);
	aisle_close(engine);
	return rc != 0;
}

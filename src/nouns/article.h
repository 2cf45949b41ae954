/* SPDX-License-Identifier: Apache-2.0
 *
 * article.h - what a scanned code says of an article: its GTIN, and what else is printed in it.
 */
#ifndef AISLE_NOUNS_ARTICLE_H
#define AISLE_NOUNS_ARTICLE_H

#include "aisle/base.h"

#define BATCH_MAX 20

enum symbology {
	SYMBOLOGY_ANY, /* whatever it looks like */
	SYMBOLOGY_UPC_E,
	SYMBOLOGY_GS1, /* an element string, though nothing of it shows so */
};

struct article {
	char gtin[15];		   /* 14 digits; "": none */
	char batch[BATCH_MAX + 1]; /* AI 10; "": none */
	int32_t best_before;	   /* days since 1970, the earlier of AI 15 and 17; 0: none */
	int64_t weight_milli;	   /* AI 310n (kg), 320n (lb); 0: none */
	int64_t price;		   /* AI 392n, of so many decimals */
	int price_decimals;	   /* -1: none */
};

/* text: as it came from the till, a bare number, a GS1 element string (with FNC1 as GS, or AIs in
 * brackets, also behind a symbology identifier as ]d2) or a GS1 Digital Link. today: days since
 * 1970, for the century of a date. false: there is no GTIN in it; *ret has none. */
bool article_read(const char *text, enum symbology symbology, int32_t today, struct article *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * figure_csv.c - the report's figures beside lift, one a line.
 */
#include "hq/figure_csv.h"

#include "core/csv.h"

void
figure_csv_head(struct buf *out)
{
	buf_adds(out, "by,of,figure,value,se,low,high\r\n");
}

static void
begin(struct buf *out, const char *by, const char *of, const char *figure)
{
	csv_add(out, by);
	buf_addc(out, ',');
	csv_add(out, of);
	buf_addc(out, ',');
	csv_add(out, figure);
}

void
figure_csv(struct buf *out, const char *by, const char *of, const char *figure, double value)
{
	begin(out, by, of, figure);
	buf_addf(out, ",%.17g,,,\r\n", value);
}

void
figure_csv_value(struct buf *out, const char *by, const char *of, const char *figure, double value,
    double se, double half)
{
	begin(out, by, of, figure);
	buf_addf(out, ",%.17g,%.17g,", value, se);
	if (half > 0)
		buf_addf(out, "%.17g,%.17g\r\n", value - half, value + half);
	else
		buf_adds(out, ",\r\n");
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * test_distribution.c - tails and quantiles beside SciPy 1.10's (scipy.stats.t, chi2, norm;
 * scipy.special.gammaln). Quantiles of t are its tail's, turned round by brentq: its own are 1e-10 off;
 * of one degree of freedom the tangent, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

#include "learn/distribution.h"

static void
near(double got, double want, double relative)
{
	if (!(fabs(got - want) <= relative * fmax(fabs(want), 1e-3)))
		fail_msg("%.17g, expected %.17g", got, want);
}

static void
a_quantile_of_student_is_the_published_one(void **state)
{
	(void)state;
	near(student_quantile(0.05, 1), 12.706204736174705, 1e-10);
	near(student_quantile(0.05, 2.5), 3.5746548420036826, 1e-11);
	near(student_quantile(0.05, 11.2461571824), 2.195121708481816, 1e-11);
	near(student_quantile(0.05, 100), 1.983971518523552, 1e-11);
	near(student_quantile(0.05 / 7, 3.7), 5.388572158005894, 1e-11);
	near(student_quantile(0.01, 1e4), 2.576321046668529, 1e-11);
	near(student_quantile(0.001, 1e6), 3.2905364612486907, 1e-11);
}

static void
where_the_series_takes_over_nothing_jumps(void **state)
{
	(void)state;
	near(student_quantile(0.05, 99999), 1.9599877077718446, 1e-11);
	near(student_quantile(0.05, 100000), 1.9599877075346097, 1e-11);
	near(student_quantile(0.05, 100001), 1.9599877072973793, 1e-11);
	near(student_quantile(0.05, 200000), 1.9599758459667687, 1e-11);
}

static void
a_tail_is_the_published_one(void **state)
{
	(void)state;
	near(student_tails(0, 5), 1, 1e-15);
	near(student_tails(0.5, 3), 0.651447964848151, 1e-12);
	near(student_tails(2.0, 7.5), 0.08289699529816622, 1e-12);
	near(student_tails(0.001, 1), 0.9993633804398389, 1e-12);
	assert_true(fabs(student_tails(6, 40) / 4.726455132788183e-07 - 1) < 1e-11);
	near(chi2_tail(0, 3), 1, 1e-15);
	near(chi2_tail(27.877, 9), 0.001000063357757273, 1e-11);
	near(chi2_tail(0.5, 1), 0.47950012218695337, 1e-12);
	near(chi2_tail(3, 20), 0.9999959024990236, 1e-12);
	assert_true(fabs(chi2_tail(400, 255) / 1.6600025244123397e-08 - 1) < 1e-10);
}

static void
a_quantile_of_chi2_is_the_published_one(void **state)
{
	(void)state;
	near(chi2_quantile(0.001, 9), 27.877164871256575, 1e-11);
	near(chi2_quantile(0.01, 9), 21.665994333461928, 1e-11);
	near(chi2_quantile(0.05, 1), 3.8414588206941285, 1e-11);
	near(chi2_quantile(0.5, 2), 1.386294361119891, 1e-11);
	near(chi2_quantile(0.001, 255), 330.51974363400586, 1e-11);
	near(chi2_quantile(0.99, 4), 0.297109480506532, 1e-11);
	near(normal_quantile(0.05), 1.9599639845400545, 1e-11);
	near(normal_quantile(0.2), 1.2815515655446004, 1e-11);
}

static void
the_gamma_function_is_the_published_one(void **state)
{
	(void)state;
	near(log_gamma(0.1), 2.252712651734206, 1e-13);
	near(log_gamma(0.5), 0.5723649429247, 1e-13);
	assert_true(fabs(log_gamma(1)) < 1e-13 && fabs(log_gamma(2)) < 1e-13);
	near(log_gamma(1.5), -0.12078223763524526, 1e-12);
	near(log_gamma(3.7), 1.428072326665388, 1e-13);
	near(log_gamma(10), 12.801827480081469, 1e-14);
	near(log_gamma(16), 27.899271383840894, 1e-14);
	near(log_gamma(50), 144.56574394634487, 1e-14);
	near(log_gamma(1000), 5905.220423209181, 1e-14);
	near(log_gamma(10900), 90428.3176307122, 1e-14);
	near(log_gamma(1e7), 151180949.36947393, 1e-14);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quantile_of_student_is_the_published_one),
		cmocka_unit_test(where_the_series_takes_over_nothing_jumps),
		cmocka_unit_test(a_tail_is_the_published_one),
		cmocka_unit_test(a_quantile_of_chi2_is_the_published_one),
		cmocka_unit_test(the_gamma_function_is_the_published_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * calendar.h - days since 1970-01-01 and the Gregorian calendar, both ways.
 */
#ifndef AISLE_CORE_CALENDAR_H
#define AISLE_CORE_CALENDAR_H

#include "aisle/base.h"

bool calendar_leap(int year);
int calendar_month_days(int year, int month); /* month 1-12 */
/* Any year from 0; month 1-12, day 1-31: days before 1970 are negative. */
int64_t calendar_days(int year, int month, int day);
void calendar_date(int64_t days, int *ret_year, int *ret_month, int *ret_day);
/* 1 = Monday … 7. */
int calendar_weekday(int64_t days);
/* Rounds down, also below zero. */
int64_t floor_div(int64_t a, int64_t b);

#endif

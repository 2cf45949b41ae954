/* SPDX-License-Identifier: Apache-2.0
 *
 * currency.c - ISO 4217: which codes are money, and how many decimals each has.
 *
 * DESIGN
 *   One string of codes per number of decimals. It is asked once per setting
 *   and once per event, so a scan of 200 codes is not worth a hash. A code
 *   that a country gave up stays in the list: old tills keep printing it.
 */
#include "core/currency.h"

#include <string.h>

static const char two_decimals[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV "
    "BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE "
    "CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD "
    "HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
    "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
    "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
    "SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY "
    "TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG ZWL ";
static const char no_decimals[] =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
static const char three_decimals[] = "BHD IQD JOD KWD LYD OMR TND ";
static const char four_decimals[] = "CLF UYW ";

int
currency_digits(const char *code)
{
	char word[5];

	if (strlen(code) != 3 || strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		return -1;
	memcpy(word, code, 3);
	memcpy(word + 3, " ", 2);
	/* No code can match across two others: each match ends in a space. */
	if (strstr(two_decimals, word) != NULL)
		return 2;
	if (strstr(no_decimals, word) != NULL)
		return 0;
	if (strstr(three_decimals, word) != NULL)
		return 3;
	return strstr(four_decimals, word) != NULL ? 4 : -1;
}

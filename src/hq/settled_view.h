/* SPDX-License-Identifier: Apache-2.0
 *
 * settled_view.h - the view `settled` over `record`: what came of each action that was listed, a row each, the last word of
 * it. The same columns in both databases, so that one SQL asks either.
 */
#ifndef AISLE_HQ_SETTLED_VIEW_H
#define AISLE_HQ_SETTLED_VIEW_H

extern const char settled_view_sqlite[], settled_view_postgres[]; /* made if it is not there */

#endif

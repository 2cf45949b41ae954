# SPDX-License-Identifier: Apache-2.0
"""Rows as a CSV has them and as a library was given them: numbers, categories as text, and what is missing."""
import csv
import itertools
import math

import numpy as np


class Refused(Exception):
    pass


def is_nan(value):
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def level_text(value):
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


# What a table without quotes cannot hold.
FORBIDDEN = ',"\n\r'
NUMBERS = {"": None, "nan": None, "na": None, "null": None, "none": None, "true": 1.0, "false": 0.0}


def cell_text(value, levels):
    if value is None or is_nan(value):
        return ""
    return level_text(value) if levels is not None else repr(float(value))


def cell_value(text, levels):
    """What the library was given for this cell: a category of its, else a number, else None for what is missing."""
    if levels is not None and text in levels:
        return levels[text]
    if levels is not None and any(isinstance(c, str) for c in levels.values()):
        return text or None
    if text.strip().lower() in NUMBERS:
        return NUMBERS[text.strip().lower()]
    number = float(text)
    return number if levels is None else levels.get(level_text(number), number)


def read_rows(path, inputs, count):
    """Of the first rows the columns that are inputs: inputs(header) has them by name, each with its levels."""
    with open(path, newline="", encoding="utf-8-sig") as f:
        table = csv.reader(f)
        header = next(table, [])
        columns, rows = inputs(header), []
        lacking = [n for n in columns if n not in header]
        if lacking:
            raise Refused(f"{path}: no column \"{lacking[0]}\", expected {', '.join(columns)}")
        for cells in itertools.islice(table, count):
            if len(cells) != len(header):
                raise Refused(f"{path}:{table.line_num}: {len(cells)} fields, expected {len(header)} as in the header")
            cells = {n: c for n, c in zip(header, cells) if n in columns}
            try:
                rows.append({n: cell_value(c, columns[n].levels) for n, c in cells.items()})
            except ValueError as error:
                raise Refused(f"{path}:{table.line_num}: {error}")
    if not rows:
        raise Refused(f"{path}: no row, expected some to make the exam of")
    return rows

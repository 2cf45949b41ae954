# SPDX-License-Identifier: Apache-2.0
"""Predicted against observed, as an SVG of a few hundred bytes; the same bytes each time."""
SIZE, LEFT, TOP, RIGHT, BOTTOM = 360, 56, 16, 16, 44
STEPS = [1, 2, 2.5, 5, 10]


def nice_step(highest, ticks=5):
    scale = 1e-6
    while True:
        for step in STEPS:
            if highest / (step * scale) <= ticks:
                return step * scale
        scale *= 10


def calibration(parts, predicted, observed):
    """parts: rows, mean predicted, mean observed, low, high; the two texts name the axes."""
    highest = max(max(p[1], p[2], min(p[4], 1.3 * max(q[2] for q in parts))) for p in parts) * 1.05 or 1.0
    step = nice_step(highest)
    width, height = SIZE - LEFT - RIGHT, SIZE - TOP - BOTTOM

    def x(v):
        return f"{LEFT + width * min(v, highest) / highest:.1f}"

    def y(v):
        return f"{TOP + height * (1 - min(v, highest) / highest):.1f}"

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}" '
           'font-family="sans-serif" font-size="11">',
           f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>']
    tick = 0
    while tick * step <= highest:
        v = tick * step
        text = f"{v:.4g}"
        out.append(f'<path d="M{x(v)} {y(0)}V{TOP}M{LEFT} {y(v)}H{SIZE - RIGHT}" stroke="#e4e4e4"/>'
                   f'<text x="{x(v)}" y="{SIZE - BOTTOM + 14}" text-anchor="middle">{text}</text>'
                   f'<text x="{LEFT - 5}" y="{float(y(v)) + 4:.1f}" text-anchor="end">{text}</text>')
        tick += 1
    out.append(f'<path d="M{x(0)} {y(0)}L{x(highest)} {y(highest)}" stroke="#888" stroke-dasharray="4 3"/>')
    for _, p, seen, low, high in parts:
        out.append(f'<path d="M{x(p)} {y(low)}V{y(high)}" stroke="#1f5fa8" stroke-width="1.5"/>'
                   f'<circle cx="{x(p)}" cy="{y(seen)}" r="3.5" fill="#1f5fa8"/>')
    out.append(f'<text x="{LEFT + width / 2:.1f}" y="{SIZE - 10}" text-anchor="middle">{predicted}</text>'
               f'<text transform="translate(12 {TOP + height / 2:.1f}) rotate(-90)" text-anchor="middle">{observed}</text>'
               "</svg>\n")
    return "\n".join(out)

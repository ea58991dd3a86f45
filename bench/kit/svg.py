# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG, with nothing but text: lines over a linear or logarithmic axis, each axis with its unit."""
import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 70, 170, 44, 54
COLOURS = ["#1b6ca8", "#c8553d", "#4b8b3b", "#8a5a9e", "#b8860b", "#3d8f8f", "#777777"]


class Axis:
    """Values to pixels. `log` needs values above 0: others are left out by plot()."""

    def __init__(self, values, at, to, log=False, zero=False):
        low, high = min(values), max(values)
        if zero and not log:
            low = min(0, low)
        if high <= low:
            high = low * 1.1 + 1 if low >= 0 else 0
        self.log, self.at, self.to = log, at, to
        if log:
            self.low, self.high = math.floor(math.log10(low) * 3) / 3, math.ceil(math.log10(high) * 3) / 3
            if self.high <= self.low:
                self.high = self.low + 1
        else:
            self.low, self.high = low, high + (high - low) * 0.05

    def place(self, v):
        v = math.log10(v) if self.log else v
        return self.at + (v - self.low) / (self.high - self.low) * (self.to - self.at)

    def marks(self):
        if self.log:
            every = [m * 10.0 ** e for e in range(math.floor(self.low), math.ceil(self.high) + 1) for m in (1, 3)]
            return [m for m in every if self.low - 1e-9 <= math.log10(m) <= self.high + 1e-9]
        span = self.high - self.low
        step = 10 ** math.floor(math.log10(span / 5))
        step *= next((m for m in (1, 2, 5, 10) if span / (step * m) <= 7), 10)
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, int(self.high / step + 1e-9) + 1)]


def number(v):
    return f"{v:,.0f}" if abs(v) >= 100 or v == int(v) else f"{v:.4g}"


def plot(title, x, y, series, log_x=False, log_y=False, zero=True):
    """series: {name: [(x, y), ...]}; x and y say what the axes are, with their units. Returns the text of the file."""
    good = {n: [(a, b) for a, b in points if (a > 0 or not log_x) and (b > 0 or not log_y)] for n, points in series.items()}
    good = {n: points for n, points in good.items() if points}
    if not good:
        return None
    across = Axis([a for p in good.values() for a, _ in p], LEFT, WIDTH - RIGHT, log_x)
    up = Axis([b for p in good.values() for _, b in p], HEIGHT - BOTTOM, TOP, log_y, zero)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>']
    for m in across.marks():
        px = across.place(m)
        out.append(f'<line x1="{px:.1f}" y1="{TOP}" x2="{px:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>'
                   f'<text x="{px:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{number(m)}</text>')
    for m in up.marks():
        py = up.place(m)
        out.append(f'<line x1="{LEFT}" y1="{py:.1f}" x2="{WIDTH - RIGHT}" y2="{py:.1f}" stroke="#eee"/>'
                   f'<text x="{LEFT - 6}" y="{py + 4:.1f}" text-anchor="end">{number(m)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x)}</text>')
    out.append(f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>')
    out.append(f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - RIGHT - LEFT}" height="{HEIGHT - BOTTOM - TOP}" fill="none" stroke="#888"/>')
    for i, (name, points) in enumerate(good.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{across.place(a):.1f},{up.place(b):.1f}" for a, b in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(points) <= 40:
            out += [f'<circle cx="{across.place(a):.1f}" cy="{up.place(b):.1f}" r="3" fill="{colour}"><title>{number(a)}: {number(b)}</title></circle>' for a, b in points]
        py = TOP + 16 + i * 18
        out.append(f'<line x1="{WIDTH - RIGHT + 12}" y1="{py - 4}" x2="{WIDTH - RIGHT + 32}" y2="{py - 4}" stroke="{colour}" stroke-width="3"/>'
                   f'<text x="{WIDTH - RIGHT + 38}" y="{py}">{escape(name)}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def tail(hist):
    """A histogram [[from, count], ...] as [(value, share of all that is above it in percent), ...]: how seldom it is worse."""
    left = every = sum(n for _, n in hist)
    points = []
    for value, n in hist:
        points.append((value, 100 * left / every))
        left -= n
    return points

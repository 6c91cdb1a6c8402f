"""Every colour of a seller’s house from one hex value, with the contrasts WCAG 2.2 AA asks for."""

import math
import re

INK, PAPER_NIGHT, WHITE = "#1E1722", "#17121B", "#FFFFFF"


def rgb(hexa):
    return [int(hexa[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def linear(c):
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


def gamma(c):
    return 12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055


def luminance(hexa):
    r, g, b = map(linear, rgb(hexa))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    x, y = sorted((luminance(a), luminance(b)), reverse=True)
    return (x + 0.05) / (y + 0.05)


def to_oklch(hexa):
    r, g, b = map(linear, rgb(hexa))
    l_ = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    m_ = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    s_ = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    lig = 0.2104542553 * l_ + 0.7936177850 * m_ - 0.0040720468 * s_
    a = 1.9779984951 * l_ - 2.4285922050 * m_ + 0.4505937099 * s_
    bb = 0.0259040371 * l_ + 0.7827717662 * m_ - 0.8086757660 * s_
    return lig, math.hypot(a, bb), math.atan2(bb, a)


def from_oklch(lig, chroma, hue):
    """Hex of the nearest colour inside sRGB: the chroma gives way, the lightness and the hue stay."""
    while True:
        a, b = chroma * math.cos(hue), chroma * math.sin(hue)
        l_ = (lig + 0.3963377774 * a + 0.2158037573 * b) ** 3
        m_ = (lig - 0.1055613458 * a - 0.0638541728 * b) ** 3
        s_ = (lig - 0.0894841775 * a - 1.2914855480 * b) ** 3
        out = (
            4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
            -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
            -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
        )
        if all(-0.0005 <= c <= 1.0005 for c in out) or chroma < 0.001:
            return "#" + "".join(f"{round(255 * gamma(min(1, max(0, c)))):02X}" for c in out)
        chroma -= 0.002


def move_until(hexa, step, accepts):
    """Darken (step < 0) or lighten the colour until it is accepted."""
    lig, chroma, hue = to_oklch(hexa)
    while not accepts(hexa) and 0 < lig + step < 1:
        lig += step
        hexa = from_oklch(lig, chroma, hue)
    return hexa


def or_ink(seed, moved, ink, reach):
    """A colour that had to travel far is no longer the house's (yellow turns olive): ink is more honest."""
    return ink if abs(to_oklch(seed)[0] - to_oklch(moved)[0]) > reach else moved


def house(accent):
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", accent):
        raise ValueError("the accent colour is #RRGGBB")
    _, chroma, hue = to_oklch(accent)
    tint = min(chroma, 0.16) / 0.16  # a grey house colour leaves the paper grey

    paper = from_oklch(0.981, 0.006 * tint, hue)
    wash = from_oklch(0.935, 0.03 * tint, hue)
    fill = accent.upper()
    on_fill = INK if contrast(fill, INK) >= contrast(fill, WHITE) else WHITE
    fill = move_until(fill, 0.01 if on_fill == INK else -0.01, lambda c: contrast(c, on_fill) >= 4.6)
    graphic = move_until(fill, -0.01, lambda c: contrast(c, paper) >= 3.1 and contrast(c, wash) >= 3)
    graphic = or_ink(fill, graphic, INK, 0.12)
    text = move_until(fill, -0.01, lambda c: min(contrast(c, paper), contrast(c, wash)) >= 4.6)
    text = or_ink(fill, text, INK, 0.2)

    night = from_oklch(0.185, 0.016 * tint, hue)
    night_wash = from_oklch(0.275, 0.04 * tint, hue)
    night_fill = move_until(accent.upper(), 0.01, lambda c: contrast(c, night) >= 4.6 and contrast(c, INK) >= 4.6)
    night_text = move_until(night_fill, 0.01, lambda c: min(contrast(c, night), contrast(c, night_wash)) >= 5)
    return {
        "light": {"paper": paper, "wash": wash, "accent": fill, "on-accent": on_fill, "accent-graphic": graphic, "accent-text": text},
        "dark": {
            "paper": night,
            "wash": night_wash,
            "accent": night_fill,
            "on-accent": INK,
            "accent-graphic": night_fill,
            "accent-text": night_text,
        },
    }


def css(accent):
    def block(values, pad):
        return "\n".join(f"{pad}--{k}: {v};" for k, v in values.items())

    h = house(accent)
    return (
        "@layer house {\n  :root {\n" + block(h["light"], "    ") + "\n  }\n"
        "  @media (prefers-color-scheme: dark) {\n    :root:not([data-theme='light']) {\n" + block(h["dark"], "      ") + "\n    }\n  }\n"
        "  :root[data-theme='dark'] {\n" + block(h["dark"], "    ") + "\n  }\n}\n"
    )

"""A city's colours: the tokens a city may set, and the contrasts they must keep (WCAG 2.2; `look.md` section 3)."""

import re

TOKENS = {
    "brand": "#0000bf",
    "brand-strong": "#00005e",
    "brand-soft": "#f0f0ff",
    "on-brand": "#ffffff",
    "tint": "#eef5fb",
    "tint-2": "#d3e6f5",
    "accent": "#ffc61e",
    "accent-soft": "#fff4d4",
    "focus": "#0072c6",
}
INK, INK_3, WHITE = "#1a1a1a", "#595959", "#ffffff"
COLOUR = re.compile(r"#[0-9a-f]{6}")


def theme_css(theme: dict[str, str]) -> str:
    """The stylesheet of a city's tokens. Unknown names and values that are no #rrggbb colour are left out."""
    chosen = {name: value for name, value in theme.items() if name in TOKENS and COLOUR.fullmatch(value)}
    lines = "".join(f"--city-{name}:{value};" for name, value in chosen.items())
    return f":root{{{lines}}}\n" if lines else ""


def theme_problems(theme: dict[str, str]) -> list[str]:
    """Each contrast that this theme breaks, as a sentence; empty for a theme that may be used."""
    t = TOKENS | theme
    bad = [f"{name} is not a #rrggbb colour" for name, value in t.items() if not COLOUR.fullmatch(value)]
    if bad:
        return bad
    pairs = [
        ("brand on white", t["brand"], WHITE, 7.0),
        ("brand on tint-2", t["brand"], t["tint-2"], 4.5),
        ("free line on white", mixed(t["brand"], WHITE, 0.62), WHITE, 3.0),
        ("white on 76 % brand", WHITE, mixed(t["brand"], WHITE, 0.76), 4.5),
        ("white on brand-strong", WHITE, t["brand-strong"], 10.0),
        ("grey text on tint", INK_3, t["tint"], 4.5),
        ("grey text on tint-2", INK_3, t["tint-2"], 4.5),
        ("ink on accent", INK, t["accent"], 7.0),
        ("focus on white", t["focus"], WHITE, 3.0),
        ("focus on tint-2", t["focus"], t["tint-2"], 3.0),
    ]
    return [
        f"{name}: contrast {contrast(a, b):.2f}, needs {least}"
        for name, a, b, least in pairs
        if contrast(a, b) < least
    ]


def channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(colour: str, other: str, share: float) -> str:
    """`share` of `colour` in `other`, as CSS color-mix does in sRGB."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [
        c / 12.92 if (c := v / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for v in channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio, 1 to 21, WCAG 2.2."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)

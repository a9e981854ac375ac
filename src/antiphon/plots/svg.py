"""SVG and HTML elements as escaped text."""

from __future__ import annotations

import math

from markupsafe import Markup, escape


def number(value: float, digits: int = 2) -> str:
    """Write a coordinate with at most ``digits`` decimals, without trailing zeros or "-0".

    Raises
    ------
    ValueError
        If the value is not finite; nothing can be drawn there.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is no coordinate")
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """Make one element.

    Parameters
    ----------
    tag
        Its name, as in ``rect``.
    children
        Text (escaped) or markup (kept).
    attributes
        Underscores stand for hyphens, one at the end is dropped (``class_``); numbers are
        written by :func:`number`; None leaves the attribute out.
    """
    parts = [f"<{tag}"]
    for name, value in attributes.items():
        if value is None:
            continue
        text = value if isinstance(value, str) else number(value)
        parts.append(f' {name.rstrip("_").replace("_", "-")}="{escape(text)}"')
    if not children:
        parts.append("/>")
        return Markup("".join(parts))
    inner = "".join(escape(child) for child in children)
    return Markup(f"{''.join(parts)}>{inner}</{tag}>")


def text(
    content: str, x: float, y: float, *, class_: str | None = None, **attributes: str | float | None
) -> Markup:
    """Make a text element at ``(x, y)``."""
    return element("text", content, x=x, y=y, class_=class_, **attributes)


def title(content: str) -> Markup:
    """Make the tooltip of an element: its first child."""
    return element("title", content)


def path(points: list[tuple[float, float]], *, closed: bool = False) -> str:
    """Return the ``d`` of a path through points."""
    if not points:
        return ""
    steps = " ".join(f"{number(x, 1)},{number(y, 1)}" for x, y in points)
    return f"M{steps}{'Z' if closed else ''}"


def shorten(name: str, length: int) -> str:
    """Cut a name to ``length`` characters, the last an ellipsis; whoever cuts gives it in full
    as a tooltip.
    """
    return name if len(name) <= length else name[: max(length - 1, 0)].rstrip() + "…"


def drawing(
    width: float, height: float, label: str, *children: Markup, class_: str = "chart"
) -> Markup:
    """Make a whole drawing that scales down with the page, but never below a readable size.

    Parameters
    ----------
    width, height
        In px at full size.
    label
        What a screen reader says of it, one sentence.
    """
    return element(
        "svg",
        title(label),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        class_=class_,
        role="img",
        aria_label=label,
        style=f"max-width:{number(width)}px;min-width:{number(0.7 * width)}px",
    )


def empty(label: str, reason: str, width: float = 420, height: float = 90) -> Markup:
    """Make a drawing that says why there is nothing to draw."""
    frame = element("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=4, class_="empty")
    words = text(reason, width / 2, height / 2 + 4, class_="note", text_anchor="middle")
    return drawing(width, height, f"{label}: {reason}", frame, words)

"""The description of the interface as a page; it needs nothing from other sites."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(prefix="/api", include_in_schema=False)

_HEAD = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>Interface · Antiphon</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="{root}/static/frame/theme.js"></script>
<link rel="stylesheet" href="{root}/static/frame/app.css"></head>
<body class="plain"><main class="reading">
<h1>Interface</h1>
<p>Requests and answers are JSON unless it says otherwise; the full description for programs is
<a href="{root}/api/openapi.json">openapi.json</a>. Requests that change something carry the header
<code>X-Antiphon-Token</code> with the <code>token</code> that <code>GET /api/session</code> (or
<code>POST /api/login</code>, where people log in) returns. Errors are
<code>{{"error": "a sentence"}}</code>.</p>
"""


@router.get("/docs", response_class=HTMLResponse)
def docs(request: Request) -> str:
    """Return the page."""
    described = request.app.openapi()
    root = escape(str(request.scope.get("root_path", "")))
    parts = [_HEAD.format(root=root)]
    groups: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, facts in methods.items():
            name = (facts.get("tags") or ["other"])[0]
            groups.setdefault(name, []).append(_route(path, method, facts))
    parts += [f"<h2>{escape(name)}</h2>{''.join(groups[name])}" for name in sorted(groups)]
    parts.append("<h2>Shapes</h2>")
    for name, shape in sorted(described.get("components", {}).get("schemas", {}).items()):
        parts.append(
            f'<h3 id="{escape(name)}">{escape(name)}</h3>{_text(shape.get("description"))}'
            f"{_fields(shape)}"
        )
    parts.append("</main></body></html>")
    return "".join(parts)


def _route(path: str, method: str, facts: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}"
        f"{', needed' if p.get('required') else ''}</td><td>{_kind(p.get('schema', {}))}</td></tr>"
        for p in facts.get("parameters", [])
    )
    table = f"<table>{rows}</table>" if rows else ""
    body = facts.get("requestBody", {}).get("content", {})
    sent = "".join(
        f"<p>Send: {_kind(s.get('schema', {}))} ({escape(t)})</p>" for t, s in body.items()
    )
    given = "".join(
        f"<p>{escape(code)}: {', '.join(_kind(s.get('schema', {})) for s in c.values())}"
        f"{'' if c else escape(answer.get('description', ''))}</p>"
        for code, answer in facts.get("responses", {}).items()
        if code != "422"
        for c in (answer.get("content", {}),)
    )
    return (
        f"<section><h3><code>{escape(method.upper())} {escape(path)}</code></h3>"
        f"{_text(facts.get('description') or facts.get('summary'))}{table}{sent}{given}</section>"
    )


def _fields(shape: dict[str, Any]) -> str:
    needed = shape.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{'needed' if name in needed else ''}</td>"
        f"<td>{_kind(facts)}</td></tr>"
        for name, facts in shape.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


def _kind(schema: dict[str, Any]) -> str:
    """Return what a value is, with links to shapes."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "enum" in schema:
        return " | ".join(escape(repr(value)) for value in schema["enum"])
    for some in ("anyOf", "oneOf", "allOf"):
        if some in schema:
            return " | ".join(_kind(part) for part in schema[some])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    kind = escape(str(schema.get("format") or schema.get("type") or "any"))
    limits = [
        f"{sign} {schema[name]:g}"
        for name, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if name in schema
    ]
    return kind + (f" ({', '.join(limits)})" if limits else "")


def _text(text: str | None) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in (text or "").split("\n\n") if part)

"""The API reference at `/docs`: every operation of the OpenAPI document as one plain page, without any network."""

import base64
import hashlib
import json
from html import escape
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin-top: 2rem; }
pre { overflow-x: auto; padding: .75rem; background: color-mix(in srgb, currentColor 8%, transparent); }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"


def render(document: dict[str, Any]) -> str:
    """An OpenAPI document as HTML."""
    operations = [
        _operation(document, method, path, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>"
        f'<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>{"".join(operations)}</html>'
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description', operation.get('summary', '')))}</p>",
        _table("Asks", [_parameter(each) for each in operation.get("parameters", [])]),
        _table("Takes", _body(document, operation.get("requestBody", {}))),
        _table("Answers", [(status, each["description"]) for status, each in operation["responses"].items()]),
        _example(document, operation),
    ]
    return "".join(parts) + "</section>"


def _parameter(each: dict[str, Any]) -> tuple[str, str]:
    return f"{each['name']} ({each['in']})", each.get("description", "")


def _body(document: dict[str, Any], body: dict[str, Any]) -> list[tuple[str, str]]:
    """Each field of a request's body."""
    rows = []
    for kind, content in body.get("content", {}).items():
        schema = _resolved(document, content["schema"])
        rows += [
            (f"{name} ({kind})", each.get("description", "")) for name, each in schema.get("properties", {}).items()
        ]
    return rows


def _example(document: dict[str, Any], operation: dict[str, Any]) -> str:
    """The example of the first answer that has one."""
    for answer in operation["responses"].values():
        content = answer.get("content", {}).get("application/json")
        schema = _resolved(document, content.get("schema", {})) if content else {}
        if schema.get("examples"):
            shown = json.dumps(schema["examples"][0], ensure_ascii=False, indent=2)
            return f"<details><summary>An answer</summary><pre>{escape(shown)}</pre></details>"
    return ""


def _table(head: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th><code>{escape(name)}</code></th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<h3>{head}</h3><table>{cells}</table>" if rows else ""


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where it is only pointed to."""
    if "$ref" not in schema:
        return schema
    resolved: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return resolved

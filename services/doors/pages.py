"""A service's page and its files as they lie, with the types and caching a browser needs; no build step."""

import os
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

REVALIDATE = "no-cache"  # a browser may keep it, but asks whether it is still the same: a new release shows at once
TYPES = {  # not the system's own table: it differs from machine to machine
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


class Assets(StaticFiles):
    """The files beside a page."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """One file; 304 where the browser has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = REVALIDATE
        if response.status_code == status_code:
            response.headers["content-type"] = TYPES.get(Path(full_path).suffix, "application/octet-stream")
        return response


def add_pages(app: FastAPI, web: Path) -> None:
    """Serve `web/index.html` at `/` and the rest of the folder under `/assets/`."""

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(web / "index.html", media_type=TYPES[".html"], headers={"cache-control": REVALIDATE})

    app.mount("/assets", Assets(directory=web, check_dir=False), name="assets")

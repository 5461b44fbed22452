"""`make dashboards`: write every dashboard to k8s/monitoring/dashboards, and nothing else stays there."""

from pathlib import Path

from services.operating.dashboards.book import written

FOLDER = Path("k8s/monitoring/dashboards")  # from the repository's root


def main() -> None:
    """Write them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = written()
    for old in FOLDER.glob("*.json"):
        if old.name not in files:
            old.unlink()
    for name, content in files.items():
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()

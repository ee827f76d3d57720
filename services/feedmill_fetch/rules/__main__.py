"""Shows what the rule for a site makes of a page: `python -m feedmill_fetch.rules page.html https://site.example/`."""

import argparse
import sys
from pathlib import Path

from feedmill_fetch.extraction import examine
from feedmill_fetch.rules.reading import rules_in


def main(arguments: list[str] | None = None) -> None:
    """Print which rules are broken, which one holds, where the article goes on, and the article."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="a file that holds the page")
    parser.add_argument("url", help="where it was found")
    parser.add_argument("--rules", default="", help="a folder of your own rules")
    options = parser.parse_args(arguments)
    rules = rules_in(options.rules)
    for broken in rules.broken:
        sys.stderr.write(f"broken: {broken.name}: {broken.problem}\n")
    rule = rules.of(options.url)
    examined = examine(
        options.page.read_bytes(), charset=None, url=options.url, rules=options.rules
    )
    content = examined.content
    sys.stdout.write(f"rule: {rule.name if rule else 'none'}\n")
    if examined.next_url:
        sys.stdout.write(f"goes on at {examined.next_url}\n")
    sys.stdout.write(f"\n{content.text}\n" if content else "no article\n")


if __name__ == "__main__":
    main()

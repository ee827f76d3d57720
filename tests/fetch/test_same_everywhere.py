"""The same page is the same article in every process, to the letter: what is stored is compared by its text."""

import json
import os
import subprocess
import sys

from fetch.sanitising_vectors import VECTORS

URL = "https://site.example/blog/post.html"
# Prints what a page comes to, and what each of the vectors does.
PROGRAM = """
import json, sys
from feedmill_fetch.extraction import examine
from feedmill_fetch.sanitising import sanitise

url = sys.argv[1]
page, *vectors = json.load(sys.stdin)
print(examine(page.encode(), charset="utf-8", url=url).content.model_dump_json())
print(json.dumps([sanitise(vector, url) for vector in vectors]))
"""
PARAGRAPH = """<p lang=en dir=ltr title=t>The miller <a href=/w hreflang=en title=t class=embed>counted</a>
his sacks <em lang=la>before</em> the wheel began to turn, <q cite=/q title=q>again and again</q>, he said.</p>"""
PAGE = f"""<html lang=en><head><title>Mills</title><meta name=keywords content="b, a"></head><body><article>
{PARAGRAPH * 9}<figure><img src=a.png srcset="a.png 1x, b.png 2x" alt=A width=640 height=480 title=t
loading=eager referrerpolicy=unsafe-url><figcaption>Wheel</figcaption></figure>
<table><tr><th scope=col colspan=2 rowspan=1 title=t>Sacks</table><ol start=3 reversed><li value=7>x</ol>
{PARAGRAPH * 9}<picture><source media="(min-width: 9px)" sizes=9px type=image/webp srcset=c.webp>
<img src=c.png></picture><iframe src=https://play.example/x title=Film></iframe></article></body></html>"""


def found_in_a_process_of_its_own(seed: int) -> str:
    shown = json.dumps([PAGE, *VECTORS.values()])
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, URL],
        input=shown,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


def test_what_is_found_does_not_depend_on_the_process_that_finds_it() -> None:
    one, *others = (found_in_a_process_of_its_own(seed) for seed in range(1, 5))

    assert one.count("lazy") > 2
    assert "counted" in one
    assert others == [one] * 3

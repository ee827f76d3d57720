"""The part of a page that a person came to read, as clean markup. Pure.

The algorithm is that of Mozilla's Readability.js, which Firefox's reader view made the standard by
which others are measured; this is our own writing of it for lxml. It runs in passes:

    preparing → sieving → scoring → gathering → cleaning → finishing
"""

from feedmill_fetch.reader.passes import reader_view

__all__ = ["reader_view"]

"""What a page says about its article: JSON-LD, OpenGraph, microdata, `<meta>`. Pure."""

from feedmill_fetch.metadata.consent import withheld
from feedmill_fetch.metadata.reading import Metadata, person, read_metadata

__all__ = ["Metadata", "person", "read_metadata", "withheld"]

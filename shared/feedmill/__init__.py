"""What every process of the Feedmill fleet shares."""

from importlib.metadata import version

__version__ = version("feedmill")

"""Build first-party audience segments and push them to 巨量云图 from a terminal."""

__version__ = "0.1.0"

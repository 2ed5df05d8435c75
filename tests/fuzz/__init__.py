"""Fuzz targets, one per parser: whatever the bytes, an answer or one of our errors, and soon.

`python -m tests.fuzz.csv -max_total_time=600` runs one under atheris, where that is installed;
`test_corpus.py` runs all of them over the committed corpus without it.
"""

"""`python -m bench`: the segment engine against the sample script."""

from bench.segment_build import main

main()

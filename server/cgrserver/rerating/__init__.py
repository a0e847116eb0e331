"""Bulk rerating: files and tables of CDRs in, the same with costs out. See docs/rerating.md.

A file is read in pieces (`reading`), each of which is rated (`rating`), encoded and written (`writing`) while the next
is read (`running`). `Rater` and `batches_rater` rate batches that come from elsewhere.
"""

from cgrserver.rerating.mapping import Mapping, read_mapping
from cgrserver.rerating.rating import Plan, Rated, Rater, batches_rater

__all__ = ["Mapping", "Plan", "Rated", "Rater", "batches_rater", "read_mapping"]

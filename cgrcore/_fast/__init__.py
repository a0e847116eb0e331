"""The compiled core: one topic a file, numbers in, numbers out."""

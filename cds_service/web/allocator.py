"""Has the C library give memory back: each thread that judges large charts would otherwise keep a heap of its own for good."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
MEGABYTE, HEAPS = 1 << 20, 2


def give_back() -> None:
    """Two heaps for all threads, bodies apart from them, and what is free at the end of a heap goes back; only glibc knows these."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((M_ARENA_MAX, HEAPS), (M_MMAP_THRESHOLD, MEGABYTE), (M_TRIM_THRESHOLD, MEGABYTE)):
            mallopt(option, value)

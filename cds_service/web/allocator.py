"""Has the C library give memory back: each thread that judges large charts would otherwise keep a heap of its own for good."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
LARGE, HEAPS = 4 << 20, 2  # below this, memory is used again without asking the system for fresh pages, which costs more than copying


def give_back() -> None:
    """Two heaps for all threads, the largest bodies apart, and what is free at the end of a heap goes back; only glibc knows these."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((M_ARENA_MAX, HEAPS), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE)):
            mallopt(option, value)

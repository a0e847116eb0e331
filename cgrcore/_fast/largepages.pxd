# cython: language_level=3
# Memory in large pages where the system has them: what is read at random takes a look-up of its address as well, and
# the processor remembers few of them.
from libc.string cimport memset

cdef extern from "<stdlib.h>":
    int posix_memalign(void **memory, size_t alignment, size_t size) noexcept nogil

cdef extern from *:
    """
    #include <sys/mman.h>
    #ifdef MADV_HUGEPAGE
    #define cgr_want_large_pages(memory, size) ((void)madvise(memory, size, MADV_HUGEPAGE))
    #else
    #define cgr_want_large_pages(memory, size) ((void)0)
    #endif
    """
    void want_large_pages "cgr_want_large_pages" (void *memory, size_t size) noexcept nogil

#: A large page in bytes, where there are some.
cdef enum:
    LARGE_PAGE = 2097152


cdef inline void *take_large_pages(size_t size) noexcept nogil:
    """Return memory of zeros in whole large pages, to be freed with `free`; NULL when there is none."""
    cdef void *memory = NULL
    size = (size + LARGE_PAGE - 1) // LARGE_PAGE * LARGE_PAGE
    if posix_memalign(&memory, LARGE_PAGE, size):
        return NULL
    want_large_pages(memory, size)
    memset(memory, 0, size)
    return memory

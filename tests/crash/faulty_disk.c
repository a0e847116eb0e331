/* A disk that fails when told to, slipped under a process with LD_PRELOAD. Compiled by disk.py.

   FAULTY_DISK names a folder; what is done to the files `store.db` and `store.db-wal` in it goes through here. Its file
   `faults` holds four 32-bit numbers that a test changes while the process runs:

   0  every sync fails with EIO, and what was written since the last one will never reach the disk, though it reads back
   1  every write fails with ENOSPC
   2  every sync takes so many milliseconds longer
   3  how many calls have failed (written here)

   The folder `disk` below it is what a power failure would leave: each file as of its last sync that worked, and of
   later writes some (one in four, some of them torn), as a disk that reorders would have it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 2, DESCRIPTORS = 4096, SECTOR = 512 };

struct change { struct change *next; long number; off_t at; ssize_t size; char data[]; }; /* size -1: truncate to `at` */
struct file { char path[PATH_MAX], disk[PATH_MAX]; struct change *first, **last; };

static struct file files[FILES];
static struct file *opened[DESCRIPTORS];
static volatile int *faults;
static long number;
static unsigned long state = 88172645463325252UL;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int chance(int of) {
    state ^= state << 13; state ^= state >> 7; state ^= state << 17;
    return state % of == 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("FAULTY_DISK"), *seed = getenv("FAULTY_DISK_SEED");
    char path[PATH_MAX];
    if (!folder) return;
    if (seed) state += strtoul(seed, NULL, 10) * 2654435761UL;
    static const char *names[FILES] = {"store.db", "store.db-wal"};
    for (int i = 0; i < FILES; i++) {
        snprintf(files[i].path, PATH_MAX, "%s/%s", folder, names[i]);
        snprintf(files[i].disk, PATH_MAX, "%s/disk/%s", folder, names[i]);
        files[i].last = &files[i].first;
    }
    snprintf(path, PATH_MAX, "%s/faults", folder);
    int fd = REAL(open)(path, O_RDWR);
    if (fd < 0) { perror(path); abort(); }
    faults = mmap(NULL, 4 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REAL(close)(fd);
}

static void opened_as(int fd, const char *path) {
    if (fd < 0 || fd >= DESCRIPTORS || !faults) return;
    opened[fd] = NULL;
    for (int i = 0; i < FILES; i++)
        if (!strcmp(path, files[i].path)) opened[fd] = &files[i];
}

static struct file *file_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? opened[fd] : NULL; }

static void apply(struct file *file, const struct change *change, int is_torn) {
    int fd = REAL(open)(file->disk, O_RDWR | O_CREAT, 0644);
    if (fd < 0) { perror(file->disk); abort(); }
    if (change->size < 0) {
        if (REAL(ftruncate)(fd, change->at)) abort();
    } else {
        ssize_t size = is_torn ? change->size / SECTOR / 2 * SECTOR : change->size;
        if (REAL(pwrite)(fd, change->data, size, change->at) != size) abort();
    }
    REAL(close)(fd);
}

static void note(struct file *file, const void *data, ssize_t size, off_t at) {
    struct change *change = malloc(sizeof *change + (size > 0 ? size : 0));
    change->next = NULL; change->at = at; change->size = size;
    if (size > 0) memcpy(change->data, data, size);
    pthread_mutex_lock(&lock);
    change->number = ++number;
    *file->last = change;
    file->last = &change->next;
    if (chance(4)) apply(file, change, chance(3));
    pthread_mutex_unlock(&lock);
}

/* Forget the changes up to `until`, having carried them out in their order or not. */
static void settle(struct file *file, long until, int is_done) {
    pthread_mutex_lock(&lock);
    while (file->first && file->first->number <= until) {
        struct change *change = file->first;
        if (is_done) apply(file, change, 0);
        file->first = change->next;
        if (!file->first) file->last = &file->first;
        free(change);
    }
    pthread_mutex_unlock(&lock);
}

static int refused(int why) {
    faults[3]++;
    errno = why;
    return -1;
}

static int synced(int fd) {
    struct file *file = file_of(fd);
    pthread_mutex_lock(&lock);
    long until = number;
    pthread_mutex_unlock(&lock);
    if (!file) return REAL(fdatasync)(fd);
    if (faults[2]) usleep(1000 * faults[2]);
    if (faults[0]) { settle(file, until, 0); return refused(EIO); }
    settle(file, until, 1);
    return 0;
}

int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }

static ssize_t written(int fd, const void *data, size_t size, off_t at) {
    struct file *file = file_of(fd);
    if (file && faults[1]) return refused(ENOSPC);
    ssize_t done = REAL(pwrite)(fd, data, size, at);
    if (file && done > 0) note(file, data, done, at);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return written(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return written(fd, data, size, at); }

static int truncated(int fd, off_t size) {
    struct file *file = file_of(fd);
    int failed = REAL(ftruncate)(fd, size);
    if (file && !failed) note(file, NULL, -1, size);
    return failed;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0; \
        va_end(more); \
        int fd = REAL(name)(path, flags, mode); \
        opened_as(fd, path); \
        return fd; \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) opened[fd] = NULL;
    return REAL(close)(fd);
}

int unlink(const char *path) {
    for (int i = 0; faults && i < FILES; i++)
        if (!strcmp(path, files[i].path)) { settle(&files[i], LONG_MAX, 0); REAL(unlink)(files[i].disk); }
    return REAL(unlink)(path);
}

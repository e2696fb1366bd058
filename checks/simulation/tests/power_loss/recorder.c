// Preloaded into a process, records what it writes below RECORD_FOLDER and when it syncs, in the order in which it happens,
// to the file RECORD_LOG. A record is a line, after a write followed by what was written:
//   W name offset length      S name      T name length      U name
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 1024
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char names[FILES][128];
static int log_fd = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *name_below_folder(const char *path) {
  const char *folder = getenv("RECORD_FOLDER");
  size_t length = folder ? strlen(folder) : 0;
  if (!length || !path || strncmp(path, folder, length) || path[length] != '/') return NULL;
  const char *name = path + length + 1;
  return strlen(name) < sizeof names[0] ? name : NULL;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FILES && names[fd][0] ? names[fd] : NULL; }

static void record(const void *bytes, size_t length) {
  if (log_fd < 0) log_fd = REAL(open)(getenv("RECORD_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  while (length > 0) {
    ssize_t written = REAL(write)(log_fd, bytes, length);
    if (written <= 0) abort();
    bytes = (const char *)bytes + written;
    length -= (size_t)written;
  }
}

static void record_line(const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  record(line, (size_t)length);
}

static int opened(int fd, const char *path) {
  const char *name = name_below_folder(path);
  if (fd >= 0 && fd < FILES) {
    pthread_mutex_lock(&lock);
    strcpy(names[fd], name ? name : "");
    pthread_mutex_unlock(&lock);
  }
  return fd;
}

#define MODE(flags)                     \
  mode_t mode = 0;                      \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list arguments;                  \
    va_start(arguments, flags);         \
    mode = va_arg(arguments, mode_t);   \
    va_end(arguments);                  \
  }

int open(const char *path, int flags, ...) { MODE(flags) return opened(REAL(open)(path, flags, mode), path); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(REAL(open64)(path, flags, mode), path); }
int openat(int folder, const char *path, int flags, ...) {
  MODE(flags) return opened(REAL(openat)(folder, path, flags, mode), path);
}
int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags) return opened(REAL(openat64)(folder, path, flags, mode), path);
}

int close(int fd) {
  if (fd >= 0 && fd < FILES) names[fd][0] = 0;
  return REAL(close)(fd);
}

static ssize_t written(int fd, const void *bytes, ssize_t length, off_t offset) {
  if (length > 0 && name_of(fd)) {
    record_line("W %s %lld %lld\n", name_of(fd), (long long)offset, (long long)length);
    record(bytes, (size_t)length);
  }
  return length;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (!name_of(fd)) return REAL(write)(fd, bytes, length);
  pthread_mutex_lock(&lock);
  off_t offset = lseek(fd, 0, SEEK_CUR);
  ssize_t done = written(fd, bytes, REAL(write)(fd, bytes, length), offset);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  if (!name_of(fd)) return REAL(pwrite)(fd, bytes, length, offset);
  pthread_mutex_lock(&lock);
  ssize_t done = written(fd, bytes, REAL(pwrite)(fd, bytes, length, offset), offset);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return pwrite(fd, bytes, length, offset); }

static int synced(int fd, int (*sync)(int)) {
  if (!name_of(fd)) return sync(fd);
  // What others write meanwhile is not taken for synced.
  pthread_mutex_lock(&lock);
  int failed = sync(fd);
  if (!failed) record_line("S %s\n", name_of(fd));
  pthread_mutex_unlock(&lock);
  return failed;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int ftruncate(int fd, off_t length) {
  pthread_mutex_lock(&lock);
  int failed = REAL(ftruncate)(fd, length);
  if (!failed && name_of(fd)) record_line("T %s %lld\n", name_of(fd), (long long)length);
  pthread_mutex_unlock(&lock);
  return failed;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int unlink(const char *path) {
  int failed = REAL(unlink)(path);
  const char *name = name_below_folder(path);
  if (!failed && name) {
    pthread_mutex_lock(&lock);
    record_line("U %s\n", name);
    pthread_mutex_unlock(&lock);
  }
  return failed;
}

// Preloaded into a real process, makes its disk fail or kills it at a named point. The file FAULT_FILE says what happens next:
//   kill POINT N     kill -9 when POINT is reached for the Nth time; the file is deleted first, so the next process lives
//   EIO POINT 0      POINT fails with EIO each time, for as long as the file says so; ENOSPC likewise
// Points on the disk: wal-write, wal-sync (before), wal-synced (after); file-step (before each rename, unlink, fsync).
// Points on the wire: answer (before an HTTP answer 200), publish and published, confirm (received), delivery (received),
// ack and acked, store-write (before a write to MongoDB) and store-written (its answer received), telegram-send and
// telegram-sent (its answer received).
// Nothing of this is in the product: without LD_PRELOAD there is no point at which it can be killed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last_fault[128];
static int times_reached;
// What was asked on a connection, so that its answer is known.
static char asked[FILES];

static int fault_of(const char *action) {
  if (!strcmp(action, "EIO")) return EIO;
  if (!strcmp(action, "ENOSPC")) return ENOSPC;
  return 0;
}

// The error with which this point fails, or 0.
static int reach(const char *point) {
  const char *path = getenv("FAULT_FILE");
  int file = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return 0;
  char text[128] = "", action[16], wanted[32];
  int count = 0, error = 0;
  ssize_t length = REAL(read)(file, text, sizeof text - 1);
  REAL(close)(file);
  if (length <= 0 || sscanf(text, "%15s %31s %d", action, wanted, &count) != 3 || strcmp(wanted, point)) return 0;
  pthread_mutex_lock(&lock);
  if (strcmp(text, last_fault)) {
    strcpy(last_fault, text);
    times_reached = 0;
  }
  times_reached++;
  if (!strcmp(action, "kill")) {
    if (times_reached >= count) {
      REAL(unlink)(path);
      kill(getpid(), SIGKILL);
    }
  } else {
    error = fault_of(action);
  }
  pthread_mutex_unlock(&lock);
  return error;
}

static int is_armed(void) {
  const char *path = getenv("FAULT_FILE");
  return path && !access(path, F_OK);
}

static int is_wal(int fd) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  return length > 4 && !memcmp(path + length - 4, "-wal", 4);
}

static int fails(int error) {
  if (error) errno = error;
  return error;
}

static int reaches_write(int fd) { return is_armed() && is_wal(fd) && fails(reach("wal-write")); }

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  return reaches_write(fd) ? -1 : REAL(pwrite)(fd, bytes, length, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  return reaches_write(fd) ? -1 : REAL(pwrite64)(fd, bytes, length, offset);
}

static int synced(int fd, int (*sync)(int), int is_step) {
  if (!is_armed()) return sync(fd);
  if (is_step) reach("file-step");
  if (!is_wal(fd)) return sync(fd);
  if (fails(reach("wal-sync"))) return -1;
  int failed = sync(fd);
  reach("wal-synced");
  return failed;
}
int fsync(int fd) { return synced(fd, REAL(fsync), 1); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync), 0); }

int rename(const char *from, const char *to) {
  if (is_armed()) reach("file-step");
  return REAL(rename)(from, to);
}
int unlink(const char *path) {
  if (is_armed()) reach("file-step");
  return REAL(unlink)(path);
}

// Whether the bytes hold a method frame of AMQP's class "basic".
static int has_method(const char *bytes, size_t length, char method) {
  const char head[] = {0, 60, 0, method};
  for (const char *at = bytes; (size_t)(bytes + length - at) >= sizeof head; at++) {
    at = memmem(at, (size_t)(bytes + length - at), head, sizeof head);
    if (!at) return 0;
    if (at - bytes >= 7 && at[-7] == 1) return 1;
  }
  return 0;
}

static int starts(const char *bytes, size_t length, const char *text) {
  return length >= strlen(text) && !memcmp(bytes, text, strlen(text));
}

static int is_store_write(const char *bytes, size_t length) {
  // The header of OP_MSG, its flags and the kind of its first section; then a document whose first element is the command.
  if (length < 40 || memcmp(bytes + 12, "\xdd\x07\0\0", 4)) return 0;
  const char *command = bytes + 26;
  // The roster of bots is renewed by the clock and not by a purchase.
  if (memmem(bytes, length, "\5\0\0\0bots", 9) || memmem(bytes, length, ".bots", 6)) return 0;
  const char *commands[] = {"insert", "update", "bulkWrite", "findAndModify", "delete"};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (!strncmp(command, commands[i], length - 26)) return 1;
  return 0;
}

enum { NOTHING, STORE, TELEGRAM };

static void before_sending(int fd, const char *bytes, size_t length) {
  if (starts(bytes, length, "HTTP/1.1 200")) reach("answer");
  if (has_method(bytes, length, 40)) reach("publish");
  if (has_method(bytes, length, 80)) reach("ack");
  if (is_store_write(bytes, length)) {
    asked[fd] = STORE;
    reach("store-write");
  }
  // The bot writes the method with a capital letter.
  if (starts(bytes, length, "POST /bot") && memmem(bytes, length, "/SendMessage", 12)) {
    asked[fd] = TELEGRAM;
    reach("telegram-send");
  }
}

static void after_sending(const char *bytes, size_t length) {
  if (has_method(bytes, length, 40)) reach("published");
  if (has_method(bytes, length, 80)) reach("acked");
}

static void received(int fd, const char *bytes, size_t length) {
  if (has_method(bytes, length, 60)) reach("delivery");
  if (has_method(bytes, length, 80)) reach("confirm");
  char what = asked[fd];
  asked[fd] = NOTHING;
  if (what == STORE) reach("store-written");
  if (what == TELEGRAM) reach("telegram-sent");
}

static int is_watched(int fd) { return fd >= 0 && fd < FILES && is_armed(); }

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  if (is_watched(fd)) before_sending(fd, bytes, length);
  ssize_t done = REAL(send)(fd, bytes, length, flags);
  if (done > 0 && is_watched(fd)) after_sending(bytes, (size_t)done);
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  int is_socket = is_watched(fd);
  for (int i = 0; is_socket && i < count; i++) before_sending(fd, parts[i].iov_base, parts[i].iov_len);
  ssize_t done = REAL(writev)(fd, parts, count);
  for (int i = 0; done > 0 && is_socket && i < count; i++) after_sending(parts[i].iov_base, parts[i].iov_len);
  return done;
}

ssize_t recv(int fd, void *bytes, size_t length, int flags) {
  ssize_t done = REAL(recv)(fd, bytes, length, flags);
  if (done > 0 && !(flags & MSG_PEEK) && is_watched(fd)) received(fd, bytes, (size_t)done);
  return done;
}

ssize_t readv(int fd, const struct iovec *parts, int count) {
  ssize_t done = REAL(readv)(fd, parts, count);
  ssize_t left = done;
  for (int i = 0; left > 0 && i < count && is_watched(fd); i++) {
    size_t length = (size_t)left < parts[i].iov_len ? (size_t)left : parts[i].iov_len;
    received(fd, parts[i].iov_base, length);
    left -= (ssize_t)length;
  }
  return done;
}

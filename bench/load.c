/*
 * Traffic for bench/overhead.ts and bench/memory.ts, as cheap as it gets.
 *
 *   load serve PORT                               answers until it is killed; prints "ready"
 *   load rr|crr|bulk ADDRESS PORT SECONDS [RATE]  RATE a second, 0 = all it can; prints what was done (requests, connections or
 *                                                 bytes), seconds, and seconds of CPU
 *
 * rr: a byte there and back on one connection. crr: connect, a byte there and back, close, the server first. bulk: 64 KiB writes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 16];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void serve(int port) {
  struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1,
      epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener},
                     events[64];

  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 4096))
    die("listen");
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  puts("ready");
  fflush(stdout);
  for (;;) {
    int n = epoll_wait(epoll, events, 64, -1);

    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      ssize_t got;

      if (fd == listener) {
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
          event.data.fd = fd;
          epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        }
        continue;
      }
      got = read(fd, buffer, sizeof(buffer));
      if (got == 1)
        got = write(fd, buffer, 1) == 1 && buffer[0] == 'r' ? 1 : 0;
      if (got == 0 || (got < 0 && errno != EAGAIN))
        close(fd);
    }
  }
}

static struct sockaddr_storage target;
static socklen_t target_size;

static int connected(void) {
  int fd = socket(target.ss_family, SOCK_STREAM, 0), one = 1;

  if (fd < 0)
    die("socket");
  if (connect(fd, (void *)&target, target_size))
    die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return fd;
}

int main(int argc, char **argv) {
  struct sockaddr_in *v4 = (void *)&target;
  struct sockaddr_in6 *v6 = (void *)&target;
  double began, seconds, rate;
  unsigned long long done = 0;
  struct timespec cpu;
  int fd = -1;

  signal(SIGPIPE, SIG_IGN);
  if (argc == 3 && !strcmp(argv[1], "serve"))
    serve(atoi(argv[2]));
  if (argc < 5) {
    fprintf(stderr,
            "load serve PORT | load rr|crr|bulk ADDRESS PORT SECONDS [RATE]\n");
    return 2;
  }
  if (inet_pton(AF_INET, argv[2], &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(atoi(argv[3]));
    target_size = sizeof(*v4);
  } else if (inet_pton(AF_INET6, argv[2], &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(atoi(argv[3]));
    target_size = sizeof(*v6);
  } else {
    fprintf(stderr, "no address: %s\n", argv[2]);
    return 2;
  }
  seconds = atof(argv[4]);
  rate = argc > 5 ? atof(argv[5]) : 0;
  if (strcmp(argv[1], "crr"))
    fd = connected();
  began = now();
  while (now() - began < seconds) {
    double ahead = rate > 0 ? done / rate - (now() - began) : 0;

    if (ahead > 0.001)
      usleep(ahead * 1e6);
    if (!strcmp(argv[1], "bulk")) {
      ssize_t wrote = write(fd, buffer, sizeof(buffer));

      if (wrote < 0)
        die("write");
      done += wrote;
      continue;
    }
    if (!strcmp(argv[1], "crr"))
      fd = connected();
    if (write(fd, strcmp(argv[1], "crr") ? "r" : "c", 1) != 1 ||
        read(fd, buffer, 1) != 1)
      die("exchange");
    if (!strcmp(argv[1], "crr")) {
      if (read(fd, buffer, 1) !=
          0) /* its FIN: ours is the second, so no port waits here */
        die("end");
      close(fd);
    }
    done++;
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  printf("%llu %.6f %.6f\n", done, now() - began, cpu.tv_sec + cpu.tv_nsec / 1e9);
  return 0;
}

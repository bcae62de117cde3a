// The package comment (doc.go) says what this does.
#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int supervise_stderr = -1;

enum { kExhausted = 4 };  // ExhaustedStatus

struct limit {
  rlim_t bytes;  // RLIM_INFINITY: there is none
  char option;   // ulimit's
};

static struct limit limit(void) {
  struct limit least = {RLIM_INFINITY, 'v'};
  struct rlimit l;
  if (!getrlimit(RLIMIT_AS, &l)) least.bytes = l.rlim_cur;
  if (!getrlimit(RLIMIT_DATA, &l) && l.rlim_cur < least.bytes)
    least = (struct limit){l.rlim_cur, 'd'};
  return least;
}

// ---- The last words ---------------------------------------------------------

// What Go's runtime, the C++ library, OpenMP and the loader say where memory is exhausted, and
// where no thread starts any more, for want of memory above all.
static const char *const kMemory[] = {
    "out of memory",  "annot allocate memory", "failed to reserve",     "failed to allocate",
    "std::bad_alloc", "can't allocate memory", "failed to map segment",
};
static const char *const kThreads[] = {
    "pthread_create failed",
    "failed to create new OS thread",
    "Thread creation failed",
};

static bool any(const char *text, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strstr(text, words[i])) return true;
  return false;
}

static bool tells_of_memory(const char *text) {
  return any(text, kMemory, sizeof kMemory / sizeof *kMemory);
}

static bool tells_of_threads(const char *text) {
  return any(text, kThreads, sizeof kThreads / sizeof *kThreads);
}

// Tells whether a crash of Go's runtime names an access near address 0, where malloc's result was
// used without a look. (Go's own nil pointers are panics.)
static bool null_access(const char *text) {
  const char *fault = strstr(text, "SIGSEGV");
  const char *address = fault ? strstr(fault, "addr=0x") : NULL;
  return address && strtoull(address + strlen("addr="), NULL, 16) < 1 << 16;
}

static bool by_want_of_memory(const char *text) {
  return tells_of_memory(text) || tells_of_threads(text) || null_access(text);
}

// Sends this process a signal that is blocked otherwise.
static void let_through(int s) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, s);
  raise(s);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
  sigprocmask(SIG_BLOCK, &one, NULL);
}

static char *last_words(int file) {
  const off_t most = 1 << 20;
  off_t size = lseek(file, 0, SEEK_END);
  if (size > most) size = most;
  char *text = size >= 0 ? malloc(size + 1) : NULL;
  if (!text) return NULL;
  ssize_t n = pread(file, text, size, 0);
  text[n > 0 ? n : 0] = 0;
  for (ssize_t i = 0; i < n; i++)
    if (!text[i]) text[i] = ' ';
  return text;
}

static void show(int fd, const char *text) {
  for (size_t left = strlen(text); left > 0;) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    left -= n;
  }
}

// Tells the end in a line. The words of runtimes and libraries say nothing to who reads it.
static void explain(int real, const char *text) {
  const struct limit l = limit();
  const bool threads = tells_of_threads(text) && !tells_of_memory(text);
  char line[512];
  snprintf(line, sizeof line, "%s%s: out of memory: %s; allow more than %llu MiB (ulimit -%c)%s\n",
           isatty(real) ? "\n" : "",  // a bar of progress may stand in the terminal's line
           program_invocation_short_name,
           threads ? "no thread could be started" : "the program broke off",
           (unsigned long long)(l.bytes >> 20), l.option,
           threads ? ", or more threads (ulimit -u)" : "");
  show(real, line);
}

// Ends as the program did.
_Noreturn static void end_as(int status, int file, int real) {
  char *text = last_words(file);
  if (!text) text = "";
  bool exhausted = false;
  const int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (by == SIGABRT || by == SIGSEGV || by == SIGBUS) {
    exhausted = !*text || by_want_of_memory(text);
  } else if (!by && (WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 2)) {
    exhausted = by_want_of_memory(text);  // Go's runtime ends with 2, libraries with 1
  }
  const char *trace = getenv("GOTORCH_TRACE");
  if (!exhausted || (trace && !strcmp(trace, "1"))) show(real, text);
  if (exhausted) {
    explain(real, text);
    _exit(kExhausted);
  }
  if (!by) _exit(WEXITSTATUS(status));
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(by, SIG_DFL);
  let_through(by);
  _exit(128 + by);  // process 1 of a container does not die by signals
}

// ---- The parent -------------------------------------------------------------

// Passes signals on until the program ends; all of them are blocked here.
static int wait_for(pid_t program) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    siginfo_t info;
    int s = sigwaitinfo(&all, &info);
    if (s < 0) continue;
    const bool by_somebody = info.si_code <= 0 && info.si_pid != program;  // not by the system
    switch (s) {
      case SIGCHLD: {
        int status;
        for (pid_t p; (p = waitpid(-1, &status, WNOHANG)) > 0;)  // as process 1 also others'
          if (p == program) return status;
        break;
      }
      case SIGTSTP:
      case SIGTTIN:
      case SIGTTOU:
        if (by_somebody) kill(program, s);
        let_through(s);  // stops here, until it is continued
        kill(program, SIGCONT);
        break;
      default:
        if (by_somebody) kill(program, s);
    }
  }
}

// Closes what the program has open: the parent must keep no pipe from its end.
static void close_others(int file, int real) {
  const int low = file < real ? file : real, high = file < real ? real : file;
  if (low > 0) syscall(SYS_close_range, 0u, (unsigned)low - 1, 0u);
  if (high > low + 1) syscall(SYS_close_range, (unsigned)low + 1, (unsigned)high - 1, 0u);
  syscall(SYS_close_range, (unsigned)high + 1, ~0u, 0u);
}

__attribute__((constructor)) static void supervise(void) {
  if (limit().bytes == RLIM_INFINITY) return;
  const int real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  const int file = real < 0 ? -1 : (int)syscall(SYS_memfd_create, "stderr", 1u /* MFD_CLOEXEC */);
  if (file < 0) {  // no standard error, or an old system: as without us
    if (real >= 0) close(real);
    return;
  }
  sigset_t all, before;
  struct sigaction children, standard = {.sa_handler = SIG_DFL};
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  sigaction(SIGCHLD, &standard, &children);  // an ignored one would leave nothing to wait for
  const pid_t parent = getpid();
  const pid_t program = fork();
  if (program > 0) {
    close_others(file, real);
    end_as(wait_for(program), file, real);
  }
  sigaction(SIGCHLD, &children, NULL);
  if (program == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // it was killed before that
    dup2(file, STDERR_FILENO);
    supervise_stderr = real;
  } else {
    close(real);
  }
  close(file);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

// Whether the program began without a standard output.
#include <fcntl.h>
#include <unistd.h>

#include "supervise.h"

int supervise_output_closed;

__attribute__((constructor)) static void look(void) {
  supervise_output_closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
}

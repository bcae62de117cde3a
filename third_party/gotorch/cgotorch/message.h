// From a C++ exception to the text that Go is given. Both libraries need it.
#ifndef CGOTORCH_MESSAGE_H_
#define CGOTORCH_MESSAGE_H_

#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "memory_text.h"
#include "pch.h"

namespace gt {

// The first letter tells Go the kind: M out of memory, E anything else, m out
// of memory and the text itself is static, because there was none left for it.
inline char *tagged(char kind, const std::string &text) {
  std::string s(1, kind);
  s += text.empty() ? "unknown error" : text;
  char *copy = strdup(s.c_str());
  if (!copy) throw std::bad_alloc();
  return copy;
}

inline char *message(std::exception_ptr e, bool trace) noexcept {
  static char out_of_memory[] = "mout of memory";
  try {
    try {
      std::rethrow_exception(std::move(e));
    } catch (const c10::OutOfMemoryError &x) {
      return tagged('M', trace ? x.what() : x.what_without_backtrace());
    } catch (const c10::Error &x) {
      std::string s = trace ? x.what() : x.what_without_backtrace();
      return tagged(says_out_of_memory(s) ? 'M' : 'E', s);
    } catch (const std::bad_alloc &) {
      return tagged('M', "out of memory");
    } catch (const std::exception &x) {
      return tagged(says_out_of_memory(x.what()) ? 'M' : 'E', x.what());
    } catch (...) {
      return tagged('E', "unknown C++ exception");
    }
  } catch (...) {
    return out_of_memory;
  }
}

}  // namespace gt

#endif  // CGOTORCH_MESSAGE_H_

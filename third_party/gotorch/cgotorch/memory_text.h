// How libraries say that memory is exhausted.
#ifndef CGOTORCH_MEMORY_TEXT_H_
#define CGOTORCH_MEMORY_TEXT_H_

#include <string>

namespace gt {

// libtorch has an exception of its own for its caching allocator only. What the
// CUDA run time, cuBLAS, cuDNN and their like meet comes as a text:
// "CUDA error: out of memory", CUBLAS_STATUS_ALLOC_FAILED,
// CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED.
inline bool says_out_of_memory(const std::string &s) {
  for (const char *words : {"can't allocate memory", "CUDA out of memory",
                            "CUDA error: out of memory", "cudaErrorMemoryAllocation"})
    if (s.find(words) != std::string::npos) return true;
  // oneDNN's text for code that it found no memory for.
  if (s == "could not create a primitive") return true;
  // NAME_STATUS_..ALLOC..: the word goes on to the first letter that is in none.
  for (size_t at = 0; (at = s.find("_STATUS_", at)) != std::string::npos; at++) {
    size_t end = s.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", at);
    if (s.substr(at, end == std::string::npos ? end : end - at).find("ALLOC") != std::string::npos)
      return true;
  }
  return false;
}

}  // namespace gt

#endif  // CGOTORCH_MEMORY_TEXT_H_

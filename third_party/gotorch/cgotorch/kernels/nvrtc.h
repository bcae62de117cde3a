// Compiles the text of kernels for a GPU, by NVIDIA's compiler for running programs. It includes no
// header of CUDA's or libtorch's: scripts/check-cuda-kernels compiles all text with it, where there
// is neither.
//
// Why while the program runs, and not as it is built: libtorch_cuda needs libnvrtc in any case,
// so that it is there wherever a GPU can be used, while whoever builds would need nvcc; the
// machine code is for the very card, of which a build would hold one for each kind (and PTX,
// which the driver compiles anew, for later ones); and it takes seconds, once a process.
#ifndef CGOTORCH_KERNELS_NVRTC_H_
#define CGOTORCH_KERNELS_NVRTC_H_

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "gpu_text.h"

namespace gt {

class NVRTC {
 public:
  // The library is open already: the Go part opens it before libtorch_cuda, for all to see.
  NVRTC() {
    void *in = RTLD_DEFAULT;  // which is null
    if (!dlsym(in, "nvrtcCompileProgram") &&
        !(in = dlopen("libnvrtc.so.13", RTLD_NOW | RTLD_GLOBAL)))
      throw std::runtime_error("libnvrtc, which compiles them, is missing");
#define GT_FIND(name)                                               \
  if (!(name = reinterpret_cast<decltype(name)>(dlsym(in, #name)))) \
    throw std::runtime_error("libnvrtc, which compiles them, has no " #name);
    GT_FIND(nvrtcVersion)
    GT_FIND(nvrtcGetNumSupportedArchs)
    GT_FIND(nvrtcGetSupportedArchs)
    GT_FIND(nvrtcCreateProgram)
    GT_FIND(nvrtcCompileProgram)
    GT_FIND(nvrtcGetProgramLogSize)
    GT_FIND(nvrtcGetProgramLog)
    GT_FIND(nvrtcGetCUBINSize)
    GT_FIND(nvrtcGetCUBIN)
    GT_FIND(nvrtcDestroyProgram)
    GT_FIND(nvrtcGetErrorString)
#undef GT_FIND
  }

  // What was compiled, whether or not it could be.
  struct Compiled {
    std::string code, log;
    double seconds = 0;
    std::string error;  // "" where all is well
  };

  // architecture: 90 for compute capability 9.0.
  Compiled compile(const GPUText &text, int architecture,
                   const std::vector<std::string> &more = {}) const {
    Compiled c;
    const std::string sm = "sm_" + std::to_string(architecture);
    if (!knows(architecture)) {
      int major = 0, minor = 0;
      nvrtcVersion(&major, &minor);
      c.error = "libnvrtc " + std::to_string(major) + "." + std::to_string(minor) +
                " does not know " + sm;
      return c;
    }
    std::vector<const char *> names, headers, options;
    for (const auto &[name, header] : text.headers)
      names.push_back(name.c_str()), headers.push_back(header.c_str());
    std::vector<std::string> all = {"--gpu-architecture=" + sm, "--std=c++17",
                                    "--generate-line-info"};
    all.insert(all.end(), more.begin(), more.end());
    for (const std::string &o : all) options.push_back(o.c_str());

    const auto start = std::chrono::steady_clock::now();
    Program program{*this};
    int result = nvrtcCreateProgram(&program.p, text.program.c_str(), "kernels.cu",
                                    static_cast<int>(names.size()), headers.data(), names.data());
    if (result == 0) {
      result = nvrtcCompileProgram(program.p, static_cast<int>(options.size()), options.data());
      size_t n = 0;
      if (nvrtcGetProgramLogSize(program.p, &n) == 0 && n > 1) {
        c.log.resize(n - 1);
        if (nvrtcGetProgramLog(program.p, c.log.data()) != 0) c.log.clear();
      }
      if (result == 0) result = nvrtcGetCUBINSize(program.p, &n);
      if (result == 0) {
        c.code.resize(n);
        result = nvrtcGetCUBIN(program.p, c.code.data());
      }
    }
    c.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (result != 0)
      c.error =
          "they do not compile for " + sm + ": " + first_error(c.log, nvrtcGetErrorString(result));
    return c;
  }

  std::vector<int> architectures() const {
    int n = 0;
    std::vector<int> all;
    if (nvrtcGetNumSupportedArchs(&n) != 0 || n <= 0) return all;
    all.resize(n);
    if (nvrtcGetSupportedArchs(all.data()) != 0) all.clear();
    return all;
  }

 private:
  struct Handle;
  struct Program {
    const NVRTC &of;
    Handle *p = nullptr;
    ~Program() {
      if (p) of.nvrtcDestroyProgram(&p);
    }
  };

  bool knows(int architecture) const {
    const auto all = architectures();
    return std::find(all.begin(), all.end(), architecture) != all.end();
  }
  static std::string first_error(const std::string &log, const char *otherwise) {
    size_t at = log.find("error");
    if (at == std::string::npos) return otherwise;
    at = log.rfind('\n', at) + 1;  // of npos: 0
    return log.substr(at, log.find('\n', at) - at);
  }

  // As nvrtc.h declares them, which is in none of the packages that building needs. nvrtcResult is
  // an enum.
  int (*nvrtcVersion)(int *major, int *minor);
  int (*nvrtcGetNumSupportedArchs)(int *n);
  int (*nvrtcGetSupportedArchs)(int *all);
  int (*nvrtcCreateProgram)(Handle **p, const char *text, const char *name, int headers,
                            const char *const *texts, const char *const *names);
  int (*nvrtcCompileProgram)(Handle *p, int n, const char *const *options);
  int (*nvrtcGetProgramLogSize)(Handle *p, size_t *n);
  int (*nvrtcGetProgramLog)(Handle *p, char *log);
  int (*nvrtcGetCUBINSize)(Handle *p, size_t *n);
  int (*nvrtcGetCUBIN)(Handle *p, char *code);
  int (*nvrtcDestroyProgram)(Handle **p);
  const char *(*nvrtcGetErrorString)(int result);
};

}  // namespace gt

#endif  // CGOTORCH_KERNELS_NVRTC_H_

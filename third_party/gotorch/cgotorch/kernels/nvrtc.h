// Compiles the text of kernels for a GPU, by NVIDIA's compiler for running programs. It includes no
// header of CUDA's or libtorch's: scripts/check-cuda-kernels compiles all text with it, where there
// is neither.
//
// Why while the program runs, and not as it is built: libtorch_cuda needs libnvrtc in any case,
// so that it is there wherever a GPU can be used, while whoever builds would need nvcc; the
// machine code is for the very card, of which a build would hold one for each kind (and PTX,
// which the driver compiles anew, for later ones); and it takes half a second, of a program
// that a process asks for first, on a machine where none has done so before.
#ifndef CGOTORCH_KERNELS_NVRTC_H_
#define CGOTORCH_KERNELS_NVRTC_H_

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "gpu_text.h"
#include "sha256.h"

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
    std::vector<std::string> code;  // of each kernel
    std::string log;
    double seconds = 0;
    std::string error;  // "" where all is well
  };

  std::string version() const {
    int major = 0, minor = 0;
    nvrtcVersion(&major, &minor);
    return std::to_string(major) + "." + std::to_string(minor);
  }

  static std::vector<std::string> options(int architecture,
                                          const std::vector<std::string> &more = {}) {
    std::vector<std::string> all = {"--gpu-architecture=sm_" + std::to_string(architecture),
                                    "--std=c++17"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // A digest of all that the machine code depends on.
  std::string key(const GPUText &text, const GPUText::Program &program, int architecture) const {
    SHA256 all;
    auto add = [&](const std::string &s) { all.add(std::to_string(s.size()) + "\n" + s); };
    add("NVRTC " + version());
    for (const std::string &o : options(architecture)) add(o);
    for (const auto &[name, header] : text.headers) add(name), add(header);
    add(program.file.first), add(program.file.second);
    for (const auto &k : program.kernels) add(k.name), add(k.text);
    return all.hex();
  }

  // architecture: 90 for compute capability 9.0. Kernels are compiled side by side, by as many
  // threads as there are cores.
  Compiled compile(const GPUText &text, const GPUText::Program &program, int architecture,
                   const std::vector<std::string> &more = {}) const {
    Compiled c;
    if (!knows(architecture)) {
      c.error = "libnvrtc " + version() + " does not know sm_" + std::to_string(architecture);
      return c;
    }
    const auto start = std::chrono::steady_clock::now();
    const std::vector<std::string> with = options(architecture, more);
    const size_t n = program.kernels.size();
    std::vector<One> ones(n);
    std::atomic<size_t> next{0};
    auto work = [&] {
      for (size_t i; (i = next++) < n;) ones[i] = one(text, program, program.kernels[i], with);
    };
    std::vector<std::thread> others;
    try {
      while (others.size() + 1 < std::min<size_t>(n, std::thread::hardware_concurrency()))
        others.emplace_back(work);
    } catch (const std::system_error &) {  // no more threads are to be had
    }
    work();
    for (std::thread &t : others) t.join();
    for (One &o : ones) {
      c.log += o.log;
      if (o.result != 0 && c.error.empty())
        c.error = "they do not compile for sm_" + std::to_string(architecture) + ": " +
                  first_error(o.log, nvrtcGetErrorString(o.result));
      c.code.push_back(std::move(o.code));
    }
    c.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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

  struct One {
    int result = 7;  // NVRTC_ERROR_INTERNAL_ERROR, until it is another
    std::string code, log;
  };

  // Throws nothing: other threads go on.
  One one(const GPUText &text, const GPUText::Program &of, const GPUText::Kernel &kernel,
          const std::vector<std::string> &with) const noexcept try {
    std::vector<const char *> names, headers, options;
    for (const auto &[name, header] : text.headers)
      names.push_back(name.c_str()), headers.push_back(header.c_str());
    names.push_back(of.file.first.c_str()), headers.push_back(of.file.second.c_str());
    for (const std::string &o : with) options.push_back(o.c_str());
    One c;
    Program program{*this};
    c.result = nvrtcCreateProgram(&program.p, kernel.text.c_str(), "kernels.cu",
                                  static_cast<int>(names.size()), headers.data(), names.data());
    if (c.result != 0) return c;
    c.result = nvrtcCompileProgram(program.p, static_cast<int>(options.size()), options.data());
    size_t n = 0;
    if (nvrtcGetProgramLogSize(program.p, &n) == 0 && n > 1) {
      c.log.resize(n - 1);
      if (nvrtcGetProgramLog(program.p, c.log.data()) != 0) c.log.clear();
    }
    if (c.result == 0) c.result = nvrtcGetCUBINSize(program.p, &n);
    if (c.result != 0) return c;
    c.code.resize(n);
    c.result = nvrtcGetCUBIN(program.p, c.code.data());
    return c;
  } catch (...) {  // there is no memory
    return {};
  }

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

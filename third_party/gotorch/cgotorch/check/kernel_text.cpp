// Compiles the text of the kernels for every kind of GPU that libtorch has code for, by
// the code that does so on a GPU, and fails where the compiler warns, or a kernel
// needs local memory: numbers that find no register go to the slowest there is.
// scripts/check-cuda-kernels runs it; it needs neither a GPU nor libtorch.
#include <cstdio>
#include <regex>
#include <set>

#include "kernels/nvrtc.h"

// Bytes: for sm_100 and sm_120 a register is put away around a division's rare path.
constexpr int spared = 8;

int failures = 0;
void expect(bool ok, const std::string &what) {
  if (ok) return;
  std::fprintf(stderr, "kernels: %s\n", what.c_str());
  failures++;
}

// What is found in all programs of an architecture.
struct Found {
  size_t kernels = 0, bytes = 0;
  int registers = 0;
  double seconds = 0;
};

// What the compiler says of each kernel: "ptxas info : Compiling entry function 'k' for 'sm_90'",
// then "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads", "Used 32 registers, ...".
void look(const gt::GPUText::Program &program, const std::string &sm, const gt::NVRTC::Compiled &c, Found &all) {
  expect(c.error.empty(), program.name + ": " + c.error + "\n" + c.log);
  expect(c.log.find("warning") == std::string::npos, "the compiler warns, for " + sm + "\n" + c.log);
  std::set<std::string> wanted, found;
  for (const auto &k : program.kernels) wanted.insert(k.name);
  const std::regex about("Compiling entry function '(\\w+)'|(\\d+) bytes stack frame, (\\d+) bytes spill stores|Used (\\d+) registers");
  std::string kernel;
  for (std::sregex_iterator i(c.log.begin(), c.log.end(), about), end; i != end; ++i) {
    const std::smatch &m = *i;
    if (m[1].matched) found.insert(kernel = m[1]);
    if (m[2].matched)
      expect(std::stoi(m[2]) <= spared && std::stoi(m[3]) <= spared, kernel + " for " + sm + " needs local memory: " + m.str());
    if (m[4].matched) all.registers = std::max(all.registers, std::stoi(m[4]));
  }
  expect(found == wanted, "the kernels of " + program.name + " for " + sm + " are not those of list.h: " + std::to_string(found.size()) + ", not " + std::to_string(wanted.size()));
  for (const auto &code : c.code) all.bytes += code.size();
  all.kernels += found.size(), all.seconds += c.seconds;
}

int main() {
  const gt::NVRTC nvrtc;
  const gt::GPUText &text = gt::gpu_text();
  // torch.cuda.get_arch_list() of libtorch 2.11 for CUDA 13.0; 89 runs what is for 86, and is
  // compiled for all the same.
  for (int architecture : {75, 80, 86, 89, 90, 100, 120}) {
    const std::string sm = "sm_" + std::to_string(architecture);
    Found all;
    for (const auto &p : text.programs) look(p, sm, nvrtc.compile(text, p, architecture, {"--ptxas-options=-v"}), all);
    std::printf("%s: %.2f s, %zu programs, %zu kernels, %zu bytes, at most %d registers\n", sm.c_str(), all.seconds, text.programs.size(), all.kernels, all.bytes, all.registers);
  }
  // It does see what it looks for.
  gt::GPUText::Program bad;
  bad.name = "bad", bad.file = {"none.cuh", ""};
  bad.kernels.push_back({"another", 8, "extern \"C\" __global__ void k(float *x, int n) {\n"
                                       "  float a[64];\n  for (int i = 0; i < 64; i++) a[i] = x[i];\n"
                                       "  for (int i = 0; i < n; i++) a[(int)x[i]] += 1;\n"
                                       "  for (int i = 0; i < 64; i++) x[i] = a[i];\n  int unused;\n}\n"});
  const auto c = nvrtc.compile(text, bad, 90, {"--ptxas-options=-v"});
  const int before = failures;
  Found none;
  std::fflush(stdout);
  std::fprintf(stderr, "kernels: three lines that must come:\n");
  look(bad, "sm_90", c, none);
  const int seen = failures - before;
  failures = before;
  expect(seen == 3, "a warning, local memory and a kernel too many were not all seen");
  return failures != 0;
}

// SHA-256 (FIPS 180-4).
#ifndef CGOTORCH_KERNELS_SHA256_H_
#define CGOTORCH_KERNELS_SHA256_H_

#include <stdint.h>

#include <cstring>
#include <string>
#include <string_view>

namespace gt {

class SHA256 {
 public:
  void add(std::string_view s) {
    bytes_ += s.size();
    for (const char c : s) {
      block_[at_++] = static_cast<uint8_t>(c);
      if (at_ == sizeof block_) mix();
    }
  }

  // 64 hexadecimal digits. Nothing can be added any more.
  std::string hex() {
    const uint64_t bits = 8 * bytes_;
    add(std::string_view("\x80", 1));
    while (at_ != 56) add(std::string_view("\0", 1));
    for (int shift = 56; shift >= 0; shift -= 8) {
      const char c = static_cast<char>(bits >> shift);
      add(std::string_view(&c, 1));
    }
    std::string s;
    for (const uint32_t word : state_)
      for (int shift = 28; shift >= 0; shift -= 4) s += "0123456789abcdef"[word >> shift & 15];
    return s;
  }

  static std::string of(std::string_view s) {
    SHA256 h;
    h.add(s);
    return h.hex();
  }

 private:
  static uint32_t turned(uint32_t x, int n) { return x >> n | x << (32 - n); }

  void mix() {
    static constexpr uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2};
    uint32_t w[64];
    for (int i = 0; i < 16; i++)
      w[i] = uint32_t{block_[4 * i]} << 24 | uint32_t{block_[4 * i + 1]} << 16 |
             uint32_t{block_[4 * i + 2]} << 8 | block_[4 * i + 3];
    for (int i = 16; i < 64; i++) {
      const uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + w[i - 7] +
             (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
    }
    uint32_t v[8];
    std::memcpy(v, state_, sizeof v);
    auto &[a, b, c, d, e, f, g, h] = v;
    for (int i = 0; i < 64; i++) {
      const uint32_t s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const uint32_t s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i];
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state_[i] += v[i];
    at_ = 0;
  }

  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t block_[64] = {};
  size_t at_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace gt

#endif  // CGOTORCH_KERNELS_SHA256_H_

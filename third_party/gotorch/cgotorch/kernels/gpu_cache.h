// Machine code for GPUs, kept on the disk from one process to the next.
//
// A file holds the code of a program's kernels, and is named by all that they were made from:
// text, compiler, options, kind of GPU. What is read is run, on the GPU: so a file counts only
// if it belongs to this user or to root, nobody else may write it, it is no link, and its
// contents are those that its own digest, and its name's, are of. Any other is none, and
// is replaced. Files come whole, under a name of their own first: programs that
// start at once, or are killed, leave nothing half done. That nothing can be kept is no error.
#ifndef CGOTORCH_KERNELS_GPU_CACHE_H_
#define CGOTORCH_KERNELS_GPU_CACHE_H_

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "sha256.h"

namespace gt {

class GPUCache {
 public:
  // "" keeps nothing. The folder is made when it is needed.
  explicit GPUCache(std::string folder) : folder_(std::move(folder)) {}

  using Codes = std::vector<std::string>;

  // What was kept under a key, 64 hexadecimal digits.
  std::optional<Codes> find(const std::string &key) const noexcept try {
    const File folder = opened();
    if (folder.fd < 0) return {};
    // Nobody's pipe is waited for.
    const File f{
        ::openat(folder.fd, name(key).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    struct stat s;
    if (f.fd < 0 || ::fstat(f.fd, &s) != 0 || !S_ISREG(s.st_mode) || !whose(s).empty() ||
        s.st_size <= 0 || s.st_size > most)
      return {};
    std::string all(static_cast<size_t>(s.st_size), 0);
    for (size_t at = 0; at < all.size();) {
      const ssize_t n = ::read(f.fd, all.data() + at, all.size() - at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return {};
      at += static_cast<size_t>(n);
    }
    (void)::futimens(f.fd, nullptr);  // is in use: see forget
    return codes(all, key);
  } catch (...) {  // there is no memory
    return {};
  }

  // Keeps it, or says why that cannot be.
  std::string keep(const std::string &key, const Codes &codes) const noexcept try {
    if (folder_.empty()) return "";
    if (const std::string why = make(folder_); !why.empty()) return why;
    const File folder = opened();
    if (folder.fd < 0) return folder_ + " cannot be opened, or is not this user's";
    forget(folder.fd);
    const std::string text = file(key, codes);
    std::string part = "." + name(key) + "." + std::to_string(::getpid()) + ".";
    File f;
    for (int i = 0; i < 100 && f.fd < 0; i++) {  // another machine's process may have the number
      const std::string candidate = part + std::to_string(i);
      f.fd = ::openat(folder.fd, candidate.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
      if (f.fd >= 0)
        part = candidate;
      else if (errno != EEXIST)
        break;
    }
    if (f.fd < 0) return "cannot write to " + folder_ + ": " + std::strerror(errno);
    int failed = 0;
    for (size_t at = 0; at < text.size() && !failed;) {
      const ssize_t n = ::write(f.fd, text.data() + at, text.size() - at);
      if (n >= 0)
        at += static_cast<size_t>(n);
      else if (errno != EINTR)
        failed = errno;
    }
    if (!failed && ::renameat(folder.fd, part.c_str(), folder.fd, name(key).c_str()) != 0)
      failed = errno;
    if (!failed) return "";
    ::unlinkat(folder.fd, part.c_str(), 0);
    return "cannot write to " + folder_ + ": " + std::strerror(failed);
  } catch (...) {
    return "there is no memory";
  }

 private:
  static constexpr off_t most = off_t{64} << 20;
  static constexpr time_t unused = 60 * 86400;  // seconds, after which a file goes
  static constexpr char begins[] = "gotorch kernels 1\n";

  struct File {
    int fd = -1;
    explicit File(int f = -1) : fd(f) {}
    File(const File &) = delete;
    ~File() {
      if (fd >= 0) ::close(fd);
    }
  };

  static std::string name(const std::string &key) { return key.substr(0, 32) + ".kernels"; }

  // Why others could have put there what is found, or "".
  static std::string whose(const struct stat &s) {
    if (s.st_uid != 0 && s.st_uid != ::geteuid())
      return "belongs to user " + std::to_string(s.st_uid);
    return s.st_mode & S_IWOTH ? "can be written by everybody" : "";
  }

  // The folder, or none where it is not there, a link, or somebody else's.
  File opened() const {
    if (folder_.empty()) return File{};
    const int fd = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat s;
    if (fd >= 0 && (::fstat(fd, &s) != 0 || !whose(s).empty())) {
      ::close(fd);
      return File{};
    }
    return File{fd};
  }

  // Makes a folder and those above it, in one that is this user's or root's; says why not.
  static std::string make(const std::string &folder) {
    struct stat s;
    if (::stat(folder.c_str(), &s) == 0) {
      const std::string why = (s.st_mode & S_ISVTX) && (s.st_uid == 0) ? "" : whose(s);
      return why.empty() ? "" : folder + " " + why;
    }
    const size_t slash = folder.find_last_of('/');
    if (slash == std::string::npos) return folder + " is no absolute path";
    if (const std::string why = make(slash ? folder.substr(0, slash) : "/"); !why.empty())
      return why;
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return "";
    return "cannot make " + folder + ": " + std::strerror(errno);
  }

  // Removes what nobody has used for long: of other versions, and of processes that were killed.
  static void forget(int folder) {
    const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? ::fdopendir(fd) : nullptr;
    if (!d) {
      if (fd >= 0) ::close(fd);
      return;
    }
    const time_t now = ::time(nullptr);
    while (const dirent *e = ::readdir(d)) {
      struct stat s;
      if (std::strstr(e->d_name, ".kernels") &&
          ::fstatat(folder, e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
          s.st_mtime < now - unused)
        ::unlinkat(folder, e->d_name, 0);
    }
    ::closedir(d);
  }

  // begins, the key and the digest of the rest, a line each; of each code its length, and it.
  static std::string file(const std::string &key, const Codes &codes) {
    std::string body;
    for (const std::string &code : codes) body += std::to_string(code.size()) + "\n" + code;
    return begins + key + "\n" + SHA256::of(body) + "\n" + body;
  }

  static std::optional<Codes> codes(const std::string &all, const std::string &key) {
    const std::string head = begins + key + "\n";
    const size_t body = head.size() + 65;
    if (all.size() < body || all.compare(0, head.size(), head) != 0 || all[body - 1] != '\n' ||
        all.compare(head.size(), 64, SHA256::of(std::string_view(all).substr(body))) != 0)
      return {};
    Codes found;
    for (size_t at = body; at < all.size();) {  // as file wrote it: the digest is right
      char *end = nullptr;
      const size_t n = std::strtoull(all.data() + at, &end, 10);
      at = static_cast<size_t>(end - all.data()) + 1;
      if (at > all.size() || n > all.size() - at) return {};
      found.emplace_back(all, at, n);
      at += n;
    }
    return found;
  }

  std::string folder_;
};

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GPU_CACHE_H_

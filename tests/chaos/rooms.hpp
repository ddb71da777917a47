#pragma once

/// A network of its own for every node: a Linux network namespace that has nothing but a loopback.
/// All nodes listen on 127.0.0.1, each in its own room, so that nothing passes between two of them
/// but what the proxies carry (proxy.hpp), and no product code knows of it. A process or socket is
/// of the room that its thread is in when it is made. Rooms vanish with their last process.
///
/// Where namespaces cannot be made, an Error says why; then all nodes share this host's loopback
/// and links cannot be disturbed. Made and entered by any thread.

#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::chaos {

/// Makes this process able to make rooms and to mount file systems that vanish with it. Call it
/// first of all, before there are threads.
base::Status enter_own_namespaces();

class Rooms {
 public:
  static base::Result<Rooms> make(int count);
  Rooms() = default;
  Rooms(Rooms&& other) noexcept;
  Rooms& operator=(Rooms&& other) noexcept;
  ~Rooms();

  bool exist() const { return home_ >= 0; }

  /// While it lives, its thread is in that room. Of no effect where there are none.
  class Inside {
   public:
    Inside(const Rooms& rooms, int room);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    const Rooms& rooms_;
  };

 private:
  int home_{-1};
  std::vector<int> rooms_;
};

}  // namespace fastgpu::chaos

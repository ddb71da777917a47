#pragma once

/// A cluster of one node with two devices, and kernels that end in each way.

#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {

using Words = std::vector<std::string>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class Kernels {
 public:
  const TemporaryFolder& folder() const { return folder_; }

  /// Succeeds, and writes 1.
  Words good(const std::string& output = "out") const {
    return flags("good", "*out = 1;") + Words{"--arg", "out:" + folder_.file(output) + "=4"};
  }
  /// Writes outside of its buffer.
  Words failing() const { return flags("failing", "out[64] = 1;") + unused_output(); }
  /// Ends only when it is stopped.
  Words endless() const {
    return flags("endless", "while (*(volatile unsigned*)out == 0) {}") + unused_output();
  }
  Words too_slow() const { return endless() + Words{"--time-limit", "50ms"}; }
  Words infeasible() const { return good() + Words{"--device", "gpu"}; }

 private:
  Words flags(const std::string& name, const std::string& body) const {
    const std::string source = folder_.write(
        name + ".cu", "__global__ void " + name + "(unsigned* out) { " + body + " }\n");
    return {"--kernel", name, "--source", source};
  }
  Words unused_output() const { return {"--arg", "out:" + folder_.file("unused") + "=4"}; }

  TemporaryFolder folder_;
};

/// The id that a command printed with -q.
inline std::string id_in(const Finished& finished) {
  return finished.out.substr(0, finished.out.find('\n'));
}

}  // namespace fastgpu::testing

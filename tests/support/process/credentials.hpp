#pragma once

/// With which credentials this test and the programs that it starts connect. They inherit it.

#include <string>
#include <vector>

#include "tests/support/process/process.hpp"

namespace fastgpu::testing {

/// By FASTGPU_CREDENTIALS, from now on.
void use_credentials(const std::string& file);

/// The first client's of the cluster that was founded in `folders[0]`, with the keys of all nodes
/// whose folders are named: so that any of them can be asked while others are down.
void use_credentials_of(const std::vector<std::string>& folders,
                        const std::vector<std::string>& addresses, const std::string& file);

/// Well made, for a node at `address` that there is not.
void use_credentials_of_nobody(const std::string& address, const std::string& file);

}  // namespace fastgpu::testing

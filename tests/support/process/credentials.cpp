#include "tests/support/process/credentials.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "runtime/security/credentials.hpp"
#include "runtime/security/key_file.hpp"

namespace fastgpu::testing {

void use_credentials(const std::string& file) {
  ::setenv("FASTGPU_CREDENTIALS", file.c_str(), 1);
}

void use_credentials_of(const std::vector<std::string>& folders,
                        const std::vector<std::string>& addresses, const std::string& file) {
  auto first = security::read_credentials(folders.at(0) + "/client.toml");
  if (!first.ok()) {
    ADD_FAILURE() << first.error().message;
    return;
  }
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const auto key = security::read_key_file(folders[i] + "/node.key");
    if (key.ok()) {
      first.value().servers[addresses.at(i)] = key.value().public_key();
    }
  }
  EXPECT_TRUE(security::write_credentials(file, first.value()).ok());
  use_credentials(file);
}

void use_credentials_of_nobody(const std::string& address, const std::string& file) {
  const security::Credentials made{"nobody",
                                   security::KeyPair::generate(),
                                   {{address, security::KeyPair::generate().public_key()}}};
  EXPECT_TRUE(security::write_credentials(file, made).ok());
  use_credentials(file);
}

}  // namespace fastgpu::testing

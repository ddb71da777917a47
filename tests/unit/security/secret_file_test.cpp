/// The files that hold secrets: key files, credentials, join tokens.

#include "runtime/security/secret_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/security/credentials.hpp"
#include "runtime/security/join_token.hpp"
#include "runtime/security/key_file.hpp"

namespace fastgpu::security {
namespace {

namespace fs = std::filesystem;

class SecretFile : public ::testing::Test {
 protected:
  SecretFile() {
    std::string name = (fs::temp_directory_path() / "fastgpu-secret.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SecretFile() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path at(const std::string& name) const { return folder_ / name; }
  static mode_t mode_of(const fs::path& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(SecretFile, IsForItsOwnerOnlyWhateverTheMask) {
  const mode_t before = ::umask(0);
  EXPECT_TRUE(create_secret_file(at("key"), "secret").ok());
  ::umask(before);
  EXPECT_EQ(mode_of(at("key")), 0600u);
  EXPECT_EQ(read_secret_file(at("key")).value(), "secret");
  EXPECT_EQ(files(), 1u) << "nothing else is left";
}

TEST_F(SecretFile, IsRefusedWhereOthersMayUseItWithTheRemedy) {
  ASSERT_TRUE(create_secret_file(at("key"), "secret").ok());
  for (const mode_t mode : {0640u, 0604u, 0660u, 0644u, 0610u, 0700u, 0620u}) {
    ASSERT_EQ(::chmod(at("key").c_str(), mode), 0);
    const auto refused = read_secret_file(at("key"));
    ASSERT_FALSE(refused.ok()) << std::oct << mode;
    EXPECT_EQ(refused.error().code, base::ErrorCode::denied);
    EXPECT_EQ(refused.error().hint, "chmod 600 " + at("key").string());
  }
  ASSERT_EQ(::chmod(at("key").c_str(), 0400), 0);
  EXPECT_TRUE(read_secret_file(at("key")).ok());
}

TEST_F(SecretFile, IsRefusedWhenItIsAnothersOrNoFile) {
  EXPECT_EQ(read_secret_file(at("none")).error().code, base::ErrorCode::file_not_found);
  EXPECT_EQ(read_secret_file(folder_).error().code, base::ErrorCode::denied);
  ASSERT_TRUE(create_secret_file(at("key"), "secret").ok());
  fs::create_symlink(at("key"), at("link"));
  EXPECT_NE(read_secret_file(at("link")).error().message.find("link"), std::string::npos);
  if (::geteuid() == 0 && ::chown(at("key").c_str(), 12345, 12345) == 0) {
    const auto refused = read_secret_file(at("key"));
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("12345"), std::string::npos);
  }
}

TEST_F(SecretFile, IsNeverOverwrittenUnlessItIsMeantTo) {
  ASSERT_TRUE(create_secret_file(at("key"), "first").ok());
  EXPECT_EQ(create_secret_file(at("key"), "second").error().code, base::ErrorCode::conflict);
  EXPECT_EQ(read_secret_file(at("key")).value(), "first");
  EXPECT_TRUE(replace_secret_file(at("key"), "third").ok());
  EXPECT_EQ(read_secret_file(at("key")).value(), "third");
  EXPECT_EQ(files(), 1u);
}

TEST_F(SecretFile, IsRefusedWhenItIsFarTooLarge) {
  ASSERT_TRUE(create_secret_file(at("key"), std::string(secret_file_bytes_max + 1, 'x')).ok());
  EXPECT_FALSE(read_secret_file(at("key")).ok());
}

TEST_F(SecretFile, KeepsANodesKeyAndNoticesDamage) {
  const auto made = create_key_file(at("node.key"));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(mode_of(at("node.key")), 0600u);
  EXPECT_EQ(read_key_file(at("node.key")).value().public_key(), made.value().public_key());
  EXPECT_EQ(create_key_file(at("node.key")).error().code, base::ErrorCode::conflict);
  const std::string text = "public_key = \"" + KeyPair::generate().public_key() +
                           "\"\nsecret_key = \"" + made.value().secret_key() + "\"\n";
  ASSERT_TRUE(replace_secret_file(at("node.key"), text).ok());
  const auto damaged = read_key_file(at("node.key"));
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().message.find(made.value().secret_key()), std::string::npos);
}

TEST_F(SecretFile, KeepsCredentialsAsTheyWere) {
  Credentials mine{"al\"ice\\", KeyPair::generate(), {}};
  mine.servers["10.0.0.11:7600"] = KeyPair::generate().public_key();
  mine.servers["[fd00::1]:7600"] = KeyPair::generate().public_key();
  ASSERT_TRUE(write_credentials(at("client.toml"), mine).ok());
  EXPECT_EQ(mode_of(at("client.toml")), 0600u);
  const auto read = read_credentials(at("client.toml"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().name, mine.name);
  EXPECT_EQ(read.value().keys.secret_key(), mine.keys.secret_key());
  EXPECT_EQ(read.value().servers, mine.servers);
}

TEST_F(SecretFile, KeepsAJoinTokenAsItWas) {
  const std::string server = KeyPair::generate().public_key();
  const JoinToken token = make_join_token({{"10.0.0.11:7600", server}});
  ASSERT_TRUE(write_join_token(at("join.token"), token).ok());
  const auto read = read_join_token(at("join.token"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().joiner.secret_key(), token.joiner.secret_key());
  EXPECT_EQ(read.value().shown(), token.shown());
  EXPECT_EQ(read.value().servers, token.servers);
}

TEST_F(SecretFile, WhoLacksAJoinTokenIsToldWhereOneComesFrom) {
  const auto read = read_join_token(at("nowhere"));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, base::ErrorCode::file_not_found);
  EXPECT_NE(read.error().hint.find("fastgpu node token"), std::string::npos);
}

TEST(KeyTexts, RefuseWhatIsNotWhole) {
  const KeyPair pair = KeyPair::generate();
  Credentials whole{"a", pair, {{"h:1", pair.public_key()}}};
  const std::string text = to_text(whole);
  ASSERT_TRUE(parse_credentials(text, "f").ok());
  for (std::size_t cut = 0; cut + 2 < text.size(); ++cut) {
    EXPECT_FALSE(parse_credentials(text.substr(0, cut), "f").ok()) << cut;
  }
  EXPECT_FALSE(parse_credentials(text + "x = \"y z\"\n", "f").ok()) << "no key of a server";
  EXPECT_FALSE(parse_credentials("password = \"x\"\n" + text, "f").ok());
  EXPECT_FALSE(parse_credentials("name = 1\n" + text, "f").ok());
  EXPECT_FALSE(parse_join_token(text, "f").ok()) << "credentials are no join token";
}

TEST(KeyTexts, AMistakeIsToldByItsLineAndNeverQuoted) {
  const auto refused = parse_credentials("name = \"a\"\nsecret_key = \"hush-hush", "creds.toml");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("creds.toml, line 2"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(refused.error().message.find("hush"), std::string::npos);
}

TEST(KeyTexts, KnowAServerByItsAddressOrAsTheOnlyOne) {
  EXPECT_EQ(key_for({{"a:1", "A"}, {"b:1", "B"}}, "b:1"), "B");
  EXPECT_EQ(key_for({{"a:1", "A"}}, "another-name:1"), "A");
  EXPECT_EQ(key_for({{"a:1", "A"}, {"b:1", "B"}}, "c:1"), "");
  EXPECT_EQ(key_for({}, "a:1"), "");
}

TEST(KeyTexts, AreLookedForWhereProgramsAreUsedToPutThem) {
  ::setenv("FASTGPU_CREDENTIALS", "/x/y.toml", 1);
  EXPECT_EQ(usual_credentials(), "/x/y.toml");
  ::unsetenv("FASTGPU_CREDENTIALS");
  ::setenv("XDG_CONFIG_HOME", "/conf", 1);
  EXPECT_EQ(usual_credentials(), "/conf/fastgpu/credentials.toml");
  ::unsetenv("XDG_CONFIG_HOME");
  ::setenv("HOME", "/home/a", 1);
  EXPECT_EQ(usual_credentials(), "/home/a/.config/fastgpu/credentials.toml");
}

}  // namespace
}  // namespace fastgpu::security

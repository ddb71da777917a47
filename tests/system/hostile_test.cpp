/// What nobody well-behaved sends: jobs of a hundred megabytes, and bytes that are no messages. The
/// answer is an error or silence; the node lives on and serves the next job.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "client/connection.hpp"
#include "runtime/base/random.hpp"
#include "runtime/link/control.hpp"
#include "runtime/link/frame.hpp"
#include "runtime/security/credentials.hpp"
#include "tests/system/command_cluster.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Data = std::vector<std::uint8_t>;

class Hostile : public CommandCluster {
 protected:
  Hostile() : CommandCluster({.nodes = 1}), pid_(cluster_.pid(0)) {}

  /// The same process as before still serves.
  void expect_served() const {
    const Finished good = run({}, "echo served");
    EXPECT_EQ(good.exit_code, 0) << good.err;
    EXPECT_EQ(good.out, "served\n");
    EXPECT_EQ(kill(pid_, 0), 0) << "the node has died";
  }
  std::uint16_t port() const {
    const std::string& address = cluster_.address(0);
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }

  const pid_t pid_;
};

// --- jobs of a hundred megabytes -----------------------------------------------------------------

constexpr std::size_t hundred_megabytes = std::size_t{100} << 20;

TEST_F(Hostile, JobOfAHundredMegabytesIsRefusedByTheClientWithItsCode) {
  const std::string source =
      folder_.write("big.cu", "__global__ void k() {}\n" + std::string(hundred_megabytes, ' '));
  const std::string file =
      folder_.write("big.toml", "command = [\"true\"]\nenv = { BIG = \"" +
                                    std::string(hundred_megabytes, 'x') + "\" }\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run", "--kernel", "k", "--source", source, "--json"},
        std::vector<std::string>{"submit", "--file", file, "--json"}}) {
    const Finished refused = fastgpu(words);
    EXPECT_EQ(refused.exit_code, words[0] == "run" ? 202 : 2) << refused.err.substr(0, 1000);
    const json error = json::parse(refused.out, nullptr, false).value("error", json::object());
    EXPECT_EQ(error["code"], "FG1004") << error.dump().substr(0, 1000);
    EXPECT_NE(error["hint"], "");
  }
  expect_served();
}

/// Past the checks of the programs: what the node itself says.
base::Error answer_to(const ProcessCluster& cluster, const protocol::JobSpec& spec) {
  const auto connection = client::Connection::open({{cluster.address(0)}, "test"}).value();
  const auto reply = connection->ask_for<protocol::Accepted>(
      protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(spec)}},
      client::in(Seconds{30}));
  return reply.ok() ? base::Error{} : reply.error();
}

TEST_F(Hostile, JobThatIsTooLargeIsRefusedByTheNodeWithItsCode) {
  for (const std::size_t bytes : {std::size_t{65} << 10, std::size_t{3} << 20, hundred_megabytes}) {
    protocol::JobSpec kernel;
    kernel.kernel.name = "k";
    kernel.kernel.source = base::Bytes::copy_of(std::string(bytes, ' '));
    protocol::JobSpec command;
    command.command.argv = {"true", std::string(bytes, 'x')};
    for (const protocol::JobSpec& spec : {kernel, command}) {
      const base::Error error = answer_to(cluster_, spec);
      EXPECT_EQ(error.code, base::ErrorCode::too_large) << bytes << ": " << error.message;
      EXPECT_NE(error.hint, "");
    }
  }
  expect_served();
}

// --- bytes that are no messages ------------------------------------------------------------------

/// A client of the cluster that speaks ZeroMQ and sends what it likes.
class Rude {
 public:
  explicit Rude(const std::string& address)
      : Rude(address, security::read_credentials(security::usual_credentials()).value().keys) {}
  Rude(const std::string& address, const security::KeyPair& keys) {
    const auto known = security::read_credentials(security::usual_credentials()).value();
    const std::string server = security::key_for(known.servers, address);
    zmq_setsockopt(socket_, ZMQ_CURVE_SERVERKEY, server.c_str(), server.size());
    zmq_setsockopt(socket_, ZMQ_CURVE_PUBLICKEY, keys.public_key().c_str(),
                   keys.public_key().size());
    zmq_setsockopt(socket_, ZMQ_CURVE_SECRETKEY, keys.secret_key().c_str(),
                   keys.secret_key().size());
    zmq_socket_monitor(socket_, "inproc://handshake",
                       ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    zmq_connect(handshake_, "inproc://handshake");
    const int none = 0;
    const int patience_ms = 20'000;
    zmq_setsockopt(socket_, ZMQ_LINGER, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket_, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket_, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_connect(socket_, ("tcp://" + address).c_str());
  }
  ~Rude() {
    const int none = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    zmq_socket_monitor(socket_, nullptr, 0);
    zmq_close(handshake_);
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  Rude(const Rude&) = delete;
  Rude& operator=(const Rude&) = delete;

  /// How the first handshake ended: ZMQ_EVENT_HANDSHAKE_...; 0 if it did not.
  int handshake() {
    const int patience_ms = 20'000;
    zmq_setsockopt(handshake_, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    std::uint16_t event[3] = {};
    return zmq_recv(handshake_, event, sizeof event, 0) == sizeof event ? event[0] : 0;
  }

  void say(const Data& data) { zmq_send(socket_, data.data(), data.size(), 0); }
  void say(link::FrameKind kind, const Data& body) {
    link::FrameHeader header;
    header.kind = kind;
    header.incarnation = {7};
    const base::Bytes frame = link::encode(header, body);
    say(Data(frame.span().begin(), frame.span().end()));
  }
  void say_hello() {
    say(link::FrameKind::control,
        link::encode_control(
            {link::ControlType::hello, link::DownReason::closed, 0, std::uint64_t{1} << 20}));
  }
  /// True once the node has said something; false when it does not.
  bool hear() {
    Data some(1 << 16);
    return zmq_recv(socket_, some.data(), some.size(), 0) >= 0;
  }

 private:
  void* context_ = zmq_ctx_new();
  void* socket_ = zmq_socket(context_, ZMQ_DEALER);
  void* handshake_ = zmq_socket(context_, ZMQ_PAIR);
};

Data noise(base::Random& random, std::size_t size) {
  Data data(size);
  for (std::uint8_t& byte : data) {
    byte = static_cast<std::uint8_t>(random.next());
  }
  return data;
}

TEST_F(Hostile, BytesOnThePortHarmNobody) {
  base::Random random(7);
  for (int i = 0; i < 30; ++i) {
    const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(socket_fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const Data data = i == 0 ? Data() : noise(random, std::size_t{1} << (i % 20));
    EXPECT_GE(send(socket_fd, data.data(), data.size(), MSG_NOSIGNAL), -1);
    close(socket_fd);
  }
  expect_served();
}

TEST_F(Hostile, KeyThatIsNotOfTheClusterGetsNoFurtherThanTheHandshake) {
  Rude stranger(cluster_.address(0), security::KeyPair::generate());
  EXPECT_EQ(stranger.handshake(), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
  EXPECT_TRUE(cluster_.await_error(0, "it came with an unknown key"));
  Rude client(cluster_.address(0));
  EXPECT_EQ(client.handshake(), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
  expect_served();
}

TEST_F(Hostile, MessagesThatAreNoFramesHarmNobody) {
  base::Random random(11);
  Rude client(cluster_.address(0));
  link::FrameHeader header;
  header.kind = link::FrameKind::client_request;
  const base::Bytes good = link::encode(header, noise(random, 1000));
  const Data whole(good.span().begin(), good.span().end());
  for (std::size_t size = 0; size < whole.size(); size += 37) {
    client.say(Data(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    Data damaged = whole;
    damaged[size] ^= 0x40;
    client.say(damaged);
    client.say(noise(random, size));
  }
  client.say_hello();
  EXPECT_TRUE(client.hear()) << "it is not held against him who then speaks well";
  expect_served();
}

TEST_F(Hostile, FramesThatHoldNoMessageHarmNobody) {
  base::Random random(13);
  for (const link::FrameKind kind :
       {link::FrameKind::client_request, link::FrameKind::peer, link::FrameKind::client_reply,
        link::FrameKind::credit, link::FrameKind::control}) {
    Rude client(cluster_.address(0));
    client.say_hello();
    ASSERT_TRUE(client.hear());
    for (int i = 0; i < 100; ++i) {
      client.say(kind, noise(random, 8 * random.below(200)));
    }
    // Words of zero, and words of one: empty structures and pointers far outside.
    client.say(kind, Data(4096, 0));
    client.say(kind, Data(4096, 0xff));
  }
  expect_served();
}

TEST_F(Hostile, MessageOfAHundredMegabytesIsNotTakenIn) {
  Rude client(cluster_.address(0));
  client.say_hello();
  ASSERT_TRUE(client.hear());
  client.say(link::FrameKind::client_request, Data(hundred_megabytes, 'x'));
  expect_served();
  Rude next(cluster_.address(0));
  next.say_hello();
  EXPECT_TRUE(next.hear());
  const std::string status = read_file("/proc/" + std::to_string(pid_) + "/status");
  const std::size_t peak = status.find("VmHWM:");
  ASSERT_NE(peak, std::string::npos);
  EXPECT_LT(std::stoul(status.substr(peak + 6)), 200u << 10) << "kB of memory at the most";
}

// --- a node without a compiler -------------------------------------------------------------------

class NoCompiler : public CommandCluster {
 protected:
  NoCompiler()
      : CommandCluster({.nodes = 1,
                        .cpu_devices = 1,
                        .null_devices = 1,
                        .environment = {"FASTGPU_CXX=/nowhere/compiler"}}) {}
};

TEST_F(NoCompiler, FailsKernelsWithItsCodeAndServesEverythingElse) {
  ASSERT_TRUE(await_devices(cluster_, 0, 1));
  const std::string source =
      folder_.write("k.cu", "__global__ void k(unsigned* out) { *out = 1; }\n");
  const std::vector<std::string> kernel{"--kernel", "k", "--source", source, "--arg", "out:o=4"};
  std::vector<std::string> words{"run", "--device", "cpu", "--json"};
  words.insert(words.end(), kernel.begin(), kernel.end());
  const Finished failed = fastgpu(words);
  EXPECT_EQ(failed.exit_code, 10) << failed.err;
  const json document = json::parse(failed.out, nullptr, false);
  ASSERT_TRUE(document.contains("tasks")) << failed.out << failed.err;
  EXPECT_EQ(document["tasks"][0]["reason"], "not_supported_on_device") << document.dump();
  EXPECT_EQ(document["tasks"][0]["code"], "FG6121");
  EXPECT_THAT(document["tasks"][0]["message"].get<std::string>(), HasSubstr("compiler"));
  EXPECT_NE(document["error"]["hint"], "");

  EXPECT_EQ(run({}, "true").exit_code, 0);
  words = {"run", "--device", "null"};
  words.insert(words.end(), kernel.begin(), kernel.end());
  const Finished null = fastgpu(words);
  EXPECT_EQ(null.exit_code, 0) << null.err;
}

}  // namespace
}  // namespace fastgpu::testing

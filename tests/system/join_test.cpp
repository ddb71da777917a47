// How a node asks to be taken in, against a member that a test plays.

#include "node/daemon/join.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <mutex>
#include <vector>

#include "node/daemon/clock.hpp"
#include "runtime/codec/client_codec.hpp"
#include "runtime/link/zmq_link.hpp"
#include "runtime/security/join_token.hpp"
#include "runtime/security/key_ring.hpp"

namespace fastgpu::testing {
namespace {

constexpr link::LinkIdentity member_identity{{1, 2}, {1}, {1}};

base::Error just_started() {
  return {base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable, "just started", ""};
}

/// Answers each request with the next of its answers, then with the last one for ever.
class Member {
 public:
  explicit Member(std::deque<protocol::ClientReply> answers) : answers_(std::move(answers)) {
    wire_.start([this](const link::LinkEvent& event) {
      if (const auto* frame = std::get_if<link::FrameReceived>(&event)) {
        answer(*frame);
      }
    });
    address_ = wire_.listen("127.0.0.1:0").value();
  }
  ~Member() { wire_.stop(); }

  const std::string& address() const { return address_; }
  security::JoinToken token() const { return {token_.joiner, {{address_, keys_.public_key()}}}; }
  std::vector<base::RequestId> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void answer(const link::FrameReceived& frame) {
    const auto call = codec::decode_client_call(frame.body.span());
    ASSERT_TRUE(call.ok());
    protocol::ClientReply reply;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::get<protocol::Join>(call.value().request).request);
      reply = answers_.front();
      if (answers_.size() > 1) {
        answers_.pop_front();
      }
    }
    const auto header = link::header_from(member_identity, link::FrameKind::client_reply);
    wire_.send(frame.from, link::encode(header, codec::encode(call.value().call, reply).span()));
    wire_.consumed(frame.from, frame.bytes());
  }

  mutable std::mutex mutex_;
  std::deque<protocol::ClientReply> answers_;
  std::vector<base::RequestId> requests_;
  std::string address_;
  const security::KeyPair keys_ = security::KeyPair::generate();
  const security::JoinToken token_ = security::make_join_token({});
  link::ZmqLink wire_{{.identity = member_identity},
                      node::boot_time,
                      {keys_.public_key(), keys_.secret_key(), [this](std::string_view key) {
                         security::KeyRing ring;
                         ring.add_joiner(security::hash_of_key(token_.shown()), 1);
                         return ring.who(key, 0);
                       }}};
};

protocol::Join some_join() {
  return {{{0}, 7, 8}, "n2", "127.0.0.1:1", "token"};
}

TEST(AskToJoin, AsksAMemberAgainThatHasJustStarted) {
  protocol::Joined place{{1, 2}, {{2}, "n2", "127.0.0.1:1"}, 64, {}};
  Member member({just_started(), just_started(), place});
  const auto joined =
      node::ask_to_join(member.address(), member.token(), some_join(), std::chrono::seconds(30));
  ASSERT_TRUE(joined.ok()) << joined.error().message;
  EXPECT_EQ(joined.value(), place);
  EXPECT_EQ(member.requests(), (std::vector(3, some_join().request)));
}

TEST(AskToJoin, TakesARefusalForAnAnswer) {
  Member member({base::Error{base::ErrorKind::rejected, base::ErrorCode::denied, "no", ""}});
  const auto joined =
      node::ask_to_join(member.address(), member.token(), some_join(), std::chrono::seconds(30));
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().code, base::ErrorCode::denied);
  EXPECT_EQ(member.requests().size(), 1u);
}

TEST(AskToJoin, TellsInTheEndWhyTheMemberCouldNot) {
  Member member({just_started()});
  const auto joined =
      node::ask_to_join(member.address(), member.token(), some_join(), std::chrono::seconds(1));
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().message, "just started");
}

TEST(AskToJoin, AsksNobodyWhoseKeyItsTokenDoesNotHave) {
  const Member member({just_started()});
  security::JoinToken token = member.token();
  token.servers["127.0.0.1:2"] = security::KeyPair::generate().public_key();
  const auto joined = node::ask_to_join("127.0.0.1:3", token, some_join(), std::chrono::seconds(1));
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().code, base::ErrorCode::bad_argument);
}

TEST(AskToJoin, SaysThatNobodyAnswered) {
  const auto joined = node::ask_to_join(
      "127.0.0.1:1",
      security::make_join_token({{"127.0.0.1:1", security::KeyPair::generate().public_key()}}),
      some_join(), std::chrono::seconds(1));
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().code, base::ErrorCode::no_node_reachable);
}

}  // namespace
}  // namespace fastgpu::testing

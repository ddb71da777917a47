// The schema and the C++ values say the same: enum for enum, field for field.

#include <capnp/schema.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "runtime/base/failure.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"
#include "schema/cluster.capnp.h"
#include "schema/common.capnp.h"
#include "schema/job.capnp.h"
#include "schema/ledger_image.capnp.h"
#include "schema/peer.capnp.h"
#include "schema/raft.capnp.h"
#include "schema/record.capnp.h"

namespace fastgpu {
namespace {

/// "nodeLost" -> "node_lost", "nullDevice" -> "null_device".
std::string snake_case(std::string_view camel) {
  std::string text;
  for (char c : camel) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0)
      text += '_';
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

template <class Wire>
std::vector<std::string> words_of() {
  std::vector<std::string> words;
  for (auto enumerant : capnp::Schema::from<Wire>().getEnumerants()) {
    words.push_back(snake_case(enumerant.getProto().getName().cStr()));
  }
  return words;
}

/// The words of both are equal, in order, from 0 to `last`; and `last` is the last.
template <class Wire, class Value>
void expect_same_words(Value last) {
  const auto words = words_of<Wire>();
  ASSERT_EQ(words.size(), static_cast<std::size_t>(last) + 1);
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(words[i], to_word(static_cast<Value>(i))) << i;
  }
}

TEST(Schema, MirrorsFailureReason) {
  expect_same_words<schema::FailureReason>(base::failure_reason_last);
}

TEST(Schema, MirrorsTaskState) {
  expect_same_words<schema::TaskState>(protocol::TaskState::lost);
  EXPECT_EQ(words_of<schema::TaskState>().size(), protocol::task_state_count);
}

TEST(Schema, MirrorsScalarType) {
  expect_same_words<schema::ScalarType>(protocol::ScalarType::f64);
}

TEST(Schema, MirrorsBufferUse) {
  expect_same_words<schema::BufferUse>(protocol::BufferUse::scratch);
}

TEST(Schema, MirrorsLogStream) {
  expect_same_words<schema::LogStream>(base::LogStream::notice);
}

TEST(Schema, MirrorsWaitingCode) {
  expect_same_words<schema::WaitingCode>(protocol::WaitingCode::dependency);
}

TEST(Schema, MirrorsDependencyKind) {
  expect_same_words<schema::DependencyKind>(protocol::DependencyKind::fail);
}

TEST(Schema, MirrorsJobKnowledge) {
  const std::vector<std::string> words{"known", "forgotten", "never"};
  EXPECT_EQ(words_of<schema::JobKnowledge>(), words);
  EXPECT_EQ(static_cast<std::size_t>(protocol::JobKnowledge::never), words.size() - 1);
}

TEST(Schema, MirrorsMemberState) {
  expect_same_words<schema::MemberState>(protocol::MemberState::removed);
}

TEST(Schema, MirrorsNodeState) {
  expect_same_words<schema::NodeState>(protocol::NodeState::down);
}

TEST(Schema, MirrorsRefusalReason) {
  expect_same_words<schema::RefusalReason>(protocol::RefusalReason::draining);
}

TEST(Schema, MirrorsDeviceKind) {
  const std::vector<std::string> words{"any", "gpu", "cpu", "null_device"};
  EXPECT_EQ(words_of<schema::DeviceKind>(), words);
  EXPECT_EQ(static_cast<std::size_t>(protocol::DeviceKind::null), words.size() - 1);
}

TEST(Schema, MirrorsErrorKind) {
  const std::vector<std::string> words{"invalid", "rejected", "unavailable", "overloaded",
                                       "unknown", "lost",     "internal"};
  EXPECT_EQ(words_of<schema::ErrorKind>(), words);
  using enum base::ErrorKind;
  const std::vector<base::ErrorKind> kinds{invalid, rejected, unavailable, overloaded,
                                           unknown, lost,     internal};
  for (std::size_t i = 0; i < kinds.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(kinds[i]), i);
}

TEST(Schema, MirrorsTaskPhase) {
  const std::vector<std::string> words{"ready", "placed", "ended"};
  EXPECT_EQ(words_of<schema::TaskPhase>(), words);
  EXPECT_EQ(static_cast<std::size_t>(protocol::TaskPhase::ended), words.size() - 1);
}

TEST(Schema, MirrorsPlaceCause) {
  const std::vector<std::string> words{"first", "user_retry", "node_failure", "refused"};
  EXPECT_EQ(words_of<schema::PlaceCause>(), words);
  EXPECT_EQ(static_cast<std::size_t>(protocol::PlaceCause::refused), words.size() - 1);
}

TEST(Schema, MirrorsRaftEntryKind) {
  const std::vector<std::string> words{"no_op", "command", "configuration"};
  EXPECT_EQ(words_of<schema::RaftEntryKind>(), words);
  EXPECT_EQ(static_cast<std::size_t>(protocol::RaftEntryKind::configuration), words.size() - 1);
}

// --- fields --------------------------------------------------------------------------------------

struct Anything {
  template <class T>
  operator T() const;
};

/// How many fields an aggregate has: as many as it can be initialised with.
template <class T, class... Fields>
constexpr std::size_t field_count() {
  if constexpr (requires { T{Fields{}..., Anything{}}; }) {
    return field_count<T, Fields..., Anything>();
  } else {
    return sizeof...(Fields);
  }
}

/// Those that are in use.
template <class Wire>
std::size_t field_count_of_schema() {
  std::size_t count = 0;
  for (const capnp::StructSchema::Field field : capnp::Schema::from<Wire>().getFields()) {
    count += field.getProto().getName().startsWith("unused") ? 0 : 1;
  }
  return count;
}

/// The struct of the schema has as many fields as the value: one that is added must be carried.
template <class Wire, class Value>
void expect_same_fields() {
  EXPECT_EQ(field_count_of_schema<Wire>(), field_count<Value>())
      << capnp::Schema::from<Wire>().getShortDisplayName().cStr();
}

TEST(Schema, HasAFieldForEachOfTheSharedValues) {
  expect_same_fields<schema::RequestId, base::RequestId>();
  expect_same_fields<schema::AttemptId, base::AttemptId>();
  expect_same_fields<schema::DeviceId, base::DeviceId>();
  expect_same_fields<schema::TaskRange, base::TaskRange>();
  expect_same_fields<schema::ClusterId, base::ClusterId>();
  expect_same_fields<schema::Error, base::Error>();
  expect_same_fields<schema::ObjectRef, protocol::ObjectRef>();
  expect_same_fields<schema::ScalarArgument, protocol::ScalarArgument>();
  expect_same_fields<schema::BufferArgument, protocol::BufferArgument>();
  expect_same_fields<schema::KernelSpec, protocol::KernelSpec>();
  expect_same_fields<schema::InputFile, protocol::InputFile>();
  expect_same_fields<schema::CommandSpec, protocol::CommandSpec>();
  expect_same_fields<schema::CommandEnd, protocol::CommandEnd>();
  expect_same_fields<schema::Dependency, protocol::Dependency>();
  expect_same_fields<schema::ResourceRequest, protocol::ResourceRequest>();
  expect_same_fields<schema::JobSpec, protocol::JobSpec>();
  expect_same_fields<schema::Timings, protocol::Timings>();
  expect_same_fields<schema::TaskOutcome, protocol::TaskOutcome>();
  expect_same_fields<schema::TaskReport, protocol::TaskReport>();
  expect_same_fields<schema::WaitingReason, protocol::WaitingReason>();
  expect_same_fields<schema::JobStanding, protocol::JobStanding>();
  expect_same_fields<schema::NodeInfo, protocol::NodeInfo>();
  expect_same_fields<schema::ShardPlan, protocol::ShardPlan>();
  expect_same_fields<schema::ClientKey, protocol::ClientKey>();
  expect_same_fields<schema::JoinToken, protocol::JoinToken>();
  expect_same_fields<schema::LedShard, protocol::LedShard>();
  expect_same_fields<schema::DeviceBooks, protocol::DeviceBooks>();
  expect_same_fields<schema::NodeDuties, protocol::NodeDuties>();
  expect_same_fields<schema::NodeView, protocol::NodeView>();
}

TEST(Schema, HasAFieldForEachOfTheClientMessages) {
  expect_same_fields<schema::Hello, protocol::Hello>();
  expect_same_fields<schema::Submit, protocol::Submit>();
  expect_same_fields<schema::ListJobs, protocol::ListJobs>();
  expect_same_fields<schema::ShowJob, protocol::ShowJob>();
  expect_same_fields<schema::WaitJob, protocol::WaitJob>();
  expect_same_fields<schema::CancelJob, protocol::CancelJob>();
  expect_same_fields<schema::PutChunk, protocol::PutChunk>();
  expect_same_fields<schema::GetChunk, protocol::GetChunk>();
  expect_same_fields<schema::Join, protocol::Join>();
  expect_same_fields<schema::ChangeMember, protocol::ChangeMember>();
  expect_same_fields<schema::AddToken, protocol::AddToken>();
  expect_same_fields<schema::SetClientKey, protocol::SetClientKey>();
  expect_same_fields<schema::Welcome, protocol::Welcome>();
  expect_same_fields<schema::Accepted, protocol::Accepted>();
  expect_same_fields<schema::JobSummary, protocol::JobSummary>();
  expect_same_fields<schema::JobList, protocol::JobList>();
  expect_same_fields<schema::AttemptInfo, protocol::AttemptInfo>();
  expect_same_fields<schema::JobDetail, protocol::JobDetail>();
  expect_same_fields<schema::ClusterStatus, protocol::ClusterStatus>();
  expect_same_fields<schema::PutReply, protocol::PutReply>();
  expect_same_fields<schema::Chunk, protocol::Chunk>();
  expect_same_fields<schema::Joined, protocol::Joined>();
  expect_same_fields<schema::ReadLog, protocol::ReadLog>();
  expect_same_fields<schema::LogRecord, base::LogRecord>();
  expect_same_fields<schema::LogPart, protocol::LogPart>();
}

TEST(Schema, HasAFieldForEachOfThePeerMessages) {
  expect_same_fields<schema::Heartbeat, protocol::Heartbeat>();
  expect_same_fields<schema::Members, protocol::Members>();
  expect_same_fields<schema::Assign, protocol::Assign>();
  expect_same_fields<schema::Stop, protocol::Stop>();
  expect_same_fields<schema::Adopt, protocol::Adopt>();
  expect_same_fields<schema::Settled, protocol::Settled>();
  expect_same_fields<schema::Renewed, protocol::Renewed>();
  expect_same_fields<schema::AssignReply, protocol::AssignReply>();
  expect_same_fields<schema::Finish, protocol::Finish>();
  expect_same_fields<schema::HeldAttempt, protocol::HeldAttempt>();
  expect_same_fields<schema::Renew, protocol::Renew>();
  expect_same_fields<schema::ObjectFetch, protocol::ObjectFetch>();
  expect_same_fields<schema::ObjectPart, protocol::ObjectPart>();
  expect_same_fields<schema::Forward, protocol::Forward>();
  expect_same_fields<schema::ForwardReply, protocol::ForwardReply>();
  expect_same_fields<schema::ObjectPin, protocol::ObjectPin>();
  expect_same_fields<schema::ObjectPinned, protocol::ObjectPinned>();
  expect_same_fields<schema::KeepCopies, protocol::KeepCopies>();
  expect_same_fields<schema::CopiesKept, protocol::CopiesKept>();
  expect_same_fields<schema::PinCheck, protocol::PinCheck>();
  expect_same_fields<schema::PinAnswer, protocol::PinAnswer>();
  expect_same_fields<schema::DependencyAsk, protocol::DependencyAsk>();
  expect_same_fields<schema::DependencyAnswer, protocol::DependencyAnswer>();
}

TEST(Schema, HasAFieldForEachOfTheMessagesOfReplicas) {
  expect_same_fields<schema::RaftMessage, protocol::RaftMessage>();
  expect_same_fields<schema::RaftPosition, protocol::RaftPosition>();
  expect_same_fields<schema::RaftMember, protocol::RaftMember>();
  expect_same_fields<schema::RaftEntry, protocol::RaftEntry>();
  expect_same_fields<schema::RaftVoteRequest, protocol::RaftVoteRequest>();
  expect_same_fields<schema::RaftVoteReply, protocol::RaftVoteReply>();
  expect_same_fields<schema::RaftAppend, protocol::RaftAppend>();
  expect_same_fields<schema::RaftAppendReply, protocol::RaftAppendReply>();
  expect_same_fields<schema::RaftSnapshotChunk, protocol::RaftSnapshotChunk>();
  expect_same_fields<schema::RaftSnapshotReply, protocol::RaftSnapshotReply>();
}

TEST(Schema, HasAFieldForEachOfTheRecords) {
  expect_same_fields<schema::SubmitRecord, protocol::SubmitRecord>();
  expect_same_fields<schema::PlacedRecord, protocol::PlacedRecord>();
  expect_same_fields<schema::FinishRecord, protocol::FinishRecord>();
  expect_same_fields<schema::ReleasedRecord, protocol::ReleasedRecord>();
  expect_same_fields<schema::CancelRecord, protocol::CancelRecord>();
  expect_same_fields<schema::GiveUpRecord, protocol::GiveUpRecord>();
  expect_same_fields<schema::MemberRecord, protocol::MemberRecord>();
  expect_same_fields<schema::DependencyRecord, protocol::DependencyRecord>();
  expect_same_fields<schema::MemberStateRecord, protocol::MemberStateRecord>();
  expect_same_fields<schema::TokenRecord, protocol::TokenRecord>();
  expect_same_fields<schema::ClientKeyRecord, protocol::ClientKeyRecord>();
  expect_same_fields<schema::ReplicasRecord, protocol::ReplicasRecord>();
}

TEST(Schema, HasAFieldForEachOfTheSnapshot) {
  // The table of outcomes is the form's own.
  EXPECT_EQ(capnp::Schema::from<schema::JobImage>().getFields().size(),
            field_count<protocol::JobImage>() + 1);
  // So is the version of the form.
  EXPECT_EQ(capnp::Schema::from<schema::LedgerImage>().getFields().size(),
            field_count<protocol::LedgerImage>() + 1);
  // A segment is written flat, without its record.
  EXPECT_EQ(capnp::Schema::from<schema::TaskSegment>().getFields().size(),
            field_count<protocol::TaskRecord>() + 1);
  expect_same_fields<schema::AttemptImage, protocol::AttemptImage>();
  expect_same_fields<schema::MemberImage, protocol::MemberImage>();
}

/// A union of the schema has all alternatives of the variant, and `unset`.
template <class Wire, class Variant>
void expect_same_alternatives() {
  EXPECT_EQ(capnp::Schema::from<Wire>().getUnionFields().size(), std::variant_size_v<Variant> + 1);
}

TEST(Schema, HasAnAlternativeForEachMessage) {
  expect_same_alternatives<schema::PeerMessage, protocol::PeerMessage>();
  expect_same_alternatives<schema::ClientRequest, protocol::ClientRequest>();
  expect_same_alternatives<schema::ClientReply, protocol::ClientReply>();
  expect_same_alternatives<schema::Record, protocol::Record>();
  expect_same_alternatives<schema::Argument, protocol::Argument>();
  expect_same_alternatives<schema::Payload, protocol::Data>();
  expect_same_alternatives<schema::RaftMessage::Body, protocol::RaftBody>();
}

}  // namespace
}  // namespace fastgpu

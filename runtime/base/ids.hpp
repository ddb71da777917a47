#pragma once

/// Identities. Every id is a type of its own, a plain value that is copied, compared and hashed.
/// Which of them travel in which frame is told in schema/rules.md. Nothing here fails.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace fastgpu::base {

/// An integer that only means what its tag says. Value 0 means "none" unless a type says otherwise.
template <class Tag, class Integer>
struct Id {
  Integer value{};
  constexpr auto operator<=>(const Id&) const = default;
  explicit constexpr operator bool() const { return value != 0; }
};

/// A node for life: given by the root shard when it joins, from 1, never reused.
using NodeId = Id<struct NodeTag, std::uint32_t>;
/// One life of a node process; a later life of the same node has a greater one.
using Incarnation = Id<struct IncarnationTag, std::uint64_t>;
/// A founding of a shard's group; raised only by a forced recovery. The first is 1.
using Epoch = Id<struct EpochTag, std::uint64_t>;
/// A leadership of a shard; rises durably with each new leader, each start of a single replica.
using Term = Id<struct TermTag, std::uint64_t>;
/// One disk of a node: drawn at random when its store is made, so a node whose disk was lost comes
/// back as somebody else, and what the lost disk promised is not taken for a promise of the new
/// one.
using StoreId = Id<struct StoreTag, std::uint64_t>;
/// A position in a shard's log, from 1.
using LogIndex = Id<struct LogIndexTag, std::uint64_t>;
/// A job: `sequence * shard_count + shard`, small, decimal, unique in the cluster.
using JobId = Id<struct JobTag, std::uint64_t>;
/// A client's connection to one node, given by the node's link, never reused in its life.
using SessionId = Id<struct SessionTag, std::uint64_t>;
/// A question of one client session; the answer names it. Chosen by the asker, growing.
using CallId = Id<struct CallTag, std::uint64_t>;

/// A part of the ledger. Shard 0 is the root, so 0 is a valid shard.
struct ShardId {
  std::uint32_t value{};
  constexpr auto operator<=>(const ShardId&) const = default;
};

/// A cluster for life: random at `init`. A frame of another cluster is refused.
struct ClusterId {
  std::uint64_t high{};
  std::uint64_t low{};
  constexpr auto operator<=>(const ClusterId&) const = default;
};

/// A client's request, the same through every retry and any node: so it is done at most once.
struct RequestId {
  ShardId shard;  ///< the shard that keeps the record
  std::uint64_t high{};
  std::uint64_t low{};
  constexpr auto operator<=>(const RequestId&) const = default;
};

/// A device of a node; the ordinal counts from 0 in the order in which the node found them.
struct DeviceId {
  NodeId node;
  std::uint16_t ordinal{};
  constexpr auto operator<=>(const DeviceId&) const = default;
};

/// The fence: one execution of some tasks of a job. Ordered as written; a greater one supersedes.
struct AttemptId {
  ShardId shard;
  Epoch epoch;
  Term term;
  std::uint64_t sequence{};
  constexpr auto operator<=>(const AttemptId&) const = default;
  explicit constexpr operator bool() const { return epoch.value != 0; }
};

/// Tasks `first` to `first + count - 1` of a job. Never empty where it names work.
struct TaskRange {
  std::uint32_t first{};
  std::uint32_t count{};
  constexpr auto operator<=>(const TaskRange&) const = default;
  constexpr std::uint64_t end() const { return std::uint64_t{first} + count; }
  constexpr bool contains(std::uint32_t task) const { return task >= first && task < end(); }
};

/// The SHA-256 of an object's bytes; names it everywhere. All zero means "none".
struct ObjectHash {
  std::array<std::uint8_t, 32> bytes{};
  constexpr auto operator<=>(const ObjectHash&) const = default;
};

/// How job ids name their shard. `shard_count` is fixed when the cluster is founded.
struct ShardLayout {
  std::uint32_t shard_count{1};
  constexpr JobId job_id(ShardId shard, std::uint64_t sequence) const {
    return {sequence * shard_count + shard.value};
  }
  constexpr ShardId shard_of(JobId job) const {
    return {static_cast<std::uint32_t>(job.value % shard_count)};
  }
};

/// For people and traces: "n2", "job 17", "1.1.3.42", 64 hexadecimal digits.
std::string to_string(NodeId node);
std::string to_string(JobId job);
std::string to_string(const AttemptId& attempt);
std::string to_string(const DeviceId& device);
std::string to_string(const ObjectHash& hash);
std::string to_string(const ClusterId& cluster);
std::string to_string(const RequestId& request);

}  // namespace fastgpu::base

template <class Tag, class Integer>
struct std::hash<fastgpu::base::Id<Tag, Integer>> {
  std::size_t operator()(const fastgpu::base::Id<Tag, Integer>& id) const noexcept {
    return std::hash<Integer>{}(id.value);
  }
};

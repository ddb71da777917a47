#pragma once

/// What the root shard knows beside jobs: the members, how many replicas each shard should have and
/// where, the keys of clients, and the tokens with which nodes may join.
///
/// Part of LedgerState, changed by its records alone and in their order; a record that a rule
/// refuses changes nothing and the answer says why. Ids of nodes are never given twice, so removed
/// members stay in the list. Limits: message_list_items_max members, clients and tokens.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

/// Under which the root knows a token that people hold.
base::ObjectHash hash_of_token(const std::string& token);

class MemberBook {
 public:
  explicit MemberBook(std::uint32_t shard_count) : shard_count_(shard_count) {}

  const std::map<base::NodeId, protocol::MemberImage>& members() const { return members_; }
  /// The member that this request made; null if it made none.
  const protocol::NodeInfo* find(const base::RequestId& join) const;
  /// The log index that changed anything of `as_told` last.
  std::uint64_t version() const { return version_; }
  /// What all nodes are told.
  protocol::Members as_told() const;
  /// Of each shard, as was asked for; 0: nobody did (see replicas_of).
  std::uint32_t replicas() const { return replicas_; }
  bool has_token(const base::ObjectHash& hash, base::WallTimeMs now_ms) const;

  struct Added {
    protocol::NodeInfo info;
    bool repeated{false};  ///< the request was known: nothing changed
  };
  /// Each at the index of its record in the root's log.
  base::Result<Added> add(const protocol::MemberRecord& record, base::LogIndex at);
  base::Status change(const protocol::MemberStateRecord& record, base::LogIndex at);
  base::Status add(const protocol::TokenRecord& record, base::LogIndex at);
  base::Status set(const protocol::ClientKeyRecord& record, base::LogIndex at);
  base::Status set(const protocol::ReplicasRecord& record, base::LogIndex at);
  /// Why a member may not be put into that state; also asked before a record is made of it.
  base::Status may_change(base::NodeId node, protocol::MemberState state) const;

  void put_into(protocol::LedgerImage& image) const;
  void restore(const protocol::LedgerImage& image);

 private:
  base::Status may_add(const protocol::MemberRecord& record) const;
  void changed(base::LogIndex at);
  std::vector<base::NodeId> keepers() const;

  const std::uint32_t shard_count_;
  std::map<base::NodeId, protocol::MemberImage> members_;
  std::map<std::string, protocol::ClientKey> clients_;  ///< by name
  std::map<base::ObjectHash, base::WallTimeMs> tokens_;
  std::uint32_t replicas_{0};
  std::vector<protocol::ShardPlan> plan_;
  std::uint64_t version_{0};
};

}  // namespace fastgpu::ledger

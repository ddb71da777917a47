#pragma once

/// The log of a shard that has several replicas: a ReplicatedLog over this node's store and the
/// other replicas of the shard.
///
/// Place: between a shard's ledger on one side, the store and the link on the other; performs the
/// effects of a RaftMachine. Owned by the shard actor and called on it only; it has no thread and
/// reads no clock but its host's. Beside what every StoredLog is told, `receive` takes the messages
/// of the other replicas. A Persist becomes one write whose StoreToken is its tag; what the sink
/// proposes while it is told of commits goes to the store together.
/// A founder has the founding on its disk before it says or hears anything.
/// Differs from SoloLog: LogRestored may also come later, when a leader sends a snapshot in place
/// of entries that it has no more; LogNotLeading and LogOutcomeUnknown do come.
/// Failure: what is stored and damaged is refused with ErrorCode::corrupt, a disk that is another
/// replica's with ErrorCode::conflict. A failed write ends the process in the store. Limits:
/// raft::RaftLimits; a writer that is full is offered the same again at the next call.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/replica/raft_disk.hpp"
#include "actors/replica/raft_host.hpp"
#include "runtime/base/replicated_log.hpp"
#include "runtime/raft/raft_machine.hpp"
#include "runtime/store/stored_log.hpp"

namespace fastgpu::actors {

struct RaftLogOptions {
  base::ShardId shard;
  base::NodeId self;
  raft::StoreId store;
  base::Epoch epoch{1};  ///< of the founding; a greater one that is stored stands, a smaller goes
  std::uint64_t seed{1};
  /// The group as it is founded, the same list for all of them; empty: waits to be called.
  raft::Configuration founders;
  raft::RaftLimits limits;
  raft::Fault fault{raft::Fault::none};
};

class RaftLog final : public store::StoredLog {
 public:
  /// `contents` is a scan of RaftDisk::key_prefix. `writer` and `host` outlive the log.
  static base::Result<std::unique_ptr<RaftLog>> open(RaftLogOptions options,
                                                     store::StoreWriter& writer, RaftHost& host,
                                                     std::vector<store::KeyValue> contents);

  const raft::RaftMachine& machine() const { return *machine_; }
  /// This replica is a voter, by the newest members in its log.
  bool votes() const { return machine_->log().active().has_voter(options_.self, options_.store); }
  bool has_events() const override { return !events_.empty(); }
  bool waits_for_room() const override { return write_refused_ && handed_ == durable_; }
  std::optional<base::Time> next_deadline() const override;
  std::uint64_t alarms() const { return alarms_; }

  void start(Sink sink) override;
  base::Admission propose(base::LogToken token, base::Bytes command) override;
  base::Admission read_index(base::LogToken token) override;
  void compact(base::LogIndex index, base::Bytes snapshot) override;

  /// Why it was refused, and then surely not done. Else it is under way: machine() tells how the
  /// members stand and who leads; nobody is told of its outcome.
  std::optional<raft::Refusal> change_members(raft::MemberChange change, base::NodeId node,
                                              raft::StoreId store);
  std::optional<raft::Refusal> transfer(base::NodeId to);

  void on_durable(store::StoreToken up_to) override;
  void tick() override { turn(raft::Tick{}); }
  void pump() override;
  void receive(const raft::Message& message) { turn(raft::Received{message}); }
  void lose(base::NodeId peer) { turn(raft::PeerLost{peer}); }

 private:
  RaftLog(const RaftLogOptions& options, store::StoreWriter& writer, RaftHost& host);
  base::Status load(std::vector<store::KeyValue> contents);
  void begin();
  void turn(const raft::Event& event);
  void step(const raft::Event& event);
  std::optional<raft::Refusal> refusal_of(const raft::Event& event);
  base::Admission admitted(const raft::Event& event);
  base::LogToken own_token();
  void perform(const raft::Effect& effect);
  void add(std::vector<store::Write> writes, store::StoreToken token);
  void write_out();
  void give_out();

  const RaftLogOptions options_;
  store::StoreWriter& writer_;
  RaftHost& host_;
  RaftDisk disk_;
  std::unique_ptr<raft::RaftMachine> machine_;
  Sink sink_;

  std::optional<raft::StoredState> founding_;  ///< until it is durable
  bool begun_{false};
  std::uint64_t founding_writes_{0};  ///< tokens before those of the machine's tags

  std::vector<store::Write> gathered_;  ///< the next write, in order
  store::StoreToken gathered_through_;
  bool write_refused_{false};
  store::StoreToken handed_;  ///< to the writer
  store::StoreToken durable_;

  std::optional<raft::Refusal> refused_;  ///< by the step that is under way
  std::uint64_t last_own_token_{0};
  std::deque<base::LogEvent> events_;
  bool giving_out_{false};
  std::uint64_t alarms_{0};
};

}  // namespace fastgpu::actors

/// How a RaftLog takes over what is stored, or founds its part of a group on an empty store.

#include <utility>

#include "actors/replica/raft_log.hpp"

namespace fastgpu::actors {

RaftLog::RaftLog(const RaftLogOptions& options, store::StoreWriter& writer, RaftHost& host)
    : options_(options),
      writer_(writer),
      host_(host),
      disk_(options.shard, options.epoch, options.store) {}

base::Result<std::unique_ptr<RaftLog>> RaftLog::open(RaftLogOptions options,
                                                     store::StoreWriter& writer, RaftHost& host,
                                                     std::vector<store::KeyValue> contents) {
  std::unique_ptr<RaftLog> log(new RaftLog(options, writer, host));
  if (auto status = log->load(std::move(contents)); !status.ok()) {
    return status.error();
  }
  return log;
}

base::Status RaftLog::load(std::vector<store::KeyValue> contents) {
  auto stored = disk_.load(std::move(contents));
  if (!stored) {
    return stored.error();
  }
  // A founder whose disk has anything on it is one no longer: it goes on from there.
  if (stored.value().pristine() && !options_.founders.members.empty()) {
    stored = raft::founded(stored.value(), options_.self, options_.founders);
    if (!stored) {
      return stored.error();
    }
    founding_ = stored.value();
  }
  raft::RaftOptions machine;
  machine.self = options_.self;
  machine.store = options_.store;
  machine.epoch = disk_.epoch();
  machine.seed = options_.seed;
  machine.limits = options_.limits;
  machine.fault = options_.fault;
  auto opened = raft::RaftMachine::open(machine, std::move(stored).value());
  if (!opened) {
    return opened.error();
  }
  machine_ = std::move(opened).value();
  return {};
}

}  // namespace fastgpu::actors

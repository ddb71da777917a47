#include "runtime/store/solo_log.hpp"

#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::store {

std::string SoloLog::key_prefix(base::ShardId shard) {
  return log_prefix(shard);
}

SoloLog::SoloLog(SoloLogOptions options, StoreWriter& writer)
    : options_(options), writer_(writer), epoch_(options.epoch) {
  FASTGPU_CHECK(options_.writes_in_flight_max > 0, "a log must be able to write");
}

base::Result<std::unique_ptr<SoloLog>> SoloLog::open(SoloLogOptions options, StoreWriter& writer,
                                                     std::vector<KeyValue> contents) {
  std::unique_ptr<SoloLog> log(new SoloLog(options, writer));
  if (auto status = log->load(std::move(contents)); !status.ok()) {
    return status.error();
  }
  return log;
}

void SoloLog::start(Sink sink) {
  FASTGPU_CHECK(!sink_, "a log starts once");
  FASTGPU_CHECK(sink, "a log needs someone to tell");
  sink_ = std::move(sink);
  if (!options_.faults.keep_term || !term_) {
    term_.value += 1;
  }
  // The head and the no-op are one write: the new term and the index it counts are durable
  // together, and whatever was recovered is given out only after both.
  gathered_.push_back(put_head(options_.shard, head_with_last({last_index().value + 1})));
  append(std::nullopt, {});
  write_out();
}

base::Admission SoloLog::propose(base::LogToken token, base::Bytes command) {
  FASTGPU_CHECK(!command.empty(), "an empty command is the no-op of a term");
  if (!leading_) {
    return base::Admission::not_leading;
  }
  const bool bytes_full = !uncommitted_.empty() && uncommitted_bytes_ + command.size() >
                                                       options_.proposal_bytes_in_flight_max;
  if (uncommitted_.size() >= options_.proposals_in_flight_max || bytes_full) {
    return base::Admission::full;
  }
  append(token, std::move(command));
  if (!giving_out_) {  // else what the sink proposes goes out together, once it is done
    write_out();
  }
  return base::Admission::accepted;
}

base::Admission SoloLog::read_index(base::LogToken token) {
  if (!leading_) {
    return base::Admission::not_leading;
  }
  if (events_.size() >= options_.proposals_in_flight_max) {
    return base::Admission::full;
  }
  // Nobody else can have committed anything, and all that was acknowledged is below commit_index_,
  // whose event is out or stands before this one.
  events_.emplace_back(base::LogReadReady{token, commit_index_});
  return base::Admission::accepted;
}

void SoloLog::compact(base::LogIndex index, base::Bytes snapshot) {
  FASTGPU_CHECK(index <= commit_index_, "only committed entries can be replaced by a snapshot");
  if (index < first_index_) {
    return;
  }
  const base::LogIndex next{index.value + 1};
  before_first_ = position_of(index);
  for (auto& write : put_snapshot(options_.shard, index, snapshot)) {
    gathered_.push_back(std::move(write));
  }
  gathered_.push_back(
      Write::erase_range(entry_key(options_.shard, first_index_), entry_key(options_.shard, next)));
  const auto dropped = static_cast<std::ptrdiff_t>(next.value - first_index_.value);
  positions_.erase(positions_.begin(), positions_.begin() + dropped);
  first_index_ = next;
  gathered_.push_back(put_head(options_.shard, head_with_last(last_index())));
  write_out();
}

void SoloLog::on_durable(StoreToken up_to) {
  FASTGPU_CHECK(up_to <= last_token_, "the store reports what this log did not write");
  while (!in_flight_.empty() && in_flight_.front().token <= up_to) {
    commit_through(in_flight_.front().last_index);
    in_flight_.pop_front();
    if (!leading_) {  // the first write: the new term
      leading_ = true;
      events_.emplace_back(base::LogLeading{epoch_, term_});
    }
  }
  pump();
}

void SoloLog::pump() {
  write_out();
  give_out();
  write_out();
}

void SoloLog::append(std::optional<base::LogToken> token, base::Bytes command) {
  const base::LogIndex index{last_index().value + 1};
  const ChainHash& previous = positions_.empty() ? before_first_.chain : positions_.back().chain;
  const LogPosition position{term_, chain_after(previous, index, term_, command)};
  positions_.push_back(position);
  gathered_.push_back(put_entry(options_.shard, index, {position, command}));
  uncommitted_bytes_ += command.size();
  uncommitted_.push_back({index, term_, token, std::move(command)});
}

void SoloLog::write_out() {
  if (gathered_.empty() || in_flight_.size() >= options_.writes_in_flight_max) {
    return;
  }
  const StoreToken token{last_token_.value + 1};
  const base::Admission admission = writer_.write(token, gathered_);
  write_refused_ = admission != base::Admission::accepted;
  if (write_refused_) {
    return;
  }
  gathered_.clear();
  last_token_ = token;
  in_flight_.push_back({token, last_index()});
}

void SoloLog::commit_through(base::LogIndex index) {
  while (!uncommitted_.empty() && uncommitted_.front().index <= index) {
    auto& entry = uncommitted_.front();
    uncommitted_bytes_ -= entry.command.size();
    commit_index_ = entry.index;
    events_.emplace_back(
        base::LogCommitted{entry.index, entry.term, entry.token, std::move(entry.command)});
    uncommitted_.pop_front();
  }
}

void SoloLog::give_out() {
  if (giving_out_ || !leading_) {  // what was recovered waits for the new term
    return;
  }
  giving_out_ = true;
  while (!events_.empty()) {
    const base::LogEvent event = std::move(events_.front());
    events_.pop_front();
    sink_(event);
  }
  giving_out_ = false;
}

const LogPosition& SoloLog::position_of(base::LogIndex index) const {
  return positions_[static_cast<std::size_t>(index.value - first_index_.value)];
}

base::LogIndex SoloLog::last_index() const {
  return {first_index_.value + positions_.size() - 1};
}

LogHead SoloLog::head_with_last(base::LogIndex last) const {
  return {epoch_, term_, first_index_, before_first_, last};
}

}  // namespace fastgpu::store

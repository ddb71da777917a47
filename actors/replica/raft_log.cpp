#include "actors/replica/raft_log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/replica/log_events.hpp"
#include "runtime/base/check.hpp"

namespace fastgpu::actors {

void RaftLog::start(Sink sink) {
  FASTGPU_CHECK(!sink_, "a log starts once");
  FASTGPU_CHECK(sink, "a log needs someone to tell");
  sink_ = std::move(sink);
  if (!founding_) {
    begin();
    return;
  }
  founding_writes_ = 1;
  add(disk_.all_of(*founding_), {1});
  write_out();
}

void RaftLog::begin() {
  founding_.reset();
  begun_ = true;
  step(raft::Started{});
}

std::optional<base::Time> RaftLog::next_deadline() const {
  return begun_ ? machine_->next_deadline() : std::nullopt;
}

void RaftLog::on_durable(store::StoreToken up_to) {
  FASTGPU_CHECK(up_to <= handed_, "the store reports what this log did not write");
  durable_ = std::max(durable_, up_to);
  if (!begun_) {
    begin();
  } else if (up_to.value > founding_writes_) {
    step(raft::Persisted{{up_to.value - founding_writes_}});
  }
  pump();
}

void RaftLog::turn(const raft::Event& event) {
  if (begun_) {  // else it is lost: whoever sent it says it again
    step(event);
    pump();
  }
}

void RaftLog::pump() {
  write_out();
  give_out();
  write_out();
}

void RaftLog::step(const raft::Event& event) {
  for (const raft::Effect& effect : machine_->step(event, host_.now())) {
    perform(effect);
  }
  if (!giving_out_) {  // else what the sink proposes goes out together, once it is done
    write_out();
  }
}

void RaftLog::perform(const raft::Effect& effect) {
  if (const auto* persist = std::get_if<raft::Persist>(&effect)) {
    add(disk_.changes(*persist), {persist->tag.value + founding_writes_});
  } else if (const auto* send = std::get_if<raft::Send>(&effect)) {
    host_.send(*send);
  } else if (auto event = event_of(effect)) {
    events_.push_back(*std::move(event));
  } else if (const auto* refused = std::get_if<raft::Refused>(&effect)) {
    refused_ = refused->why;
  } else if (const auto* alarm = std::get_if<raft::Alarm>(&effect)) {
    ++alarms_;
    host_.alarm(*alarm);
  } else if (const auto* halt = std::get_if<raft::Halt>(&effect)) {
    base::check_failed("the log goes on", __FILE__, __LINE__, halt->why.c_str());
  }
}

void RaftLog::add(std::vector<store::Write> writes, store::StoreToken token) {
  gathered_.insert(gathered_.end(), std::make_move_iterator(writes.begin()),
                   std::make_move_iterator(writes.end()));
  gathered_through_ = token;
}

// Persists that gathered here meanwhile are one write, which is reported by the last of their tags.
void RaftLog::write_out() {
  if (gathered_through_ <= handed_) {
    return;
  }
  write_refused_ = writer_.write(gathered_through_, gathered_) != base::Admission::accepted;
  if (write_refused_) {
    return;
  }
  gathered_.clear();
  handed_ = gathered_through_;
}

void RaftLog::give_out() {
  if (giving_out_) {
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

}  // namespace fastgpu::actors

#include "runtime/ledger/tables/proposal_batch.hpp"

#include <iterator>
#include <utility>
#include <variant>

#include "runtime/ledger/ledger_job.hpp"

namespace fastgpu::ledger {

namespace {

constexpr std::size_t record_bytes = 160;
constexpr std::size_t range_bytes = 8;

std::size_t size_of(const protocol::SubmitRecord& record) {
  return static_cast<std::size_t>(estimated_bytes(*record.spec));
}
std::size_t size_of(const protocol::PlacedRecord& record) {
  return record.ranges.size() * range_bytes;
}
std::size_t size_of(const protocol::FinishRecord& record) {
  std::size_t size = 0;
  for (const protocol::TaskReport& report : record.reports) {
    size += range_bytes + static_cast<std::size_t>(estimated_bytes(report.outcome));
  }
  return size;
}
std::size_t size_of(const protocol::ReleasedRecord& record) {
  return record.ranges.size() * range_bytes;
}
std::size_t size_of(const protocol::CancelRecord&) {
  return 0;
}
std::size_t size_of(const protocol::GiveUpRecord& record) {
  return record.ranges.size() * range_bytes + record.message.size();
}
std::size_t size_of(const protocol::MemberRecord& record) {
  return record.info.name.size() + record.info.address.size() + record.info.key.size();
}
std::size_t size_of(const protocol::MemberStateRecord&) {
  return 0;
}
std::size_t size_of(const protocol::TokenRecord&) {
  return 0;
}
std::size_t size_of(const protocol::ClientKeyRecord& record) {
  return record.client.name.size() + record.client.key.size();
}
std::size_t size_of(const protocol::ReplicasRecord&) {
  return 0;
}
std::size_t size_of(const protocol::DependencyRecord&) {
  return 0;
}

}  // namespace

std::size_t estimated_bytes(const protocol::Record& record) {
  return record_bytes + std::visit([](const auto& known) { return size_of(known); }, record);
}

void ProposalBatch::add(protocol::Record record) {
  waiting_.push_back(std::move(record));
}

std::vector<Propose> ProposalBatch::flush(base::Time now, base::LogToken& last_token) {
  std::vector<Propose> proposals;
  if (retry_at_ && *retry_at_ > now) {
    return proposals;
  }
  retry_at_.reset();
  while (may_propose() && (!returned_.empty() || !waiting_.empty())) {
    ++last_token.value;
    Sized next = gather();
    bytes_in_flight_ += next.bytes;
    proposals.push_back({last_token, next.entry});
    in_flight_.emplace(last_token, std::move(next));
  }
  return proposals;
}

bool ProposalBatch::may_propose() const {
  return in_flight_.size() < limits_.entries_in_flight_max ||
         (in_flight_.size() < limits_.small_entries_in_flight_max &&
          bytes_in_flight_ < limits_.small_entries_bytes_max);
}

ProposalBatch::Sized ProposalBatch::gather() {
  if (!returned_.empty()) {
    Sized returned = std::move(returned_.begin()->second);
    returned_.erase(returned_.begin());
    returned_records_ -= returned.entry.records.size();
    return returned;
  }
  Sized made;
  while (!waiting_.empty() && made.bytes < limits_.entry_bytes_max &&
         made.entry.records.size() < limits_.entry_records_max) {
    made.bytes += estimated_bytes(waiting_.front());
    made.entry.records.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return made;
}

ProposalBatch::Sized ProposalBatch::extract(std::map<base::LogToken, Sized>::iterator at) {
  Sized extracted = std::move(at->second);
  in_flight_.erase(at);
  bytes_in_flight_ -= extracted.bytes;
  return extracted;
}

protocol::Entry ProposalBatch::take(base::LogToken token) {
  const auto at = in_flight_.find(token);
  if (at == in_flight_.end()) {
    return {};
  }
  return extract(at).entry;
}

void ProposalBatch::refused(base::LogToken token, base::Time retry_at) {
  const auto at = in_flight_.find(token);
  if (at == in_flight_.end()) {
    return;
  }
  returned_records_ += at->second.entry.records.size();
  returned_.emplace(token, extract(at));
  retry_at_ = retry_at;
}

ProposalBatch::Dropped ProposalBatch::drop_all() {
  Dropped dropped;
  for (auto& [token, sized] : in_flight_) {
    dropped.in_flight.push_back(std::move(sized.entry));
  }
  for (auto& [token, sized] : returned_) {
    std::vector<protocol::Record>& records = sized.entry.records;
    std::move(records.begin(), records.end(), std::back_inserter(dropped.not_proposed));
  }
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(dropped.not_proposed));
  waiting_.clear();
  returned_.clear();
  returned_records_ = 0;
  in_flight_.clear();
  bytes_in_flight_ = 0;
  retry_at_.reset();
  return dropped;
}

}  // namespace fastgpu::ledger

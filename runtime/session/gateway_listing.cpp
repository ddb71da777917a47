/// Listings: every node that leads shards is asked once, for all of them; what has not answered by
/// the deadline is counted, never left out silently.

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/session/gateway_machine.hpp"

namespace fastgpu::session {
namespace {

/// Live jobs are kept before finished ones, newer before older.
void keep_to_limit(protocol::JobList& list) {
  const auto by_id = [](const protocol::JobSummary& a, const protocol::JobSummary& b) {
    return a.job < b.job;
  };
  if (list.jobs.size() > base::limits::listed_jobs_max) {
    std::sort(list.jobs.begin(), list.jobs.end(),
              [&](const protocol::JobSummary& a, const protocol::JobSummary& b) {
                const bool a_live = !protocol::is_terminal(a.state);
                const bool b_live = !protocol::is_terminal(b.state);
                return a_live != b_live ? a_live : by_id(b, a);
              });
    for (std::size_t i = base::limits::listed_jobs_max; i < list.jobs.size(); ++i) {
      list.finished_hidden += protocol::is_terminal(list.jobs[i].state) ? 1 : 0;
    }
    list.jobs.resize(base::limits::listed_jobs_max);
  }
  std::sort(list.jobs.begin(), list.jobs.end(), by_id);
}

}  // namespace

void GatewayMachine::start_listing(const Asker& asker, const protocol::ListJobs& request) {
  const base::CallId id = table_.fresh();
  Gather& gather = table_.add_gather(id, {asker, {}, 0});
  gather.list.source = map_.self();
  std::vector<ListingPart> parts;
  for (const base::ShardId shard : map_.led_by(map_.self())) {
    parts.push_back({map_.self(), shard, 1});
  }
  if (asker.session) {  // a node that asks wants only what is led here
    gather.list.shards_unanswered = map_.shards_silent();
    for (const auto& [node, shards] : map_.led_shards()) {
      if (node != map_.self()) {
        parts.push_back({node, shards.front(), static_cast<std::uint32_t>(shards.size())});
      }
    }
  }
  gather.parts_open = static_cast<std::uint32_t>(parts.size());
  for (const ListingPart& part : parts) {
    ask_part(id, part, request);
  }
  if (parts.empty()) {
    close_listing(id);
  }
}

void GatewayMachine::ask_part(base::CallId gather, const ListingPart& part,
                              const protocol::ListJobs& request) {
  const base::CallId id = table_.fresh();
  GatewayCall call;
  call.asker = table_.find_gather(gather)->asker;
  call.request = request;
  call.deadline = now_ + base::limits::list_timeout;
  call.shard = part.shard;
  call.target = part.node;
  call.gather = gather;
  call.shards = part.shards;
  table_.add(id, std::move(call));
  if (part.node == map_.self()) {
    effects_.push_back(AskShard{{id, part.shard, request}});
  } else {
    effects_.push_back(ForwardToPeer{part.node, {id.value, request}});
  }
}

void GatewayMachine::part_answered(base::CallId id, std::uint32_t shards,
                                   const protocol::ClientReply& reply_value) {
  Gather& gather = *table_.find_gather(id);
  if (const auto* list = std::get_if<protocol::JobList>(&reply_value)) {
    gather.list.jobs.insert(gather.list.jobs.end(), list->jobs.begin(), list->jobs.end());
    gather.list.finished_hidden += list->finished_hidden;
    gather.list.shards_unanswered += list->shards_unanswered;
  } else {
    gather.list.shards_unanswered += shards;
  }
  if (--gather.parts_open == 0) {
    close_listing(id);
  }
}

void GatewayMachine::close_listing(base::CallId id) {
  Gather gather = std::move(*table_.find_gather(id));
  table_.remove_gather(id);
  keep_to_limit(gather.list);
  reply(gather.asker, std::move(gather.list));
}

}  // namespace fastgpu::session

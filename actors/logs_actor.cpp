#include "actors/logs_actor.hpp"

#include <set>
#include <utility>

namespace fastgpu::actors {

LogsActor::LogsActor(caf::actor_config& config, ContextPtr context,
                     std::unique_ptr<logs::LogStore> store)
    : BaseActor(config, std::move(context), "logs"), store_(std::move(store)) {}

caf::message_handler LogsActor::handlers() {
  return {on<protocol::LogAppend>([this](const protocol::LogAppend& message) { append(message); }),
          on<protocol::LogRead>([this](const protocol::LogRead& read) {
            const protocol::ReadLog& asked = read.request;
            step(logs::ReaderCame{
                read.call,
                {asked.job, asked.task, asked.all_tasks, asked.cursor, asked.bytes_max},
                base::Duration(asked.wait_ns)});
          })};
}

void LogsActor::append(const protocol::LogAppend& append) {
  store_->append(append.records);
  std::set<base::JobId> jobs;
  for (const base::LogRecord& record : append.records) {
    jobs.insert(record.job);
  }
  for (const base::JobId job : jobs) {
    step(logs::LogGrew{job});
  }
}

void LogsActor::step(const logs::DeskEvent& event) {
  for (const logs::DeskEffect& effect : desk_.step(event, now())) {
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
}

void LogsActor::perform(const logs::ReadFor& effect) {
  step(logs::ReadDone{effect.reader, store_->read(effect.query)});
}

void LogsActor::perform(const logs::AnswerReader& effect) {
  tell(directory().gateway,
       protocol::LogAnswer{
           effect.reader,
           protocol::LogPart{effect.piece.records, effect.piece.next_cursor, context().self.node,
                             effect.piece.at_end, effect.piece.dropped_bytes}});
}

void LogsActor::perform(const logs::RefuseReader& effect) {
  tell(directory().gateway, protocol::LogAnswer{effect.reader, effect.error});
}

}  // namespace fastgpu::actors

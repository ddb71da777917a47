#pragma once

/// Keeps what the tasks of this node print, and shows it to readers who wait for more. Owns the log
/// store, whose calls block on the disk: in production this actor has a thread of its own. Told by
/// the workers (LogAppend), asked by the gateway (LogRead); who is answered when is LogDesk's.

#include <memory>

#include "actors/base_actor.hpp"
#include "runtime/logs/log_desk.hpp"
#include "runtime/logs/log_store.hpp"

namespace fastgpu::actors {

class LogsActor final : public BaseActor {
 public:
  LogsActor(caf::actor_config& config, ContextPtr context, std::unique_ptr<logs::LogStore> store);

 private:
  caf::message_handler handlers() override;
  void on_tick() override { step(logs::DeskTick{}); }
  std::optional<base::Time> next_deadline() const override { return desk_.next_deadline(); }

  void append(const protocol::LogAppend& append);
  void step(const logs::DeskEvent& event);
  void perform(const logs::ReadFor& effect);
  void perform(const logs::AnswerReader& effect);
  void perform(const logs::RefuseReader& effect);

  std::unique_ptr<logs::LogStore> store_;
  logs::LogDesk desk_;
};

}  // namespace fastgpu::actors

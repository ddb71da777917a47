#include "actors/shard/ledger_words.hpp"

#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/record_codec.hpp"

namespace fastgpu::actors {
namespace {

template <class Value>
Value decoded(base::Result<Value> result) {
  FASTGPU_CHECK(result.ok(), result.error().message.c_str());
  return std::move(result).value();
}

ledger::Event translate(const base::LogLeading& event) {
  return ledger::Leading{event.epoch, event.term};
}
ledger::Event translate(const base::LogNotLeading&) {
  return ledger::NotLeading{};
}
ledger::Event translate(const base::LogCommitted& event) {
  // A leader's no-op is an empty command.
  return ledger::Committed{event.index, event.token,
                           event.command.empty()
                               ? protocol::Entry{}
                               : decoded(codec::decode_entry(event.command.span()))};
}
ledger::Event translate(const base::LogOutcomeUnknown& event) {
  return ledger::OutcomeUnknown{event.token};
}
ledger::Event translate(const base::LogReadReady& event) {
  return ledger::ReadReady{event.token, event.index};
}
ledger::Event translate(const base::LogRestored& event) {
  return ledger::Restored{decoded(codec::decode_ledger_image(event.snapshot.span()))};
}

}  // namespace

ledger::Event to_event(const base::LogEvent& event) {
  return std::visit([](const auto& known) { return translate(known); }, event);
}

}  // namespace fastgpu::actors

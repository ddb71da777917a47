#pragma once

/// What a shard's log says, in the words of its ledger's machine. Pure. What the log gives back is
/// what this program gave it: anything else ends the process.

#include "runtime/base/replicated_log.hpp"
#include "runtime/ledger/ledger_events.hpp"

namespace fastgpu::actors {

ledger::Event to_event(const base::LogEvent& event);

}  // namespace fastgpu::actors

#pragma once

/// Conversions of job specs and outcomes; see wire.hpp for the pattern.

#include "runtime/codec/common_parts.hpp"
#include "runtime/protocol/dependency.hpp"
#include "runtime/protocol/job.hpp"
#include "schema/job.capnp.h"

namespace fastgpu::schema {

void write(JobSpec::Builder to, const protocol::JobSpec& from);
protocol::JobSpec read(JobSpec::Reader from, codec::Reading& reading);
/// The same for a spec that others share, which must be there.
protocol::SharedSpec read_shared(JobSpec::Reader from, codec::Reading& reading);

void write_labels(capnp::List<Define>::Builder to, const protocol::Labels& from);
protocol::Labels read_labels(capnp::List<Define>::Reader from, codec::Reading& reading);

void write(Dependency::Builder to, const protocol::Dependency& from);
protocol::Dependency read(Dependency::Reader from, codec::Reading& reading);

void write(JobStanding::Builder to, const protocol::JobStanding& from);
protocol::JobStanding read(JobStanding::Reader from, codec::Reading& reading);

void write(TaskOutcome::Builder to, const protocol::TaskOutcome& from);
/// Refuses an outcome that is not terminal.
protocol::TaskOutcome read(TaskOutcome::Reader from, codec::Reading& reading);

void write(TaskReport::Builder to, const protocol::TaskReport& from);
protocol::TaskReport read(TaskReport::Reader from, codec::Reading& reading);

void write(WaitingReason::Builder to, const protocol::WaitingReason& from);
protocol::WaitingReason read(WaitingReason::Reader from, codec::Reading& reading);

}  // namespace fastgpu::schema

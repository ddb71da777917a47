#pragma once

/// Log entries and job specs as bytes for the disk, and back. schema/record.capnp is the form and
/// tells what a change of it requires.
/// Place: between ledger (values) and the ReplicatedLog port (opaque entries). Pure, from any
/// thread.
/// Decoding: damaged bytes are an Error of code corrupt; an entry of a newer format an Error of
/// code version_skew: a newer program wrote it and this one must not guess.
/// The bytes carry their format version; shard, term and index are kept by the log around them.

#include <cstdint>
#include <span>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::codec {

/// The only format so far. What a rise means is told in schema/rules.md.
inline constexpr std::uint16_t record_format_version = 1;

base::Bytes encode(const protocol::Entry& entry);
base::Result<protocol::Entry> decode_entry(std::span<const std::uint8_t> data);

/// A spec alone, as snapshots and histories keep it.
base::Bytes encode(const protocol::JobSpec& spec);
base::Result<protocol::JobSpec> decode_job_spec(std::span<const std::uint8_t> data);

}  // namespace fastgpu::codec

#pragma once

/// A shard's snapshot as bytes for the disk, and back. schema/ledger_image.capnp is the form and
/// tells what a change of it requires.
/// Place: between ledger (values) and the ReplicatedLog port (an opaque snapshot). Pure, from any
/// thread.
/// Decoding: damaged bytes are an Error of code corrupt; a newer format an Error of code
/// version_skew: a newer program wrote it and this one must not guess.
/// Memory is of the order of the ledger's own; outcomes that tasks share stay shared.

#include <cstdint>
#include <span>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/ledger_image.hpp"

namespace fastgpu::codec {

/// The only format so far. What a rise means is told in schema/rules.md.
inline constexpr std::uint16_t image_format_version = 1;

base::Bytes encode(const protocol::LedgerImage& image);
base::Result<protocol::LedgerImage> decode_ledger_image(std::span<const std::uint8_t> data);

}  // namespace fastgpu::codec

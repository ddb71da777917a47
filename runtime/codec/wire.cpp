#include "runtime/codec/wire.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace fastgpu::codec {
namespace {

namespace limits = base::limits;

/// A decoded value may take this many bytes for each byte of input; the widest honest one, a list
/// of empty strings, takes five.
constexpr std::uint64_t memory_factor = 16;
constexpr std::uint64_t memory_base_bytes = 64u << 10;

/// Our own messages have one segment, or a few that double in size.
constexpr std::uint32_t segments_max = 64;

constexpr std::size_t scratch_words = (32u << 10) / sizeof(capnp::word);

/// Appends what is written to it to a buffer that has room already: the only copy of encoding.
class Sink final : public kj::OutputStream {
 public:
  explicit Sink(std::size_t size_bytes) { buffer_.reserve(size_bytes); }
  void write(const void* data, std::size_t size) override {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    buffer_.insert(buffer_.end(), bytes, bytes + size);
  }
  std::vector<std::uint8_t> take() { return std::move(buffer_); }

 private:
  std::vector<std::uint8_t> buffer_;
};

std::uint32_t little_endian_u32(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

}  // namespace

void refuse(std::string_view what, std::string_view why) {
  throw Refusal{base::ErrorCode::corrupt, std::string(what) + ": " + std::string(why)};
}

void refuse_size(std::string_view what, std::string_view why) {
  throw Refusal{base::ErrorCode::too_large, std::string(what) + ": " + std::string(why)};
}

Reading::Reading(std::size_t input_bytes)
    : budget_bytes_(input_bytes * memory_factor + memory_base_bytes) {}

void Reading::charge(std::uint64_t bytes) {
  if (bytes > budget_bytes_)
    refuse("message", "describes far more than it holds");
  budget_bytes_ -= bytes;
}

std::string Reading::text(capnp::Text::Reader from, std::size_t bytes_max, std::string_view what) {
  if (from.size() > bytes_max)
    refuse_size(what, "too long");
  charge(from.size());
  return {from.begin(), from.size()};
}

base::Bytes Reading::bytes(capnp::Data::Reader from, std::size_t bytes_max, std::string_view what) {
  if (from.size() > bytes_max)
    refuse_size(what, "too long");
  if (from.size() == 0)
    return {};
  charge(from.size());
  return base::Bytes::copy_of(std::span<const std::uint8_t>(from.begin(), from.size()));
}

base::ObjectHash Reading::hash(capnp::Data::Reader from) {
  base::ObjectHash hash;
  if (from.size() != hash.bytes.size())
    refuse("hash", "is not 32 bytes");
  std::copy(from.begin(), from.end(), hash.bytes.begin());
  return hash;
}

std::int64_t read_duration_ns(std::int64_t from, std::string_view what) {
  if (from < 0)
    refuse(what, "negative duration");
  return std::min<std::int64_t>(from, limits::duration_max.count());
}

void check_piece(std::uint64_t offset, std::uint64_t size_bytes, std::uint64_t object_size_bytes) {
  if (offset > object_size_bytes || size_bytes > object_size_bytes - offset) {
    refuse("piece", "outside its object");
  }
}

void check_format(std::uint16_t format, std::uint16_t newest_known, std::string_view what) {
  if (format == 0)
    refuse(what, "without a format");
  if (format <= newest_known)
    return;
  throw Refusal{base::ErrorCode::version_skew,
                std::string(what) + " of format " + std::to_string(format) +
                    "; this program knows up to " + std::to_string(newest_known)};
}

std::vector<std::string> read_texts(capnp::List<capnp::Text>::Reader from, Reading& reading,
                                    std::string_view what, std::size_t items_max,
                                    std::size_t bytes_max) {
  if (from.size() > items_max)
    refuse_size(what, "too many items");
  reading.charge(std::uint64_t{from.size()} * sizeof(std::string));
  std::vector<std::string> list;
  list.reserve(from.size());
  for (auto text : from)
    list.push_back(reading.text(text, bytes_max, what));
  return list;
}

void write_texts(capnp::List<capnp::Text>::Builder to, const std::vector<std::string>& from) {
  for (std::uint32_t i = 0; i < to.size(); ++i)
    to.set(i, as_text(from[i]));
}

std::string clip(const std::string& text) {
  std::size_t size = std::min(text.size(), limits::message_text_bytes_max);
  if (size == text.size())
    return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;
  return text.substr(0, size);
}

kj::ArrayPtr<capnp::word> scratch() {
  // The builder asks for zeroed memory and leaves it zeroed.
  alignas(capnp::word) thread_local std::array<std::uint64_t, scratch_words> memory{};
  static_assert(sizeof(capnp::word) == sizeof(std::uint64_t));
  return {reinterpret_cast<capnp::word*>(memory.data()), memory.size()};
}

base::Bytes flatten(capnp::MessageBuilder& message) {
  const auto segments = message.getSegmentsForOutput();
  Sink sink(capnp::computeSerializedSizeInWords(segments) * sizeof(capnp::word));
  capnp::writeMessage(sink, segments);
  return base::Bytes(sink.take());
}

Words::Words(std::span<const std::uint8_t> data) {
  if (data.empty())
    refuse("message", "empty");
  if (data.size() % sizeof(capnp::word) != 0)
    refuse("message", "not a whole number of words");
  if (little_endian_u32(data.data()) >= segments_max)
    refuse("message", "too many segments");
  const std::size_t count = data.size() / sizeof(capnp::word);
  if (reinterpret_cast<std::uintptr_t>(data.data()) % alignof(capnp::word) == 0) {
    words_ = {reinterpret_cast<const capnp::word*>(data.data()), count};
    return;
  }
  copy_ = kj::heapArray<capnp::word>(count);
  std::memcpy(copy_.begin(), data.data(), data.size());
  words_ = copy_;
}

capnp::ReaderOptions reader_options(std::size_t words) {
  capnp::ReaderOptions options;
  // Each part is read once, so an honest message needs its own size; the rest is slack.
  options.traversalLimitInWords = 2 * words + 64;
  options.nestingLimit = limits::reader_nesting_max;
  return options;
}

base::Error as_error(const Refusal& refusal) {
  const bool size = refusal.code == base::ErrorCode::too_large;
  return {base::ErrorKind::invalid,
          size ? base::ErrorCode::corrupt : refusal.code,
          "cannot be read: " + refusal.why,
          {}};
}

base::Error as_error(const kj::Exception& exception) {
  return {base::ErrorKind::invalid,
          base::ErrorCode::corrupt,
          std::string("cannot be read: ") + exception.getDescription().cStr(),
          {}};
}

}  // namespace fastgpu::codec

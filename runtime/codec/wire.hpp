#pragma once

/// The two doors of the codec, for its own sources only: encode_root() and decode_root().
/// Inside, a conversion that meets something wrong throws Refusal, as Cap'n Proto throws its own;
/// decode_root() turns both into an Error, so no exception leaves the folder.
/// Conversions are pairs of overloads, write(Builder, value) and read(Reader, Reading&). They live
/// in fastgpu::schema beside the generated types, so that lists and unions find them by argument;
/// those of one file are static, because an unnamed namespace is not searched that way.
/// Each getter of a Reader is called once: every call counts against the traversal limit.

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::codec {

/// Why bytes are refused. Never leaves the codec.
struct Refusal {
  base::ErrorCode code{base::ErrorCode::corrupt};
  std::string why;
};
[[noreturn]] void refuse(std::string_view what, std::string_view why);
/// What would be well formed if it were smaller.
[[noreturn]] void refuse_size(std::string_view what, std::string_view why);

/// One decoding: how much memory it may still take, and the checks that every value passes.
/// The budget is a multiple of the input, because a few hostile bytes can describe a long list.
class Reading {
 public:
  explicit Reading(std::size_t input_bytes);

  void charge(std::uint64_t bytes);
  std::string text(capnp::Text::Reader from, std::size_t bytes_max, std::string_view what);
  base::Bytes bytes(capnp::Data::Reader from, std::size_t bytes_max, std::string_view what);
  base::ObjectHash hash(capnp::Data::Reader from);

 private:
  std::uint64_t budget_bytes_;
};

/// A duration in nanoseconds: never negative, and at most limits::duration_max, so that adding it
/// to any moment does not overflow.
std::int64_t read_duration_ns(std::int64_t from, std::string_view what);

/// Refuses a piece of an object that does not lie within it.
void check_piece(std::uint64_t offset, std::uint64_t size_bytes, std::uint64_t object_size_bytes);

/// Refuses the format 0 of no writer, and those that are newer than this program.
void check_format(std::uint16_t format, std::uint16_t newest_known, std::string_view what);

/// An enum from the wire, whose 16 bits are unchecked there. `last` is the greatest known value.
template <class Value, class Wire>
Value read_enum(Wire from, Value last, std::string_view what) {
  const auto number = static_cast<std::uint16_t>(from);
  if (number > static_cast<std::uint16_t>(last))
    refuse(what, "unknown value");
  return static_cast<Value>(number);
}

template <class Wire, class Value>
Wire write_enum(Value from) {
  return static_cast<Wire>(static_cast<std::uint16_t>(from));
}

template <class ListBuilder, class Value>
void write_list(ListBuilder to, const std::vector<Value>& from) {
  for (std::uint32_t i = 0; i < to.size(); ++i)
    write(to[i], from[i]);
}

/// A list of structs, at most `items_max` of them.
template <class ListReader>
auto read_list(ListReader from, Reading& reading, std::string_view what,
               std::size_t items_max = base::limits::message_list_items_max) {
  using Value = std::decay_t<decltype(read(from[0], reading))>;
  if (from.size() > items_max)
    refuse_size(what, "too many items");
  reading.charge(std::uint64_t{from.size()} * sizeof(Value));
  std::vector<Value> list;
  list.reserve(from.size());
  for (auto item : from)
    list.push_back(read(item, reading));
  return list;
}

/// A list of texts, at most `items_max` of at most `bytes_max` each.
std::vector<std::string> read_texts(capnp::List<capnp::Text>::Reader from, Reading& reading,
                                    std::string_view what, std::size_t items_max,
                                    std::size_t bytes_max);
void write_texts(capnp::List<capnp::Text>::Builder to, const std::vector<std::string>& from);

/// A list of ids, which are numbers on the wire.
template <class Id, class ListReader>
std::vector<Id> read_ids(ListReader from, Reading& reading, std::string_view what,
                         std::size_t items_max = base::limits::message_list_items_max) {
  if (from.size() > items_max)
    refuse_size(what, "too many items");
  reading.charge(std::uint64_t{from.size()} * sizeof(Id));
  std::vector<Id> list;
  list.reserve(from.size());
  for (auto value : from)
    list.push_back(Id{value});
  return list;
}

template <class Id, class ListBuilder>
void write_ids(ListBuilder to, const std::vector<Id>& from) {
  for (std::uint32_t i = 0; i < to.size(); ++i)
    to.set(i, from[i].value);
}

inline std::uint32_t list_size(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

/// Names, and everything else that a reader refuses when it is too long.
inline kj::StringPtr as_text(const std::string& text) {
  return {text.c_str(), text.size()};
}
/// Sentences for people: what is longer than a reader takes is cut, at the end of a character.
std::string clip(const std::string& text);

inline kj::ArrayPtr<const std::uint8_t> as_data(std::span<const std::uint8_t> data) {
  return {data.data(), data.size()};
}

/// Memory for the first segment of the message that this thread is building.
kj::ArrayPtr<capnp::word> scratch();
base::Bytes flatten(capnp::MessageBuilder& message);

/// Builds a message; `fill` gets its root.
template <class Root, class Fill>
base::Bytes encode_root(Fill&& fill) {
  capnp::MallocMessageBuilder message(scratch());
  fill(message.initRoot<Root>());
  return flatten(message);
}

/// The input as aligned words: as it lies, or a copy of it. Refuses what cannot be a message.
class Words {
 public:
  explicit Words(std::span<const std::uint8_t> data);
  kj::ArrayPtr<const capnp::word> words() const { return words_; }

 private:
  kj::Array<capnp::word> copy_;
  kj::ArrayPtr<const capnp::word> words_;
};

capnp::ReaderOptions reader_options(std::size_t words);
/// Only a writer that is broken goes beyond a limit: that is damage like any other.
base::Error as_error(const Refusal& refusal);
base::Error as_error(const kj::Exception& exception);

/// Reads a message; `take` gets its root and the Reading, and returns the value; `tell` puts a
/// refusal into words.
template <class Root, class Take>
auto decode_root(std::span<const std::uint8_t> data, Take&& take,
                 base::Error (*tell)(const Refusal&) = as_error)
    -> base::Result<decltype(take(std::declval<typename Root::Reader>(),
                                  std::declval<Reading&>()))> {
  try {
    const Words input(data);
    capnp::FlatArrayMessageReader message(input.words(), reader_options(input.words().size()));
    if (message.getEnd() != input.words().end())
      refuse("message", "bytes after its end");
    Reading reading(data.size());
    return take(message.getRoot<Root>(), reading);
  } catch (const Refusal& refusal) {
    return tell(refusal);
  } catch (const kj::Exception& exception) {
    return as_error(exception);
  }
}

}  // namespace fastgpu::codec

#include "runtime/objects/pins/pin_log.hpp"

#include <algorithm>
#include <optional>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/little_endian.hpp"

namespace fastgpu::objects {
namespace {

constexpr std::string_view log_folder = "pin";
constexpr std::string_view log_name = "pin/log";
constexpr std::string_view new_log_name = "pin/log.new";

constexpr std::uint8_t word_pin = 1;
constexpr std::uint8_t word_unpin = 2;
constexpr std::uint8_t word_copy = 3;
constexpr std::size_t crc_bytes = 4;
constexpr std::size_t entry_bytes = crc_bytes + 1 + 32 + 1 + 4 + 8 + 8;
constexpr std::size_t copy_bytes = entry_bytes + 4;

/// Of a copy where `home` is not 0.
void put_entry(std::vector<std::uint8_t>& out, const Pin& pin, std::uint8_t word,
               base::NodeId home = {}) {
  std::vector<std::uint8_t> body{home ? word_copy : word};
  body.insert(body.end(), pin.hash.bytes.begin(), pin.hash.bytes.end());
  body.push_back(static_cast<std::uint8_t>(pin.owner.kind));
  base::put_little_endian(body, pin.owner.shard.value);
  base::put_little_endian(body, pin.owner.high);
  base::put_little_endian(body, pin.owner.low);
  if (home) {
    base::put_little_endian(body, home.value);
  }
  base::put_little_endian(out, base::crc32c(body));
  out.insert(out.end(), body.begin(), body.end());
}

struct LogEntry {
  Pin pin;
  bool stands{};
  base::NodeId home{};
  std::size_t bytes{};
};

/// The entry at the begin of `data`; nothing if what is there is no whole entry.
std::optional<LogEntry> read_entry(std::span<const std::uint8_t> data) {
  if (data.size() < entry_bytes) {
    return std::nullopt;
  }
  const std::size_t bytes = data[crc_bytes] == word_copy ? copy_bytes : entry_bytes;
  if (data.size() < bytes) {
    return std::nullopt;
  }
  const auto body = data.subspan(crc_bytes, bytes - crc_bytes);
  const bool known = body[0] >= word_pin && body[0] <= word_copy &&
                     body[33] <= static_cast<std::uint8_t>(PinOwnerKind::job);
  if (!known || base::get_little_endian<std::uint32_t>(data.data()) != base::crc32c(body)) {
    return std::nullopt;
  }
  LogEntry entry;
  entry.bytes = bytes;
  entry.stands = body[0] != word_unpin;
  std::copy_n(body.begin() + 1, entry.pin.hash.bytes.size(), entry.pin.hash.bytes.begin());
  entry.pin.owner.kind = static_cast<PinOwnerKind>(body[33]);
  entry.pin.owner.shard = {base::get_little_endian<std::uint32_t>(&body[34])};
  entry.pin.owner.high = base::get_little_endian<std::uint64_t>(&body[38]);
  entry.pin.owner.low = base::get_little_endian<std::uint64_t>(&body[46]);
  if (body[0] == word_copy) {
    entry.home = {base::get_little_endian<std::uint32_t>(&body[54])};
  }
  return entry;
}

}  // namespace

base::Status PinLog::load(std::span<const FileEntry> entries) {
  folder_.remove(new_log_name);
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [](const FileEntry& entry) { return entry.name == log_name; });
  if (found == entries.end()) {
    return {};
  }
  const auto whole = folder_.read(log_name, 0, found->size_bytes);
  if (!whole.ok()) {
    return whole.error();
  }
  const auto data = whole.value().span();
  while (const auto entry = read_entry(data.subspan(log_bytes_))) {
    apply(entry->pin, entry->stands, entry->home);
    log_bytes_ += entry->bytes;
  }
  if (log_bytes_ < data.size()) {
    static_cast<void>(folder_.write(log_name, log_bytes_, {}));  // cuts; needs no room
  }
  // What a dead process had written and not synced is in memory only: it counts from now on.
  folder_.sync_file(log_name);
  folder_.sync_folder(log_folder);
  named_ = true;
  return {};
}

bool PinLog::is_pinned(const base::ObjectHash& hash) const {
  const auto found = pins_.lower_bound({hash, {}});
  return found != pins_.end() && found->hash == hash;
}

base::NodeId PinLog::home_of(const Pin& pin) const {
  const auto found = homes_.find(pin);
  return found == homes_.end() ? base::NodeId{} : found->second;
}

void PinLog::apply(const Pin& pin, bool stands, base::NodeId home) {
  homes_.erase(pin);
  if (stands) {
    pins_.insert(pin);
    owners_[pin.owner].insert(pin.hash);
    if (home) {
      homes_.emplace(pin, home);
    }
    return;
  }
  pins_.erase(pin);
  if (const auto owner = owners_.find(pin.owner); owner != owners_.end()) {
    owner->second.erase(pin.hash);
    if (owner->second.empty()) {
      owners_.erase(owner);
    }
  }
}

bool PinLog::add(std::span<const Pin> pins, base::NodeId home) {
  std::vector<std::uint8_t> entries;
  std::set<Pin> fresh;
  for (const Pin& pin : pins) {
    const bool becomes_own = !home && homes_.contains(pin);
    if ((!has(pin) || becomes_own) && fresh.insert(pin).second) {
      put_entry(entries, pin, word_pin, home);
    }
  }
  if (!append(entries)) {
    return false;
  }
  for (const Pin& pin : fresh) {
    apply(pin, true, home);
  }
  return true;
}

void PinLog::drop(std::span<const Pin> pins) {
  std::vector<std::uint8_t> entries;
  for (const Pin& pin : pins) {
    if (has(pin)) {
      put_entry(entries, pin, word_unpin);
      apply(pin, false);
    }
  }
  static_cast<void>(append(entries));  // a full disk: they stand again in the next life
  if (log_bytes_ / entry_bytes >= entries_min_ && pins_.size() * 2 * entry_bytes < log_bytes_) {
    rewrite();
  }
}

bool PinLog::append(std::span<const std::uint8_t> entries) {
  if (entries.empty()) {
    return true;
  }
  if (!folder_.write(log_name, log_bytes_, entries)) {
    return false;
  }
  folder_.sync_file(log_name);
  if (!named_) {
    folder_.sync_folder(log_folder);
    named_ = true;
  }
  log_bytes_ += entries.size();
  return true;
}

void PinLog::rewrite() {
  std::vector<std::uint8_t> entries;
  for (const Pin& pin : pins_) {
    put_entry(entries, pin, word_pin, home_of(pin));
  }
  if (!folder_.write(new_log_name, 0, entries)) {
    folder_.remove(new_log_name);
    return;
  }
  folder_.sync_file(new_log_name);
  folder_.rename(new_log_name, log_name);
  folder_.sync_folder(log_folder);
  log_bytes_ = entries.size();
}

}  // namespace fastgpu::objects

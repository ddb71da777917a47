#include "runtime/books/funnel.hpp"

#include <cstdio>

namespace fastgpu::books {

namespace {

using protocol::DeviceBooks;
using protocol::RefusalReason;
using protocol::WaitingCode;

std::string bytes_text(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
                units[unit]);
  return text;
}

void keep_larger(std::optional<DeviceBooks>& kept, const DeviceBooks& books) {
  if (!kept || books.memory_bytes_total > kept->memory_bytes_total)
    kept = books;
}

std::string describe(const DeviceBooks& books) {
  return std::string(protocol::to_word(books.kind)) + " device " + base::to_string(books.device) +
         (books.model.empty() ? "" : " (" + books.model + ")") + " with " +
         bytes_text(books.memory_bytes_total);
}

}  // namespace

void Funnel::add(const DeviceBooks& books, bool reachable) {
  add(books, reachable, fit(request_, books, work_).tasks);
}

void Funnel::add(const DeviceBooks& books, bool reachable, std::uint32_t room) {
  ++looked_at_;
  if (books.slots_total == 0 && !books.healthy) {
    ++away_;  // it never came up: nobody knows what it will have
    return;
  }
  const Fit ever = could_ever_fit(request_, books);
  if (ever.refused == RefusalReason::wrong_device_kind) {
    ++wrong_kind_;
    keep_larger(other_, books);
    return;
  }
  keep_larger(largest_, books);
  if (!ever)
    ++too_small_;
  else if (!reachable || !books.healthy)
    ++away_;
  else if (!serves(books, work_)) {
    ++no_commands_;
    if (no_commands_why_.empty())
      no_commands_why_ = books.no_commands_why;
  } else if (room == 0 || !fit(request_, books, work_))
    ++full_;
  else
    ++fits_;
}

bool Funnel::infeasible() const {
  return looked_at_ != 0 && wrong_kind_ + too_small_ == looked_at_;
}

std::string Funnel::asked() const {
  const std::string kind = protocol::to_word(request_.kind);
  return "a " + (request_.kind == protocol::DeviceKind::any ? "gpu or cpu" : kind) +
         " device with " + bytes_text(request_.memory_bytes) + " of memory";
}

std::string Funnel::counts() const {
  std::string text = std::to_string(looked_at_) + " looked at";
  const auto part = [&text](std::uint32_t count, const char* what) {
    if (count != 0)
      text += ", " + std::to_string(count) + " " + what;
  };
  part(wrong_kind_, "of the wrong kind");
  part(too_small_, "too small");
  part(away_, "not reachable or not healthy");
  part(no_commands_, ("without commands now (" + no_commands_why_ + ")").c_str());
  part(full_, "full");
  part(fits_, "free");
  return text;
}

std::string Funnel::nearest() const {
  if (largest_)
    return "the nearest is " + describe(*largest_);
  if (other_)
    return "the nearest is " + describe(*other_);
  return "no node has a device";
}

protocol::WaitingReason Funnel::waiting() const {
  if (looked_at_ == 0)
    return {WaitingCode::not_yet_considered, "no device has reported yet"};
  if (infeasible())
    return {WaitingCode::infeasible,
            "no device can ever run it: it needs " + asked() + "; " + counts() + "; " + nearest()};
  return {WaitingCode::capacity, "it needs " + asked() + "; " + counts()};
}

base::Error Funnel::error() const {
  return {base::ErrorKind::rejected, base::ErrorCode::infeasible,
          "this job can never start here: it needs " + asked() + "; " + counts(),
          nearest() + "; to queue it until such a device joins, allow it to wait"};
}

Funnel look_at(const protocol::ResourceRequest& request,
               const std::vector<protocol::NodeView>& nodes) {
  Funnel funnel(request);
  for (const auto& node : nodes)
    for (const auto& device : node.devices)
      funnel.add(device, node.state == protocol::NodeState::up);
  return funnel;
}

}  // namespace fastgpu::books

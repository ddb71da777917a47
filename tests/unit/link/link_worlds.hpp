#pragma once

/// Where the link's contract is tested: some links that can reach each other, on either twin.
/// A test makes links, sends, and waits until something is true; how time passes is the world's.

#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/check.hpp"
#include "runtime/base/random.hpp"
#include "runtime/link/link.hpp"
#include "runtime/link/sim_link.hpp"
#include "runtime/link/sim_network.hpp"
#include "runtime/link/zmq_link.hpp"

namespace fastgpu::link::testing {

inline base::Time real_now() {
  return base::Time(std::chrono::steady_clock::now().time_since_epoch());
}

/// What one link's sink was told, kept for the test. Shared with the link's thread.
class Record {
 public:
  void add(LinkEvent event) {
    const std::lock_guard lock(mutex_);
    ++counts_[event.index()];
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  template <class Kind>
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return counts_[LinkEvent(Kind{}).index()];
  }
  std::vector<LinkEvent> events() const {
    const std::lock_guard lock(mutex_);
    return {events_.begin(), events_.end()};
  }
  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const LinkEvent& event : events()) {
      if (const auto* kind = std::get_if<Kind>(&event)) {
        found.push_back(*kind);
      }
    }
    return found;
  }
  /// True when `done` holds before the deadline; asked again after each event.
  bool wait(const std::function<bool()>& done, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
      std::size_t seen = 0;
      {
        const std::lock_guard lock(mutex_);
        seen = events_.size();
      }
      if (done()) {
        return true;
      }
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, deadline, [&] { return events_.size() != seen; })) {
        return false;
      }
    }
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LinkEvent> events_;
  std::array<std::size_t, std::variant_size_v<LinkEvent>> counts_{};
};

/// One life of one process.
struct Life {
  std::unique_ptr<Record> record = std::make_unique<Record>();  ///< outlives the link that fills it
  std::unique_ptr<Link> link;
  LinkOptions options;
  std::string address;  ///< empty for a client

  std::vector<std::string> texts() const {
    std::vector<std::string> found;
    for (const FrameReceived& frame : record->all<FrameReceived>()) {
      found.emplace_back(frame.body.text());
    }
    return found;
  }
  base::Bytes frame(const std::string& text, FrameKind kind = FrameKind::peer) const {
    return encode(header_from(options.identity, kind), base::Bytes::copy_of(text).span());
  }
};

class World {
 public:
  virtual ~World() = default;
  virtual std::unique_ptr<Link> make_link(const LinkOptions& options) = 0;
  virtual void crash(Link& link) = 0;
  /// Lets time pass until `done` holds, which only changes when `life` is told something.
  virtual bool wait(Life& life, const std::function<bool()>& done) = 0;
};

class SimulatedWorld final : public World {
 public:
  static constexpr bool is_keyed = false;
  std::unique_ptr<Link> make_link(const LinkOptions& options) override {
    return std::make_unique<SimLink>(network_, SimHost{++last_host_}, options);
  }
  std::unique_ptr<Link> make_link(const LinkOptions& options, const LinkKeys& keys) {
    return std::make_unique<SimLink>(network_, SimHost{++last_host_}, options, keys);
  }
  void crash(Link& link) override { dynamic_cast<SimLink&>(link).crash(); }
  bool wait(Life&, const std::function<bool()>& done) override {
    const base::Time deadline = network_.now() + std::chrono::seconds(30);
    while (!done()) {
      const auto next = network_.next_event();
      if (!next || *next > deadline) {
        return false;
      }
      network_.run_until(*next);
    }
    return true;
  }
  SimNetwork& network() { return network_; }

 private:
  SimNetwork network_{base::Random(7)};
  std::uint32_t last_host_{0};
};

class RealWorld final : public World {
 public:
  static constexpr bool is_keyed = false;
  std::unique_ptr<Link> make_link(const LinkOptions& options) override {
    return std::make_unique<ZmqLink>(options, real_now);
  }
  std::unique_ptr<Link> make_link(const LinkOptions& options, const LinkKeys& keys) {
    return std::make_unique<ZmqLink>(options, real_now, keys);
  }
  void crash(Link& link) override { dynamic_cast<ZmqLink&>(link).crash(); }
  bool wait(Life& life, const std::function<bool()>& done) override {
    return life.record->wait(done, std::chrono::seconds(30));
  }
};

inline constexpr base::ClusterId our_cluster_id{0xc1, 0xc2};

inline LinkOptions node_options(std::uint32_t node, std::uint64_t incarnation = 1) {
  LinkOptions options;
  options.identity = {our_cluster_id, {node}, {incarnation}};
  return options;
}

inline LinkOptions client_options() {
  LinkOptions options;
  options.identity = {{}, {}, {77}};
  return options;
}

inline Life begin_life(World& world, const LinkOptions& options, const std::string& address) {
  Life life;
  life.options = options;
  life.link = world.make_link(options);
  life.link->start(
      [record = life.record.get()](LinkEvent event) { record->add(std::move(event)); });
  if (!address.empty()) {
    const auto taken = life.link->listen(address);
    FASTGPU_CHECK(taken.ok(), "a test listens on a free port");
    life.address = taken.value();
  }
  return life;
}

}  // namespace fastgpu::link::testing

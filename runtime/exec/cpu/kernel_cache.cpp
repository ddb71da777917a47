#include "runtime/exec/cpu/kernel_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>

#include "runtime/base/crc32c.hpp"

namespace fastgpu::exec {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto left_over_age = std::chrono::hours(1);

/// Stands behind the shared object, where the loader does not look: a file that was torn by a crash
/// or mixed up must never be mapped.
struct Trailer {
  char magic[8];
  std::uint64_t object_bytes;
  std::uint8_t key[32];
  std::uint32_t crc;  ///< of the object
  std::uint32_t zero;
};
constexpr char trailer_magic[8] = {'f', 'g', 'k', 'e', 'r', 'n', '0', '1'};

std::uint64_t since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
}

Trailer trailer_of(std::span<const std::uint8_t> object, const base::ObjectHash& key) {
  Trailer trailer{};
  std::memcpy(trailer.magic, trailer_magic, sizeof trailer.magic);
  trailer.object_bytes = object.size();
  std::memcpy(trailer.key, key.bytes.data(), sizeof trailer.key);
  trailer.crc = base::crc32c(object);
  return trailer;
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_whole(const std::string& path, const base::ObjectHash& key) {
  const auto bytes = read_file(path);
  if (bytes.size() <= sizeof(Trailer))
    return false;
  const std::size_t object = bytes.size() - sizeof(Trailer);
  const Trailer expected = trailer_of({bytes.data(), object}, key);
  return std::memcmp(bytes.data() + object, &expected, sizeof expected) == 0;
}

/// All fields of the request in one text, to find it in memory without hashing it twice.
std::string name_of(const KernelRequest& request) {
  std::string name = request.expression;
  name += '\0';
  for (const auto& define : request.defines) {
    name += define;
    name += '\0';
  }
  name += request.standard == Standard::cpp20 ? 'n' : 'o';
  name += request.precise ? 'p' : request.force_fibres ? 'f' : 'q';
  name += request.source;
  return name;
}

std::vector<fs::path> list_folder(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    result.push_back(at->path());
  return result;
}

/// Whether the failure would come again for the same source on the same host.
bool is_lasting(base::FailureReason reason) {
  return reason != base::FailureReason::staging_failed;
}

}  // namespace

KernelCache::KernelCache(KernelCacheOptions options, std::function<void()> changed)
    : KernelCache(options, std::make_unique<Compiler>(options.compiler), std::move(changed)) {}

KernelCache::KernelCache(KernelCacheOptions options, std::unique_ptr<KernelMaker> maker,
                         std::function<void()> changed)
    : options_(std::move(options)), changed_(std::move(changed)), maker_(std::move(maker)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.threads); ++i)
    threads_.emplace_back([this] { serve(); });
}

KernelCache::~KernelCache() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

std::shared_ptr<const KernelEntry> KernelCache::request(const KernelRequest& request) {
  std::string name = name_of(request);
  std::lock_guard lock(mutex_);
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    const auto failed = found->second->failed;
    if (failed && options_.now() - *failed >= options_.failure_kept)
      forget(found->second);
  }
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    used_.splice(used_.begin(), used_, found->second);
    return found->second->entry;
  }
  auto entry = std::make_shared<KernelEntry>();
  used_.push_front({name, entry, std::nullopt});
  by_name_.emplace(name, used_.begin());
  forget_oldest();
  orders_.push_back({request, std::move(name), entry});
  work_.notify_one();
  return entry;
}

std::shared_ptr<const KernelEntry> KernelCache::wait(std::shared_ptr<const KernelEntry> entry) {
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&entry] { return entry->done(); });
  return entry;
}

void KernelCache::forget(Slots::iterator slot) {
  by_name_.erase(slot->name);
  used_.erase(slot);
}

void KernelCache::forget_oldest() {
  std::size_t failures = 0;
  for (const Slot& slot : used_)
    failures += slot.failed ? 1 : 0;
  for (auto at = used_.end(); at != used_.begin();) {
    const auto slot = std::prev(at);
    const bool full = used_.size() > options_.loaded_max;
    const bool too_many = slot->failed && failures > options_.failures_max;
    if (!slot->entry->done() || (!full && !too_many)) {
      at = slot;
      continue;
    }
    failures -= slot->failed ? 1 : 0;
    forget(slot);
  }
}

/// A failure is kept for a while if it is the source's own, else not at all.
void KernelCache::note_end(const Order& order) {
  order.entry->done_.store(true, std::memory_order_release);
  const auto found = by_name_.find(order.name);
  if (order.entry->reason == base::FailureReason::none || found == by_name_.end() ||
      found->second->entry != order.entry)
    return;
  if (is_lasting(order.entry->reason))
    found->second->failed = options_.now();
  else
    forget(found->second);
  forget_oldest();
}

void KernelCache::serve() {
  for (;;) {
    Order order;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stop_ || !orders_.empty(); });
      if (stop_)
        return;
      order = std::move(orders_.front());
      orders_.pop_front();
    }
    make(order);
    {
      std::lock_guard lock(mutex_);
      note_end(order);
    }
    finished_.notify_all();
    if (changed_)
      changed_();
  }
}

/// Tried with each kernel until it is done: a disk that takes nothing now may do so later.
base::Status KernelCache::prepare() {
  const std::lock_guard lock(preparing_);
  if (prepared_)
    return {};
  if (base::Status usable = maker_->prepare(); !usable.ok())
    return usable;
  clean_folder();
  prepared_ = true;
  return {};
}

void KernelCache::make(const Order& order) {
  const auto begin = Clock::now();
  KernelEntry& entry = *order.entry;
  if (const base::Status usable = prepare(); !usable.ok()) {
    // Without a compiler the device is none for sources; its disk is the node's affair.
    entry.reason = usable.error().code == base::ErrorCode::disk_full
                       ? base::FailureReason::staging_failed
                       : base::FailureReason::not_supported_on_device;
    entry.message =
        std::string("this ") + maker_->device_word() + " cannot compile: " + usable.error().message;
  } else {
    const base::ObjectHash key = maker_->key(order.request);
    if (!load_from_folder(key, entry))
      compile(key, order.request, entry);
  }
  entry.made_ns = since(begin);
}

std::string KernelCache::path_of(const base::ObjectHash& key) const {
  const std::string name = to_string(key);
  return options_.compiler.folder + "/" + name.substr(0, 2) + "/" + name.substr(2) + ".so";
}

bool KernelCache::load_from_folder(const base::ObjectHash& key, KernelEntry& entry) {
  const std::string path = path_of(key);
  if (access(path.c_str(), R_OK) != 0)
    return false;
  if (!is_whole(path, key)) {
    unlink(path.c_str());
    return false;
  }
  auto loaded = maker_->load(path);
  if (!loaded.ok())
    return false;
  static_cast<LoadedKernel&>(entry) = std::move(loaded).value();
  return true;
}

void KernelCache::compile(const base::ObjectHash& key, const KernelRequest& request,
                          KernelEntry& entry) {
  CompileOutcome outcome = maker_->compile(request);
  entry.compiled = true;
  entry.compiler_cpu_ns = outcome.cpu_ns;
  entry.reason = outcome.reason;
  entry.message = std::move(outcome.message);
  if (entry.reason != base::FailureReason::none)
    return;
  const auto object = read_file(outcome.object_path);
  const Trailer trailer = trailer_of(object, key);
  std::ofstream file(outcome.object_path, std::ios::binary | std::ios::app);
  file.write(reinterpret_cast<const char*>(&trailer), sizeof trailer);
  file.close();
  const std::string path = path_of(key);
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  fs::rename(outcome.object_path, path, error);
  auto loaded = maker_->load(error ? outcome.object_path : path);
  if (error)
    unlink(outcome.object_path.c_str());
  if (loaded.ok()) {
    static_cast<LoadedKernel&>(entry) = std::move(loaded).value();
    return;
  }
  unlink(path.c_str());
  entry.reason = base::FailureReason::compile_error;
  entry.message = "the compiled kernel cannot be loaded: " + loaded.error().message;
}

/// Removes what crashed processes left behind, and the oldest kernels beyond the limit.
void KernelCache::clean_folder() const {
  struct Found {
    fs::file_time_type time;
    std::uint64_t bytes;
    fs::path path;
  };
  std::vector<Found> kernels;
  std::uint64_t total = 0;
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  const fs::path folder = options_.compiler.folder;
  for (const fs::path& item : list_folder(folder)) {
    const std::string name = item.filename().string();
    if (name.starts_with("work.") || name.starts_with("new.")) {
      if (now - fs::last_write_time(item, error) > left_over_age)
        fs::remove_all(item, error);
      continue;
    }
    if (name.size() != 2)
      continue;
    for (const fs::path& file : list_folder(item)) {
      kernels.push_back({fs::last_write_time(file, error), fs::file_size(file, error), file});
      total += error ? 0 : kernels.back().bytes;
    }
  }
  std::sort(kernels.begin(), kernels.end(),
            [](const Found& a, const Found& b) { return a.time < b.time; });
  for (const auto& kernel : kernels) {
    if (total <= options_.folder_bytes_max)
      return;
    fs::remove(kernel.path, error);
    total -= kernel.bytes;
  }
}

}  // namespace fastgpu::exec

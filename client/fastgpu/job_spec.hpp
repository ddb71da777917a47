#pragma once

/// What a job is made of, as a user describes it. A value: owned by whoever made it, not for two
/// threads at once. Included by fastgpu/client.hpp.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "fastgpu/expected.hpp"

namespace fastgpu {
inline namespace v1 {

enum class Scalar : std::uint8_t { i32, u32, i64, u64, f32, f64 };
template <class T>
concept ScalarValue = std::is_arithmetic_v<T> && !std::same_as<T, bool> &&
                      (sizeof(T) == 4 || sizeof(T) == 8) && !std::same_as<T, long double>;
/// What `in` and `inout` take: a vector, array or span of plain values.
template <class R>
concept PlainRange = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    std::is_trivially_copyable_v<std::ranges::range_value_t<R>>;

/// What to run: a kernel or a command. Each call adds to it and returns it; arguments are given in
/// the order of the kernel's parameters. Nothing is checked before `Client::submit`, which names
/// what is wrong. In the texts of a command "{}" becomes the task's index and "{n}" the number of
/// tasks.
class JobSpec {
 public:
  JobSpec();
  ~JobSpec();
  JobSpec(const JobSpec& other);
  JobSpec(JobSpec&& other) noexcept;
  JobSpec& operator=(const JobSpec& other);
  JobSpec& operator=(JobSpec&& other) noexcept;

  JobSpec& name(std::string name);
  /// A name expression: `saxpy`, `saxpy<float>`, `ns::k<4>`.
  JobSpec& kernel(std::string name);
  /// CUDA C++ source text.
  JobSpec& source(std::string text);
  JobSpec& grid(std::uint32_t x, std::uint32_t y = 1, std::uint32_t z = 1);
  JobSpec& block(std::uint32_t x, std::uint32_t y = 1, std::uint32_t z = 1);
  /// Dynamic shared memory of a block.
  JobSpec& shared(std::uint32_t bytes);
  JobSpec& define(std::string name, std::string value = "1");
  /// "c++17" (the default) or "c++20".
  JobSpec& standard(std::string standard);
  /// On a CPU device: find the exact thread of an access out of bounds, slowly.
  JobSpec& precise(bool on = true);

  /// A scalar; the type of the value must be the type of the parameter.
  template <ScalarValue T>
  JobSpec& arg(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      return arg_real(sizeof(T) == 4 ? Scalar::f32 : Scalar::f64, value);
    } else if constexpr (std::is_signed_v<T>) {
      return arg_signed(sizeof(T) == 4 ? Scalar::i32 : Scalar::i64, value);
    } else {
      return arg_unsigned(sizeof(T) == 4 ? Scalar::u32 : Scalar::u64, value);
    }
  }
  /// A scalar as text; "{}" becomes the task's index and "{n}" the number of tasks.
  JobSpec& arg_text(Scalar type, std::string text);

  /// A read-only buffer with these values, the same for all tasks. They are copied now.
  template <PlainRange R>
  JobSpec& in(const R& values, std::string name = {}) {
    return in_bytes(std::as_bytes(std::span(values)), std::move(name));
  }
  /// A read-only buffer, one for each task in their order.
  JobSpec& in_each(std::vector<Bytes> data, std::string name = {});
  /// A zeroed buffer that is a result.
  JobSpec& out(std::uint64_t size_bytes, std::string name = {});
  /// A buffer that starts with these values and is a result.
  template <PlainRange R>
  JobSpec& inout(const R& values, std::string name = {}) {
    return inout_bytes(std::as_bytes(std::span(values)), std::move(name));
  }
  JobSpec& inout_each(std::vector<Bytes> data, std::string name = {});
  /// A zeroed buffer that is thrown away.
  JobSpec& scratch(std::uint64_t size_bytes);

  /// A program and its words; the job is a command then.
  JobSpec& command(std::vector<std::string> argv);
  /// A variable of its environment.
  JobSpec& env(std::string name, std::string value);
  /// Where it starts, below its folder.
  JobSpec& cwd(std::string path);
  /// A file, or a folder with all below it, that is there when the command starts: read from this
  /// host at `submit`, found by the command at `path` (default: the file's own name). "{}" in
  /// `file` means one for each task.
  JobSpec& input(std::string file, std::string path = {});
  /// The same with these values as its bytes; they are copied now.
  template <PlainRange R>
  JobSpec& input_data(std::string path, const R& values) {
    return input_bytes(std::move(path), std::as_bytes(std::span(values)));
  }
  /// One for each task in their order.
  JobSpec& input_data_each(std::string path, std::vector<Bytes> data);
  /// A file, or a folder with all below it, that is a result. A command that ends well must leave
  /// it; of one that failed what is there is kept.
  JobSpec& output(std::string path);
  /// Of all its processes together, in bytes. Default: what the host has.
  JobSpec& host_memory(std::uint64_t bytes);
  /// Of its GPU's memory, all its processes together, in bytes; above that it is ended. So much is
  /// set aside for it. Default: what is there, and nothing is set aside.
  JobSpec& device_memory(std::uint64_t bytes);
  /// What it may write into its folder, in bytes. Default: what the node allows.
  JobSpec& disk(std::uint64_t bytes);
  /// May it reach other hosts? Default: yes.
  JobSpec& network(bool on);
  /// How long it goes on while its node hears nothing from the rest of the cluster.
  JobSpec& lease(std::chrono::nanoseconds time);

  /// Nothing of it runs before that job has ended: "ok" well, "fail" in another way, "any" in any.
  /// All that are named must end as asked: once one can not, this job is cancelled.
  JobSpec& after(std::uint64_t job, std::string how = "ok");
  /// A word by which the job is found again: `fastgpu ps --label stage=train`.
  JobSpec& label(std::string name, std::string value);
  /// An array of this many tasks (default 1).
  JobSpec& tasks(std::uint32_t count);
  /// "any" (the default), "gpu", "cpu", or "null", which executes nothing.
  JobSpec& device(std::string kind);
  /// Of one execution of one task. Default: one hour for a kernel, none for a command.
  JobSpec& time_limit(std::chrono::nanoseconds limit);
  /// How often a task that failed by its own fault is tried again. Default 0.
  JobSpec& retries(std::uint32_t count);
  /// How many nodes or executors a task may lose while it runs before it ends as `lost`. Default 5.
  JobSpec& crash_limit(std::uint32_t count);
  /// Queue it even where no present device could ever run it.
  JobSpec& wait_if_infeasible(bool on = true);

  struct Contents;
  const Contents& contents() const { return *contents_; }

 private:
  JobSpec& arg_signed(Scalar type, std::int64_t value);
  JobSpec& arg_unsigned(Scalar type, std::uint64_t value);
  JobSpec& arg_real(Scalar type, double value);
  JobSpec& in_bytes(std::span<const std::byte> data, std::string name);
  JobSpec& inout_bytes(std::span<const std::byte> data, std::string name);
  JobSpec& input_bytes(std::string path, std::span<const std::byte> data);

  std::unique_ptr<Contents> contents_;
};

}  // namespace v1
}  // namespace fastgpu

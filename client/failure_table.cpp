#include "client/failure_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fastgpu::client {
namespace {

constexpr std::array<FailureRow, 21> rows{{
    {6101, "exit_code", "the command ended by itself with an exit code other than 0",
     "read what it printed: `fastgpu logs JOB`"},
    {6102, "signal", "a signal ended the command: it crashed, or something killed it",
     "read what it printed; 11 is a bad memory access, 9 a kill from outside"},
    {6103, "compile_error", "the kernel's source does not compile; the message is the compiler's",
     "mend the named line"},
    {6104, "bad_kernel", "the source has no kernel of that name, or its launch is impossible",
     "name a kernel that the message lists, as in `saxpy<float>`; build an image for the device"},
    {6105, "bad_argument", "an argument does not fit the kernel's parameter",
     "mend the named `--arg`: its place, type and size"},
    {6106, "out_of_bounds", "the kernel used memory outside its buffers",
     "run it again with `--device cpu --precise`, which names the exact thread"},
    {6107, "kernel_assert", "an assertion in the kernel failed",
     "mend what it asserts; the message names the line"},
    {6108, "barrier_deadlock", "threads of a block wait at a barrier that others never reach",
     "let all threads of the block reach every `__syncthreads()`"},
    {6109, "cuda_error", "the GPU or its driver reported an error; the message names it",
     "run it again with `--device cpu` to see whether the kernel is to blame"},
    {6110, "cuda_out_of_memory", "the device has too little memory for the task",
     "use smaller buffers, more tasks, or a device with more memory; a command: raise `--gpu-mem`"},
    {6111, "host_out_of_memory", "the command used more memory of its host than it may",
     "raise `--mem`, or use less"},
    {6112, "disk_full", "the command wrote more than it may, or the node's disk is full",
     "raise `--disk`, write less, or free room on the node"},
    {6113, "time_limit", "the task ran longer than its limit and was ended",
     "raise `--time-limit`, or make it faster"},
    {6114, "input_missing", "no live node holds an input of the task",
     "submit the job again with its inputs"},
    {6115, "output_missing", "the command ended well and left no file of that name",
     "mend the path of `--out`, or the command"},
    {6116, "staging_failed", "inputs or outputs could not be moved",
     "look at the node's disk; it is tried again by itself"},
    {6117, "node_lost", "the node died or was cut off under the task",
     "look at `fastgpu node list`; it is tried again by itself up to the crash limit"},
    {6118, "device_lost", "the device stopped working", "look at the device; others are used"},
    {6119, "executor_crash", "the device's process died twice while only this task ran",
     "run it again with `--device cpu --precise`; report it if the kernel is right"},
    {6120, "cancelled", "somebody cancelled it, or it waited for a job that did not end as asked",
     "submit it again if that was a mistake"},
    {6121, "not_supported_on_device", "the kernel uses what this device does not have",
     "run it with `--device gpu`, or do without"},
}};

}  // namespace

std::span<const FailureRow> failure_table() {
  return rows;
}

const FailureRow* find_failure(base::FailureReason reason) {
  const std::string_view word = base::to_word(reason);
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [word](const FailureRow& each) { return each.name == word; });
  return row == rows.end() ? nullptr : &*row;
}

const FailureRow* find_failure(std::string_view text) {
  const auto row = std::find_if(rows.begin(), rows.end(), [text](const FailureRow& each) {
    const std::string code = code_text(each);
    return text == code || text == "fg" + code.substr(2) || text == code.substr(2);
  });
  return row == rows.end() ? nullptr : &*row;
}

std::string code_text(const FailureRow& row) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "FG%04u", static_cast<unsigned>(row.number));
  return text.data();
}

std::string code_text(base::FailureReason reason) {
  const FailureRow* row = find_failure(reason);
  return row == nullptr ? std::string() : code_text(*row);
}

std::string help_of(const FailureRow& row) {
  std::string text = code_text(row) + "  " + row.name + " (why a task failed)\n  meaning     " +
                     row.meaning + "\n  what to do  " + row.remedy + "\n";
  std::erase(text, '`');  // Markdown's marks mean nothing on a terminal
  return text;
}

std::string failure_page_table() {
  std::string text = "| code | reason | meaning | what to do |\n| --- | --- | --- | --- |\n";
  for (const FailureRow& row : rows) {
    const std::string code = code_text(row);
    text += "| " + code + " | `" + row.name + "` | <a id=\"fg" + code.substr(2) + "\"></a>" +
            row.meaning + " | " + row.remedy + " |\n";
  }
  return text;
}

}  // namespace fastgpu::client

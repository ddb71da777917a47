#include "client/error_table.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

namespace fastgpu::client {
namespace {

constexpr std::array<ErrorRow, 50> rows{{
    {1001, "usage", "the command line is wrong", "`fastgpu help` shows the right one"},
    {1002, "bad_job_spec", "the job's description contradicts itself or lacks something",
     "mend the named field"},
    {1003, "bad_argument", "an argument or path is malformed or does not fit its place",
     "mend the named argument"},
    {1004, "too_large", "a limit of size is exceeded; the message names it",
     "make it smaller, or pass it as a buffer or file"},
    {1005, "file_not_found", "a file named on the command line cannot be read or written",
     "mend the path or its permissions"},
    {2101, "infeasible", "no device present could ever run this",
     "ask for less; the message names the nearest match"},
    {2201, "overloaded", "a queue is full",
     "wait and try again; the client library does so by itself"},
    {2202, "disk_full", "a disk of the node has too little room left",
     "free some, or let other nodes do it"},
    {3001, "not_found", "no such job, task, node or object",
     "look with `fastgpu ps` or `fastgpu node list`"},
    {3002, "already_finished", "the job has ended and cannot be changed",
     "nothing: `fastgpu show` tells how it ended"},
    {3003, "name_taken", "a node of this name is a member already", "choose another name"},
    {3004, "conflict", "another change came first", "look at the present state, then decide again"},
    {3005, "version_skew", "the other side speaks another version of the protocol",
     "bring both to the same release"},
    {3006, "wrong_cluster", "the other side belongs to another cluster",
     "check the addresses and the join token"},
    {4001, "no_node_reachable", "none of the given nodes answers",
     "check that one runs, and its address"},
    {4002, "no_majority", "too few replicas of the shard are alive to accept anything",
     "bring nodes back"},
    {4003, "timeout", "no answer in time; it may have happened all the same",
     "ask again; the request id makes it safe"},
    {4004, "shard_unavailable", "the node that leads the shard is not reachable now",
     "wait: it is retried when the node is back"},
    {4005, "object_missing", "no live node holds these bytes",
     "bring their holders back, or submit anew"},
    {4006, "output_missing", "the command ended well and left no such file",
     "mend the path, or the command"},
    {4007, "node_down", "the node that was asked for is down",
     "bring it back; what it keeps is on its disk"},
    {5001, "denied", "the token is wrong, or its role does not allow this", "use the right token"},
    {5002, "listen_refused", "an address off the loopback was asked for without keys",
     "listen on 127.0.0.1"},
    {6001, "job_failed", "a task failed by itself; its reason stands beside it",
     "`fastgpu why` names task, reason and remedy"},
    {6002, "job_cancelled", "somebody cancelled it, or a job that it waits for ended otherwise",
     "submit it again if that was a mistake"},
    {6003, "job_timed_out", "a task ran longer than its limit",
     "raise `--time-limit`, or make it faster"},
    {6004, "job_lost", "nodes died under it more often than it may be retried",
     "look at the nodes, then submit again"},
    {6101, "exit_code", "the command ended by itself with an exit code other than 0",
     "read what it printed: `fastgpu logs JOB`"},
    {6102, "signal", "a signal ended the command: it crashed, or something killed it",
     "read what it printed; 11 is a bad memory access, 9 a kill from outside"},
    {6103, "compile_error", "the kernel's source does not compile; the message is the compiler's",
     "mend the named line"},
    {6104, "bad_kernel", "the source has no kernel of that name, or its launch is impossible",
     "name a kernel that the message lists, as the compiler writes it: `saxpy<float>`"},
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
     "use smaller buffers, more tasks, or a device with more memory"},
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
    {6120, "cancelled", "somebody cancelled it", "submit it again if that was a mistake"},
    {6121, "not_supported_on_device", "the kernel uses what this device does not have",
     "run it with `--device gpu`, or do without"},
    {9001, "internal", "FastGPU broke one of its own rules", "report it with the node's log"},
    {9002, "corrupt", "stored or received bytes fail their checksum", "check the disk; report it"},
}};

}  // namespace

std::span<const ErrorRow> error_table() {
  return rows;
}

const ErrorRow* find_error(std::string_view code) {
  const bool marked = code.size() > 2 && std::toupper(static_cast<unsigned char>(code[0])) == 'F' &&
                      std::toupper(static_cast<unsigned char>(code[1])) == 'G';
  const std::string_view digits = marked ? code.substr(2) : code;
  std::uint16_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc{} || end != digits.data() + digits.size()) {
    return nullptr;
  }
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [number](const ErrorRow& each) { return each.number == number; });
  return row == rows.end() ? nullptr : &*row;
}

const ErrorRow* row_of(base::FailureReason reason) {
  const std::string_view word = base::to_word(reason);
  const auto row = std::find_if(rows.begin(), rows.end(), [word](const ErrorRow& each) {
    return each.number / 100 == 61 && each.name == word;
  });
  return row == rows.end() ? nullptr : &*row;
}

std::string code_text(std::uint16_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "FG%04u", static_cast<unsigned>(number));
  return text.data();
}

std::string code_text(base::FailureReason reason) {
  const ErrorRow* row = row_of(reason);
  return row == nullptr ? std::string() : code_text(row->number);
}

}  // namespace fastgpu::client

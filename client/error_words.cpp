#include "client/error_words.hpp"

#include "client/error_table.hpp"

namespace fastgpu::client {
namespace {

struct Words {
  const char* kind;
  int exit_code;
};

Words words_of(const base::Error& error) {
  using base::ErrorCode;
  switch (error.code) {
    case ErrorCode::usage:
    case ErrorCode::bad_job_spec:
    case ErrorCode::bad_argument:
    case ErrorCode::too_large:
    case ErrorCode::file_not_found:
      return {"usage", 2};
    case ErrorCode::not_found:
    case ErrorCode::object_missing:
    case ErrorCode::output_missing:
      return {"not_found", 3};
    case ErrorCode::already_finished:
    case ErrorCode::name_taken:
    case ErrorCode::conflict:
    case ErrorCode::version_skew:
    case ErrorCode::wrong_cluster:
      return {"conflict", 4};
    case ErrorCode::denied:
    case ErrorCode::listen_refused:
      return {"denied", 5};
    case ErrorCode::no_node_reachable:
    case ErrorCode::no_majority:
    case ErrorCode::shard_unavailable:
    case ErrorCode::node_down:
      return {"unreachable", 6};
    case ErrorCode::infeasible:
      return {"infeasible", 7};
    case ErrorCode::overloaded:
    case ErrorCode::disk_full:
      return {"overloaded", 9};
    case ErrorCode::job_failed:
      return {"job_failed", 10};
    case ErrorCode::job_cancelled:
      return {"job_cancelled", 11};
    case ErrorCode::job_timed_out:
      return {"job_timed_out", 12};
    case ErrorCode::job_lost:
      return {"job_lost", 13};
    case ErrorCode::timeout:
      // A node that did not answer, or the caller's own time: the kind tells them apart.
      return error.kind == base::ErrorKind::rejected ? Words{"timeout", 124}
                                                     : Words{"unreachable", 6};
    case ErrorCode::none:
    case ErrorCode::internal:
    case ErrorCode::corrupt:
      break;
  }
  return {"internal", 1};
}

}  // namespace

std::string code_text(base::ErrorCode code) {
  return code_text(static_cast<std::uint16_t>(code));
}

const char* kind_word(const base::Error& error) {
  return words_of(error).kind;
}

int exit_code(const base::Error& error) {
  return words_of(error).exit_code;
}

int exit_code(protocol::TaskState state) {
  switch (state) {
    case protocol::TaskState::failed:
      return 10;
    case protocol::TaskState::cancelled:
      return 11;
    case protocol::TaskState::timed_out:
      return 12;
    case protocol::TaskState::lost:
      return 13;
    case protocol::TaskState::pending:
    case protocol::TaskState::running:
    case protocol::TaskState::succeeded:
      break;
  }
  return 0;
}

v1::Error to_public(const base::Error& error) {
  return {code_text(error.code), kind_word(error), error.message, error.hint,
          error.kind == base::ErrorKind::unknown};
}

base::Error time_is_over(const std::string& what) {
  return {base::ErrorKind::rejected, base::ErrorCode::timeout, what,
          "the job goes on: wait again, with more time"};
}

}  // namespace fastgpu::client

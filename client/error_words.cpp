#include "client/error_words.hpp"

namespace fastgpu::client {
namespace {

ErrorClass class_of(const base::Error& error) {
  if (error.code == base::ErrorCode::timeout && error.kind == base::ErrorKind::rejected) {
    return {"timeout", 124};  // the caller's own time; else a node did not answer
  }
  const ErrorRow* row = find_error(error.code);
  return row == nullptr ? ErrorClass{"internal", 1} : *row->what;
}

}  // namespace

const char* kind_word(const base::Error& error) {
  return class_of(error).word;
}

int exit_code(const base::Error& error) {
  return class_of(error).exit_code;
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

std::optional<base::Error> error_of(const protocol::JobSummary& job) {
  using base::ErrorCode;
  ErrorCode code = ErrorCode::none;
  switch (job.state) {
    case protocol::TaskState::failed:
      code = ErrorCode::job_failed;
      break;
    case protocol::TaskState::cancelled:
      code = ErrorCode::job_cancelled;
      break;
    case protocol::TaskState::timed_out:
      code = ErrorCode::job_timed_out;
      break;
    case protocol::TaskState::lost:
      code = ErrorCode::job_lost;
      break;
    case protocol::TaskState::pending:
    case protocol::TaskState::running:
    case protocol::TaskState::succeeded:
      return std::nullopt;
  }
  const std::string id = base::to_string(job.job);
  return base::Error{base::ErrorKind::rejected, code,
                     "job " + id + " has ended as " + protocol::to_word(job.state),
                     "fastgpu show " + id + " tells which tasks, and why"};
}

base::Error time_is_over(const std::string& what) {
  return {base::ErrorKind::rejected, base::ErrorCode::timeout, what,
          "the job goes on: wait again, with more time"};
}

}  // namespace fastgpu::client

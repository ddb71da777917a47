#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

#include "runtime/session/request_check.hpp"
#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using testing::HasSubstr;
using Spec = protocol::JobSpec;

base::Bytes bytes(std::size_t size) {
  return base::Bytes::copy_of(std::string_view(std::string(size, 'x')));
}

/// A command that passes every check.
Spec good_command() {
  Spec spec;
  spec.name = "my_script.py";
  spec.tasks = 3;
  spec.command.argv = {"python3", "my_script.py", "--seed", "{}"};
  spec.command.environment = {{"SEED", "{}"}};
  spec.command.inputs = {{"my_script.py", false, {bytes(10)}},
                         {"data/{}.csv", false, {bytes(1), bytes(2), bytes(3)}}};
  spec.command.outputs = {"result-{}.csv", "plots"};
  return spec;
}

struct Wrong {
  std::string what;
  std::function<void(Spec&)> spoil;
  ErrorCode code;
  std::string says;  ///< that the message must give
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.what;
}

class CommandCheckTable : public testing::TestWithParam<Wrong> {};

TEST_P(CommandCheckTable, RefusesWithItsReasonAndARemedy) {
  Spec spec = good_command();
  GetParam().spoil(spec);
  const base::Status status = check_spec(spec);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::invalid);
  EXPECT_EQ(status.error().code, GetParam().code);
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().says));
  EXPECT_FALSE(status.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, CommandCheckTable,
    testing::Values(
        Wrong{"a kernel as well", [](Spec& s) { s.kernel.name = "k"; }, ErrorCode::bad_job_spec,
              "kernel and a command"},
        Wrong{"no program", [](Spec& s) { s.command.argv[0].clear(); }, ErrorCode::bad_job_spec,
              "first word"},
        Wrong{"NUL in a word", [](Spec& s) { s.command.argv[2].push_back('\0'); },
              ErrorCode::bad_job_spec, "word 2"},
        Wrong{"too many words", [](Spec& s) { s.command.argv.resize(4097, "x"); },
              ErrorCode::too_large, "4097"},
        Wrong{"too long words", [](Spec& s) { s.command.argv[1].assign(66'000, 'a'); },
              ErrorCode::too_large, "65536"},
        Wrong{"no variable", [](Spec& s) { s.command.environment[0].first = "A-B"; },
              ErrorCode::bad_job_spec, "A-B"},
        Wrong{"a variable of ours",
              [](Spec& s) { s.command.environment[0].first = "FASTGPU_JOB_ID"; },
              ErrorCode::bad_job_spec, "FASTGPU_JOB_ID"},
        Wrong{"a variable twice",
              [](Spec& s) {
                s.command.environment.push_back({"SEED", "1"});
              },
              ErrorCode::bad_job_spec, "twice"},
        Wrong{"an input outside", [](Spec& s) { s.command.inputs[0].path = "../x"; },
              ErrorCode::bad_argument, "../x"},
        Wrong{"an output outside", [](Spec& s) { s.command.outputs[0] = "/etc/passwd"; },
              ErrorCode::bad_argument, "/etc/passwd"},
        Wrong{"it starts outside", [](Spec& s) { s.command.cwd = "a/../.."; },
              ErrorCode::bad_argument, "a/../.."},
        Wrong{"one path for two inputs",
              [](Spec& s) { s.command.inputs[1].path = s.command.inputs[0].path; },
              ErrorCode::bad_job_spec, "my_script.py"},
        Wrong{"an input below a file",
              [](Spec& s) { s.command.inputs[1].path = s.command.inputs[0].path + "/a/b"; },
              ErrorCode::bad_job_spec, "lies below"},
        Wrong{"an output twice", [](Spec& s) { s.command.outputs[1] = s.command.outputs[0]; },
              ErrorCode::bad_job_spec, "twice"},
        Wrong{"data for two of three tasks", [](Spec& s) { s.command.inputs[1].data.pop_back(); },
              ErrorCode::bad_argument, "2"},
        Wrong{"inline data over its limit",
              [](Spec& s) { s.command.inputs[0].data = {bytes(4097)}; }, ErrorCode::too_large,
              "4097"},
        Wrong{"a folder over the limit",
              [](Spec& s) { s.command.folder_bytes_max = limits::command_folder_bytes_max + 1; },
              ErrorCode::too_large, "folder"},
        Wrong{"a lease too short", [](Spec& s) { s.lease_ns = 1; }, ErrorCode::bad_job_spec,
              "lease"},
        Wrong{"a lease too long",
              [](Spec& s) { s.lease_ns = limits::lease_command_max.count() + 1; },
              ErrorCode::bad_job_spec, "lease"},
        Wrong{"too many jobs to wait for", [](Spec& s) { s.after.resize(257); },
              ErrorCode::too_large, "257"},
        Wrong{"the null device", [](Spec& s) { s.request.kind = protocol::DeviceKind::null; },
              ErrorCode::bad_job_spec, "null"}));

TEST(CommandCheck, AcceptsAGoodCommand) {
  EXPECT_TRUE(check_spec(good_command()).ok());
}

TEST(CommandCheck, AcceptsAJobThatWaitsForOthers) {
  Spec spec = good_command();
  spec.after = {{{17}, protocol::DependencyKind::ok}, {{18}, protocol::DependencyKind::fail}};
  EXPECT_TRUE(check_spec(spec).ok());
}

TEST(CommandCheck, AcceptsACommandWithoutFiles) {
  Spec spec;
  spec.command.argv = {"nvidia-smi"};
  EXPECT_TRUE(check_spec(spec).ok());
}

TEST(CommandCheck, RefusesMoreReferencesThanALogEntryHolds) {
  Spec spec = good_command();
  spec.tasks = 50'000;
  spec.command.inputs[1].data.assign(spec.tasks, protocol::ObjectRef{{{1}}, 100, {2}});
  const base::Status status = check_spec(spec);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace fastgpu::session::test

#include "runtime/session/request_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using testing::HasSubstr;

struct Wrong {
  std::string what;
  std::function<void(protocol::JobSpec&)> spoil;
  ErrorCode code;
  std::string number;  ///< that the message must give
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.what;
}

protocol::ScalarArgument& scalar(protocol::JobSpec& spec) {
  return std::get<protocol::ScalarArgument>(spec.kernel.arguments[0]);
}
protocol::BufferArgument& buffer(protocol::JobSpec& spec, std::size_t position) {
  return std::get<protocol::BufferArgument>(spec.kernel.arguments[position]);
}

class SpecCheckTable : public testing::TestWithParam<Wrong> {};

TEST_P(SpecCheckTable, RefusesWithItsNumberAndARemedy) {
  protocol::JobSpec spec = good_spec();
  GetParam().spoil(spec);
  const base::Status status = check_spec(spec);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::invalid);
  EXPECT_EQ(status.error().code, GetParam().code);
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().number));
  EXPECT_FALSE(status.error().hint.empty());
}

using Spec = protocol::JobSpec;

INSTANTIATE_TEST_SUITE_P(
    All, SpecCheckTable,
    testing::Values(
        Wrong{"no kernel", [](Spec& s) { s.kernel.name.clear(); }, ErrorCode::bad_job_spec, ""},
        Wrong{"no source", [](Spec& s) { s.kernel.source = {}; }, ErrorCode::bad_job_spec, ""},
        Wrong{"long name", [](Spec& s) { s.name.assign(257, 'a'); }, ErrorCode::too_large, "257"},
        Wrong{"long kernel name", [](Spec& s) { s.kernel.name.assign(257, 'a'); },
              ErrorCode::too_large, "257"},
        Wrong{"no tasks", [](Spec& s) { s.tasks = 0; }, ErrorCode::bad_job_spec, "0 tasks"},
        Wrong{"too many tasks", [](Spec& s) { s.tasks = 10'000'001; }, ErrorCode::bad_job_spec,
              "10000001"},
        Wrong{"no time", [](Spec& s) { s.time_limit_ns = 0; }, ErrorCode::bad_job_spec, "0 ns"},
        Wrong{"block of 1025",
              [](Spec& s) {
                s.kernel.block = {1025, 1, 1};
              },
              ErrorCode::bad_job_spec, "1025"},
        Wrong{"block of 32 x 33",
              [](Spec& s) {
                s.kernel.block = {32, 33, 1};
              },
              ErrorCode::bad_job_spec, "32 x 33"},
        Wrong{"sides whose product overflows",
              [](Spec& s) {
                s.kernel.block = {0x10000, 0x10000, 1};
              },
              ErrorCode::bad_job_spec, "65536"},
        Wrong{"deep block",
              [](Spec& s) {
                s.kernel.block = {1, 1, 65};
              },
              ErrorCode::bad_job_spec, "65"},
        Wrong{"empty block",
              [](Spec& s) {
                s.kernel.block = {1, 0, 1};
              },
              ErrorCode::bad_job_spec, "1 x 0"},
        Wrong{"wide grid",
              [](Spec& s) {
                s.kernel.grid = {0x80000000, 1, 1};
              },
              ErrorCode::bad_job_spec, "2147483648"},
        Wrong{"high grid",
              [](Spec& s) {
                s.kernel.grid = {1, 65536, 1};
              },
              ErrorCode::bad_job_spec, "65536"},
        Wrong{"empty grid",
              [](Spec& s) {
                s.kernel.grid = {0, 1, 1};
              },
              ErrorCode::bad_job_spec, "0 x 1"},
        Wrong{"much shared memory", [](Spec& s) { s.kernel.shared_bytes = (227u << 10) + 1; },
              ErrorCode::bad_job_spec, "232449"},
        Wrong{"old standard", [](Spec& s) { s.kernel.standard = "c++14"; }, ErrorCode::bad_job_spec,
              "c++14"},
        Wrong{"define with a blank",
              [](Spec& s) {
                s.kernel.defines = {{"A B", "1"}};
              },
              ErrorCode::bad_job_spec, "A B"},
        Wrong{"define that is a number",
              [](Spec& s) {
                s.kernel.defines = {{"1A", "1"}};
              },
              ErrorCode::bad_job_spec, "1A"},
        Wrong{"large source",
              [](Spec& s) {
                s.kernel.source = base::Bytes::copy_of(std::string_view(std::string(70'000, ' ')));
              },
              ErrorCode::too_large, "70"},
        Wrong{"no number", [](Spec& s) { scalar(s).text = "ten"; }, ErrorCode::bad_argument, "ten"},
        Wrong{"number out of range", [](Spec& s) { scalar(s).text = "2147483648"; },
              ErrorCode::bad_argument, "2147483648"},
        Wrong{"number with a tail", [](Spec& s) { scalar(s).text = "12x"; },
              ErrorCode::bad_argument, "12x"},
        Wrong{"fraction for an integer", [](Spec& s) { scalar(s).text = "1.5"; },
              ErrorCode::bad_argument, "1.5"},
        Wrong{"right for task 0, out of range for the last",
              [](Spec& s) {
                scalar(s).text = "21474836{}";
                s.tasks = 101;
              },
              ErrorCode::bad_argument, "21474836100"},
        Wrong{"65 arguments", [](Spec& s) { s.kernel.arguments.resize(65, s.kernel.arguments[0]); },
              ErrorCode::bad_argument, "65"},
        Wrong{"data for 2 of 3 tasks",
              [](Spec& s) { buffer(s, 1).data.push_back(buffer(s, 1).data[0]); },
              ErrorCode::bad_argument, "2 tasks"},
        Wrong{"no data", [](Spec& s) { buffer(s, 1).data.clear(); }, ErrorCode::bad_argument, "0"},
        Wrong{"data in an output", [](Spec& s) { buffer(s, 2).data = buffer(s, 1).data; },
              ErrorCode::bad_argument, "out"},
        Wrong{"output of no size", [](Spec& s) { buffer(s, 2).size_bytes = 0; },
              ErrorCode::bad_argument, "0 bytes"},
        Wrong{"output beyond an object",
              [](Spec& s) { buffer(s, 2).size_bytes = limits::object_bytes_max + 1; },
              ErrorCode::too_large, "17179869185"},
        Wrong{"size that is not its data's", [](Spec& s) { buffer(s, 1).size_bytes = 5; },
              ErrorCode::bad_argument, "5"},
        Wrong{"inline data over its limit",
              [](Spec& s) {
                buffer(s, 1).data = {
                    base::Bytes::copy_of(std::string_view(std::string(4097, 'x')))};
                buffer(s, 1).size_bytes = 4097;
              },
              ErrorCode::too_large, "4097"},
        Wrong{"long buffer name", [](Spec& s) { buffer(s, 1).name.assign(257, 'b'); },
              ErrorCode::too_large, "257"},
        Wrong{"asks for less memory than it takes", [](Spec& s) { s.request.memory_bytes = 19; },
              ErrorCode::bad_job_spec, "19"},
        Wrong{"too many labels",
              [](Spec& s) {
                for (int i = 0; i < 33; ++i) {
                  s.labels.emplace_back("l" + std::to_string(i), "");
                }
              },
              ErrorCode::too_large, "33"},
        Wrong{"a label twice",
              [](Spec& s) {
                s.labels = {{"a", "1"}, {"a", "2"}};
              },
              ErrorCode::bad_job_spec, "'a'"},
        Wrong{"a label without a name",
              [](Spec& s) {
                s.labels = {{"", "1"}};
              },
              ErrorCode::bad_job_spec, "''"},
        Wrong{"a long name of a label",
              [](Spec& s) {
                s.labels = {{std::string(65, 'a'), "1"}};
              },
              ErrorCode::too_large, "65"},
        Wrong{"a long value of a label",
              [](Spec& s) {
                s.labels = {{"a", std::string(257, 'v')}};
              },
              ErrorCode::too_large, "257"},
        Wrong{"a label of two lines",
              [](Spec& s) {
                s.labels = {{"a", "1\n2"}};
              },
              ErrorCode::bad_job_spec, "'a'"},
        Wrong{"tasks to do again that are not there",
              [](Spec& s) {
                s.items = {{424}, {{199, 3}}, 200};
              },
              ErrorCode::bad_job_spec, "199"},
        Wrong{"tasks to do again that overlap",
              [](Spec& s) {
                s.items = {{424}, {{5, 2}, {6, 1}}, 200};
              },
              ErrorCode::bad_job_spec, "6"},
        Wrong{"fewer tasks to do again than the job has",
              [](Spec& s) {
                s.items = {{424}, {{5, 2}}, 200};
              },
              ErrorCode::bad_job_spec, "2"},
        Wrong{"tasks to do again in too many pieces",
              [](Spec& s) {
                s.tasks = 4097;
                for (std::uint32_t i = 0; i < s.tasks; ++i) {
                  s.items.ranges.push_back({2 * i, 1});
                }
                s.items.count = 10'000;
              },
              ErrorCode::too_large, "4097"}));

TEST(SpecCheck, AcceptsAGoodJob) {
  EXPECT_TRUE(check_spec(good_spec()).ok());
}

TEST(SpecCheck, AcceptsLabelsAndTasksToDoAgain) {
  protocol::JobSpec spec = good_spec();
  spec.labels = {{"stage", "train"}, {"team/owner", ""}};
  spec.items = {{424}, {{3, 1}, {7, 2}}, 200};
  scalar(spec).text = "{}";
  EXPECT_TRUE(check_spec(spec).ok());
}

TEST(SpecCheck, AcceptsEveryLimitItself) {
  protocol::JobSpec spec = good_spec();
  spec.name.assign(256, 'a');
  spec.tasks = limits::array_tasks_max;
  spec.time_limit_ns = 1;
  spec.kernel.block = {1024, 1, 1};
  spec.kernel.grid = {0x7fffffff, 65535, 65535};
  spec.kernel.shared_bytes = 227u << 10;
  spec.kernel.standard = "c++20";
  scalar(spec).text = "{}";
  EXPECT_TRUE(check_spec(spec).ok());
}

TEST(SpecCheck, AcceptsDataForEachTask) {
  protocol::JobSpec spec = good_spec();
  const protocol::ObjectRef object{{{1}}, 100, {2}};
  buffer(spec, 1).data = {object, object, base::Bytes::copy_of(std::string_view("xy"))};
  buffer(spec, 1).size_bytes = 100;
  spec.request.memory_bytes = 116;
  EXPECT_TRUE(check_spec(spec).ok());
}

TEST(SpecCheck, RefusesMoreReferencesThanALogEntryHolds) {
  protocol::JobSpec spec = good_spec();
  spec.tasks = 50'000;
  buffer(spec, 1).data.assign(spec.tasks, protocol::ObjectRef{{{1}}, 100, {2}});
  buffer(spec, 1).size_bytes = 100;
  spec.request.memory_bytes = 116;
  const base::Status status = check_spec(spec);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace fastgpu::session::test

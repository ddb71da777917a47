#include "node/cli/text/copies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "node/cli/selector.hpp"

namespace fastgpu::cli {
namespace {

using testing::HasSubstr;

/// Two tasks, each with these outputs; every one holds its own name.
protocol::JobDetail with_outputs(const std::vector<std::vector<std::string>>& tasks) {
  protocol::JobDetail detail;
  detail.summary.job = {17};
  protocol::JobSpec spec;
  spec.command.argv = {"./solve"};
  spec.tasks = static_cast<std::uint32_t>(tasks.size());
  detail.spec = {std::make_shared<const protocol::JobSpec>(spec)};
  for (std::uint32_t task = 0; task < spec.tasks; ++task) {
    protocol::TaskReport report{{task, 1}, {}};
    for (const std::string& name : tasks[task]) {
      report.outcome.outputs.push_back(base::Bytes::copy_of(std::string_view(name)));
      report.outcome.command.output_paths.push_back(name);
    }
    detail.reports.push_back(report);
  }
  return detail;
}

/// "name>to" of each.
std::vector<std::string> copied(const protocol::JobDetail& detail, const std::string& path) {
  std::vector<std::string> all;
  const auto copies = copies_of(detail, path);
  if (!copies.ok()) {
    return {copies.error().message};
  }
  for (const Copy& copy : copies.value()) {
    all.push_back(copy.name + ">" + copy.to);
  }
  return all;
}

using Files = std::vector<std::string>;

TEST(Copies, AreOfOneFileWhereItIsNamed) {
  const auto detail = with_outputs({{"part-0", "log/a"}, {"part-1"}});
  EXPECT_EQ(copied(detail, "part-1"), (Files{"part-1>"}));
  EXPECT_EQ(copied(detail, "./log/a"), (Files{"log/a>"}));
}

TEST(Copies, OfAFolderAreAllFilesBelowIt) {
  const auto detail = with_outputs({{"out/a", "out/b/c", "other"}, {"out/d", "outer/e"}});
  EXPECT_EQ(copied(detail, "out"), (Files{"out/a>a", "out/b/c>b/c", "out/d>d"}));
  EXPECT_EQ(copied(detail, "out/"), (Files{"out/a>a", "out/b/c>b/c", "out/d>d"}));
  EXPECT_EQ(copied(detail, ".").size(), 5u);
  EXPECT_EQ(copied(detail, "").size(), 5u);
}

TEST(Copies, AreRefusedWhereSeveralTasksHaveTheFile) {
  const auto detail = with_outputs({{"same", "out/x"}, {"same", "out/x"}});
  for (const char* path : {"same", "out"}) {
    const auto copies = copies_of(detail, path);
    ASSERT_FALSE(copies.ok());
    EXPECT_EQ(copies.error().code, base::ErrorCode::usage);
    EXPECT_THAT(copies.error().hint, HasSubstr("17.3:"));
  }
}

TEST(Copies, NameWhatThereIsWhereTheFileIsNot) {
  const auto copies = copies_of(with_outputs({{"a", "b"}}), "c");
  ASSERT_FALSE(copies.ok());
  EXPECT_EQ(copies.error().code, base::ErrorCode::not_found);
  EXPECT_THAT(copies.error().hint, HasSubstr("a, b"));
}

TEST(Copies, NeverLeaveTheFolderTheyGoTo) {
  EXPECT_FALSE(copies_of(with_outputs({{"out/a", "out/../../../etc/x"}}), ".").ok());
}

TEST(Copies, SayWhichJobStandsInFrontOfTheColon) {
  EXPECT_EQ(parse_job_path("17:y.f32"), (JobPath{"17", "y.f32"}));
  EXPECT_EQ(parse_job_path("17.3:out/y"), (JobPath{"17.3", "out/y"}));
  EXPECT_EQ(parse_job_path("last:"), (JobPath{"last", ""}));
  EXPECT_EQ(parse_job_path("@a:b:c"), (JobPath{"@a", "b:c"}));
  EXPECT_EQ(parse_job_path("y.f32"), std::nullopt);
  EXPECT_EQ(parse_job_path("host:y"), std::nullopt);
}

}  // namespace
}  // namespace fastgpu::cli

#include "node/cli/text/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/render_samples.hpp"

namespace fastgpu::cli::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines(const std::vector<Event>& events) {
  std::vector<std::string> all;
  for (const Event& event : events) {
    all.push_back(line_of(event));
  }
  return all;
}

/// Task 0 ran once; task 1 twice, and failed.
protocol::JobDetail retried() {
  protocol::JobDetail detail = finished();
  detail.attempts = {{{{0}, {1}, {3}, 42}, {{0, 2}}, {{1}, 0}, protocol::PlaceCause::first},
                     {{{0}, {1}, {3}, 43}, {{1, 1}}, {{2}, 0}, protocol::PlaceCause::node_failure}};
  detail.reports[1].outcome.message = "thread 7 wrote outside\nof its buffer";
  return detail;
}

TEST(Events, TellAJobInOrderAndTimesOnlyWhereTheyAreRecorded) {
  const Names names{cluster()};
  JobEvents job(names);
  EXPECT_THAT(
      lines(job.news(retried())),
      ElementsAre(
          "2026-01-31T11:59:50.000Z  job 17  submitted: saxpy, 2 tasks\n",
          "-                         job 17  task 0-1  placed on n1 cpu:0\n",
          "-                         job 17  task 1  placed on n2 cpu:0 again, since its node or "
          "device was lost\n",
          "-                         job 17  task 0  succeeded on n1 cpu:0\n",
          "-                         job 17  task 1  failed on n2 cpu:0: out_of_bounds: thread 7 "
          "wrote outside\n",
          "2026-01-31T11:59:52.500Z  job 17  ended as failed: 1 succeeded, 1 failed of 2\n"));
}

TEST(Events, AreToldOnce) {
  const Names names{cluster()};
  JobEvents job(names);
  protocol::JobDetail early = retried();
  early.summary.state = protocol::TaskState::running;
  early.summary.finished_at_ms = 0;
  early.reports.resize(1);
  early.attempts.resize(1);
  EXPECT_EQ(job.news(early).size(), 3u);
  EXPECT_THAT(job.news(early), IsEmpty());
  EXPECT_EQ(job.news(retried()).size(), 3u);
  EXPECT_THAT(job.news(retried()), IsEmpty());
}

TEST(Events, OfTasksAreToldOnceHoweverTheyAreReported) {
  const Names names{cluster()};
  JobEvents job(names);
  protocol::JobDetail detail;
  detail.summary.job = {7};
  detail.summary.state = protocol::TaskState::running;
  const auto ended = [&](std::vector<base::TaskRange> ranges) {
    detail.reports.clear();
    for (const base::TaskRange& range : ranges) {
      detail.reports.push_back({range, {}});
    }
    return job.news(detail);
  };
  ended({{1, 1}, {4, 2}});
  const auto more = ended({{0, 8}});
  ASSERT_EQ(more.size(), 1u);
  EXPECT_EQ(more[0].tasks, (std::vector<base::TaskRange>{{0, 1}, {2, 2}, {6, 2}}));
}

TEST(Events, OfOneTaskAreThoseThatConcernIt) {
  const Names names{cluster()};
  JobEvents job(names, 0);
  const auto all = job.news(retried());
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[1].what, "placed");
  EXPECT_EQ(all[2].what, "succeeded");
}

TEST(Events, OfManyJobsAreTheNewestThenWhatWaits) {
  protocol::JobList list;
  list.jobs = {finished().summary, running()};
  EXPECT_THAT(
      lines(events_of(list, 2)),
      ElementsAre("2026-01-31T11:59:50.000Z  job 17  submitted: saxpy, 2 tasks\n",
                  "2026-01-31T11:59:52.500Z  job 17  ended as failed: 1 succeeded, 1 failed of 2\n",
                  "-                         job 424  waits: 2 devices, all busy\n"));
  EXPECT_THAT(lines(events_of(cluster())),
              ElementsAre("-                         node n1  is up\n",
                          "-                         node n2  is down, last heard 4.2 s ago\n"));
}

TEST(Events, OfDevicesTellWhyOneIsUnhealthyAndThatItIsWellAgain) {
  protocol::ClusterStatus status = cluster();
  ClusterEvents events;
  events.news(events_of(status));
  EXPECT_THAT(events.news(events_of(status)), IsEmpty());
  protocol::DeviceBooks& books = status.nodes.at(0).devices.at(0);
  books.healthy = false;
  books.unhealthy_why = "quarantined: its self-test failed: signal 9";
  EXPECT_THAT(lines(events.news(events_of(status))),
              ElementsAre("-                         node n1  cpu:0 is unhealthy: quarantined: its "
                          "self-test failed: signal 9\n"));
  EXPECT_THAT(events.news(events_of(status)), IsEmpty());
  books.healthy = true;
  const std::vector<Event> again = events.news(events_of(status));
  EXPECT_THAT(lines(again),
              ElementsAre("-                         node n1  cpu:0 is healthy again\n"));
  EXPECT_EQ(again[0].what, "device_healthy");
  EXPECT_THAT(events.news(events_of(status)), IsEmpty());
}

}  // namespace
}  // namespace fastgpu::cli::test

#include "node/cli/text/render.hpp"

#include <gtest/gtest.h>

#include "tests/client/render_samples.hpp"

namespace fastgpu::cli::test {
namespace {

protocol::JobList one_running() {
  protocol::JobList list;
  list.jobs = {running()};
  list.finished_hidden = 37;
  list.source = {1};
  return list;
}

TEST(RenderTable, ListsJobsWithTheirReason) {
  EXPECT_EQ(table_job_list(one_running(), Names(cluster()), noon),
            "ID   NAME   STATE    DEVICE  NODE   DONE     AGE   REASON\n"
            "424  sweep  running  any     n1,n2  138/200  4m0s  2 failed; 2 devices, all busy\n"
            "37 finished (fastgpu ps -a)     as of 0.2 s ago (n1)\n");
}

TEST(RenderTable, SaysThatAListIsIncomplete) {
  protocol::JobList list;
  list.source = {1};
  list.shards_unanswered = 2;
  EXPECT_EQ(table_job_list(list, Names(cluster()), noon),
            "no active jobs\nas of 0.2 s ago (n1)\n"
            "INCOMPLETE: 2 parts of the ledger did not answer; their jobs are missing here "
            "(fastgpu node list)\n");
}

TEST(RenderTable, ShowsAJobWithEachTask) {
  EXPECT_EQ(table_job(finished(), Names(cluster()), noon),
            "job 17 saxpy: 1 succeeded, 1 failed of 2\n"
            "state      failed\n"
            "kernel     saxpy<float>  grid 1 x 1 x 1  block 1 x 1 x 1\n"
            "submitted  2026-01-31T11:59:50.000Z\n"
            "took       2.5 s; 0 us of device time\n"
            "reason     1 failed\n"
            "\n"
            "TASK  STATE      WHERE     ATTEMPT   QUEUE   COMPILE  RUN     REASON\n"
            "0     succeeded  n1 cpu:0  0.1.3.42  200 us  51.0 ms  3.2 ms  -\n"
            "1     failed     n2 cpu:0  0.1.3.43  0 us    cached   0 us    "
            "out_of_bounds: read at 4096 of 4096 bytes\n"
            "as of 0.2 s ago (n1)\n");
}

TEST(RenderTable, ShowsTheClusterInAFewLines) {
  EXPECT_EQ(table_cluster(cluster(), one_running(), Names(cluster()), noon),
            "cluster 11223344   1/2 nodes up   as of 0.2 s ago (n1)\n"
            "devices    1 total   1 busy   0 free\n"
            "jobs       0 pending   1 running   37 finished\n");
}

TEST(RenderTable, ListsNodesAndDevices) {
  EXPECT_EQ(table_nodes(cluster(), Names(cluster()), noon),
            "NAME  ADDRESS         STATE  DEVICES  SHARDS  REPLICAS  COPIES DUE  HEARD\n"
            "n1    127.0.0.1:7601  up     1        0       3         0           now\n"
            "n2    127.0.0.1:7602  down   1        1       -         -           4.2 s ago\n"
            "as of 0.2 s ago (n1)\n");
  EXPECT_EQ(table_devices(cluster(), Names(cluster()), noon),
            "NODE  DEVICE  MODEL       MEMORY   FREE     SLOTS  QUEUED  STATE\n"
            "n1    cpu:0   CPU x86-64  8.0 GiB  6.0 GiB  0/1    3       busy\n"
            "n2    cpu:0   CPU x86-64  8.0 GiB  6.0 GiB  0/1    3       away\n"
            "as of 0.2 s ago (n1)\n");
}

TEST(RenderTable, ShowsWhetherADrainIsOver) {
  protocol::ClusterStatus status = cluster();
  status.nodes.pop_back();
  protocol::NodeView& node = status.nodes[0];
  node.info.state = protocol::MemberState::draining;
  node.devices[0].slots_free = node.devices[0].slots_total;
  node.devices[0].queued_tasks = 0;
  node.leads.clear();
  node.duties = protocol::NodeDuties{0, 2, false};
  EXPECT_EQ(table_nodes(status, Names(status), noon),
            "NAME  ADDRESS         STATE     DEVICES  SHARDS  REPLICAS  COPIES DUE  HEARD\n"
            "n1    127.0.0.1:7601  draining  1        -       0         at least 2  now\n"
            "as of 0.2 s ago (n1)\n");
  EXPECT_EQ(json_node_list(status, Names(status), noon)["items"][0]["drained"], false);
  node.duties = protocol::NodeDuties{0, 0, true};
  EXPECT_EQ(table_nodes(status, Names(status), noon),
            "NAME  ADDRESS         STATE    DEVICES  SHARDS  REPLICAS  COPIES DUE  HEARD\n"
            "n1    127.0.0.1:7601  drained  1        -       0         0           now\n"
            "as of 0.2 s ago (n1)\n");
  EXPECT_EQ(json_node_list(status, Names(status), noon)["items"][0]["drained"], true);
}

TEST(RenderTable, SaysHowManyObjectsLackCopiesWhereSomeDo) {
  protocol::ClusterStatus status = cluster();
  status.nodes[0].duties->copies_due = 1;
  status.nodes[1].duties->copies_due = 9;
  EXPECT_NE(table_cluster(status, one_running(), Names(status), noon)
                .find("\n1 object has fewer copies than wanted; it is being copied\n"),
            std::string::npos)
      << "what a node said that is down since counts no more";
  status.nodes[0].duties->copies_due = 30;
  EXPECT_NE(table_cluster(status, one_running(), Names(status), noon)
                .find("\n30 objects have fewer copies than wanted; they are being copied\n"),
            std::string::npos);
  EXPECT_EQ(json_cluster(status, one_running(), Names(status), noon)["copies_due"], 30);
}

TEST(RenderTable, ShowsHowGpusAreAndLeavesOutWhatTheirDriverDoesNotTell) {
  protocol::ClusterStatus status = cluster();
  status.nodes.pop_back();
  protocol::DeviceBooks& books = status.nodes[0].devices[0];
  books.kind = protocol::DeviceKind::gpu;
  books.telemetry.emplace();
  books.telemetry->memory_bytes_used = 3ull << 30;
  books.telemetry->utilisation_percent = 12;
  books.telemetry->power_milliwatts = 98'600;
  books.telemetry->last_xid = 43;
  books.telemetry->remark = "1 GiB is lost";
  EXPECT_EQ(table_devices(status, Names(status), noon),
            "NODE  DEVICE  MODEL       MEMORY   FREE     SLOTS  QUEUED  STATE\n"
            "n1    gpu:0   CPU x86-64  8.0 GiB  6.0 GiB  0/1    3       busy\n"
            "\n"
            "GPU       USED     UTIL  TEMP  POWER  ECC  XID\n"
            "n1 gpu:0  3.0 GiB  12 %  -     98 W   -    43\n"
            "n1 gpu:0: 1 GiB is lost\n"
            "as of 0.2 s ago (n1)\n");
}

TEST(RenderTable, SaysHowOldItIsAtMost) {
  EXPECT_EQ(as_of_line({0, 49}, "n1"), "as of 0.0 s ago (n1)");
  EXPECT_EQ(as_of_line({0, 59'900}, "n1"), "as of 59.9 s ago (n1)");
  EXPECT_EQ(as_of_line({0, 252'000}, "n1"), "as of 4m12s ago (n1)");
  protocol::ClusterStatus status = cluster();
  EXPECT_EQ(stamp_of(status, noon).age_ms, 200) << "a node that is down is not looked at";
  status.nodes[1].state = protocol::NodeState::suspect;
  EXPECT_EQ(stamp_of(status, noon).age_ms, 4'400);
}

TEST(RenderTable, TellsWhereTasksRanAndHowLongThePartsTook) {
  EXPECT_EQ(lines_of_timings(finished(), Names(cluster())),
            "ran on n1 cpu:0 1, n2 cpu:0 1\n"
            "run 3.2 ms median, 3.2 ms longest; compiled 1 of 2 times, 51.0 ms longest\n");
  protocol::JobDetail one = finished();
  one.reports.pop_back();
  EXPECT_EQ(lines_of_timings(one, Names(cluster())),
            "ran on n1 cpu:0: queue 200 us, compile 51.0 ms, copy in 100 us, run 3.2 ms, "
            "copy out 90 us\n");
  EXPECT_EQ(lines_of_timings({}, Names(cluster())), "");
}

TEST(RenderJson, StampsEveryDocumentWithSchemaTimeAndSource) {
  const Names names{cluster()};
  const auto list = one_running();
  for (const auto& [document, schema] :
       {std::pair(json_job_list(list, names, noon), "fastgpu.job_list/1"),
        std::pair(json_job(finished(), names, noon), "fastgpu.job/1"),
        std::pair(json_cluster(cluster(), list, names, noon), "fastgpu.cluster/1"),
        std::pair(json_node_list(cluster(), names, noon), "fastgpu.node_list/1"),
        std::pair(json_device_list(cluster(), names, noon), "fastgpu.device_list/1")}) {
    EXPECT_EQ(document["schema"], schema);
    EXPECT_EQ(document["as_of"], "2026-01-31T11:59:59.800Z");
    EXPECT_EQ(document["source"], "n1");
    EXPECT_EQ(document["stale"], false);
  }
}

TEST(RenderJson, ListsJobs) {
  EXPECT_EQ(json_job_list(one_running(), Names(cluster()), noon)["items"].dump(),
            R"([{"id":"424","name":"sweep","state":"running","device":"any",)"
            R"("task_counts":{"total":200,"pending":60,"running":2,"succeeded":136,"failed":2,)"
            R"("cancelled":0,"timed_out":0,"lost":0},"nodes":["n1","n2"],)"
            R"("submitted_at":"2026-01-31T11:56:00.000Z","finished_at":null,)"
            R"("device_seconds":1.5,"labels":{},)"
            R"("waiting":{"reason":"capacity","message":"2 devices, all busy"}}])");
}

TEST(RenderJson, TellsTheDutiesOfANodeWhereItHasSaidThem) {
  protocol::ClusterStatus status = cluster();
  status.nodes[0].duties = protocol::NodeDuties{3, 7, true};
  status.nodes[1].duties.reset();
  const Json items = json_node_list(status, Names(status), noon)["items"];
  EXPECT_EQ(items[0]["voting_replicas"], 3);
  EXPECT_EQ(items[0]["copies_due"], 7);
  EXPECT_EQ(items[0]["copies_counted"], true);
  EXPECT_EQ(items[1]["voting_replicas"], nullptr);
  EXPECT_EQ(items[1]["copies_due"], nullptr);
  EXPECT_EQ(items[1]["copies_counted"], false);
}

TEST(RenderJson, MarksAnIncompleteListStale) {
  protocol::JobList list = one_running();
  list.shards_unanswered = 1;
  const Json document = json_job_list(list, Names(cluster()), noon);
  EXPECT_EQ(document["stale"], true);
  EXPECT_EQ(document["shards_unanswered"], 1);
}

TEST(RenderJson, RecordsEachTaskWithItsOutputs) {
  const Json tasks = json_job(finished(), Names(cluster()), noon)["tasks"];
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(
      tasks[0].dump(),
      R"({"task":0,"state":"succeeded","reason":null,"code":null,"message":"","attempt":"0.1.3.42",)"
      R"("node":"n1","device":0,"outputs":[{"name":"y_0.f32","size_bytes":4,)"
      R"("data_base64":"YWJjZA=="},{"name":"z_0_of_2","size_bytes":4096,)"
      R"("sha256":"ab00000000000000000000000000000000000000000000000000000000000000"}],)"
      R"("timings":{"queue_seconds":0.0002,"compile_seconds":0.051,"compile_cached":false,)"
      R"("copy_in_seconds":0.0001,"run_seconds":0.0032,"copy_out_seconds":9e-05}})");
  EXPECT_EQ(tasks[1]["reason"], "out_of_bounds");
  EXPECT_EQ(tasks[1]["code"], "FG6106");
  EXPECT_EQ(tasks[1]["node"], "n2");
}

TEST(RenderJson, RecordsAttempts) {
  EXPECT_EQ(
      json_job(finished(), Names(cluster()), noon)["attempts"][1].dump(),
      R"({"attempt":"0.1.3.43","node":"n2","device":0,"cause":"first","tasks":[{"first":1,"count":1}]})");
}

TEST(RenderJson, TellsAnError) {
  const base::Error error{base::ErrorKind::rejected, base::ErrorCode::infeasible, "never", "wait"};
  EXPECT_EQ(json_error(error, "", noon).dump(),
            R"({"schema":"fastgpu.error/1","as_of":"2026-01-31T11:59:59.800Z","source":null,)"
            R"("stale":false,"error":{"code":"FG2101","kind":"infeasible","message":"never",)"
            R"("hint":"wait","outcome_unknown":false,"docs":"docs/errors.md#fg2101"}})");
}

TEST(RenderJson, EncodesInlineBytesOfEveryLength) {
  protocol::JobDetail detail = finished();
  for (const auto& [bytes, text] : {std::pair("", ""), std::pair("a", "YQ=="),
                                    std::pair("ab", "YWI="), std::pair("abc", "YWJj")}) {
    detail.reports[0].outcome.outputs = {base::Bytes::copy_of(std::string_view(bytes))};
    const Json job = json_job(detail, Names(cluster()), noon);
    EXPECT_EQ(job["tasks"][0]["outputs"][0]["data_base64"], text);
  }
}

}  // namespace
}  // namespace fastgpu::cli::test

#include <gtest/gtest.h>

#include <filesystem>

#include "node/cli/text/doctor.hpp"
#include "node/cli/text/events.hpp"
#include "node/cli/text/log_text.hpp"
#include "tests/client/render_samples.hpp"
#include "tests/support/json_schema.hpp"

namespace fastgpu::cli::test {
namespace {

class JsonSchema : public ::testing::Test {
 protected:
  std::string check(const char* name, const Json& document) const {
    return schemas_.check(name, document.dump());
  }
  testing::JsonSchemas schemas_{FASTGPU_SOURCE_DIR "/docs/schema"};
};

TEST_F(JsonSchema, DescribesEveryDocument) {
  const Names names{cluster()};
  protocol::JobList list;
  list.jobs = {running()};
  list.source = {1};
  EXPECT_EQ(check("ps", json_job_list(list, names, noon)), "");
  EXPECT_EQ(check("show", json_job(finished(), names, noon)), "");
  EXPECT_EQ(check("show", json_jobs({finished(), finished()}, names, noon)), "");
  EXPECT_EQ(check("run", json_job(finished(), names, noon)), "");
  EXPECT_EQ(check("why", json_why(finished(), names, noon)), "");
  EXPECT_EQ(check("why", json_why({finished(), finished()}, names, noon)), "");
  EXPECT_EQ(check("retry", json_retried({{{9}, {7}, 3}}, {}, "n1", noon)), "");
  EXPECT_EQ(
      check("doctor", json_findings({{"this host", {"compiler", node::CheckState::ok, "g++", ""}}},
                                    "", noon)),
      "");
  JobEvents events(names);
  EXPECT_EQ(check("events", json_events(events.news(finished()), "n1", noon)), "");
  EXPECT_EQ(check("events", json_event(events_of(cluster()).front())), "");
  const base::LogRecord line{
      {7}, 3, {}, base::LogStream::output, 0, base::Bytes::copy_of(std::string_view("hello"))};
  EXPECT_EQ(check("logs", json_log_record({1}, line, names)), "");
  EXPECT_EQ(check("submit", json_accepted({7}, 3, "n1", noon)), "");
  EXPECT_EQ(check("wait", json_detached({{7}, {8}}, {{8}}, noon)), "");
  EXPECT_EQ(check("cp", json_copied({{7}, "y.f32", "./y.f32", 1, 4}, "n1", noon)), "");
  EXPECT_EQ(check("status", json_cluster(cluster(), list, names, noon)), "");
  EXPECT_EQ(check("node_list", json_node_list(cluster(), names, noon)), "");
  protocol::ClusterStatus silent = cluster();
  silent.nodes[0].duties.reset();
  EXPECT_EQ(check("node_list", json_node_list(silent, names, noon)), "");
  EXPECT_EQ(check("gpus", json_device_list(cluster(), names, noon)), "");
  EXPECT_EQ(check("node_token", json_token("0af1", "n1", noon)), "");
  protocol::ClusterStatus with_gpu = cluster();
  with_gpu.nodes[0].devices[0].telemetry.emplace().ecc_errors = 2;
  EXPECT_EQ(check("gpus", json_device_list(with_gpu, names, noon)), "");
  EXPECT_EQ(check("version", json_version("0.1.0", noon)), "");
  EXPECT_EQ(check("help", json_help("run", "text", noon)), "");
  const base::Error error{base::ErrorKind::rejected, base::ErrorCode::infeasible, "never", "wait"};
  EXPECT_EQ(check("error", json_error(error, "", noon)), "");
}

TEST_F(JsonSchema, FindsAKeyThatIsGoneOrOfAnotherType) {
  Json document = json_node_list(cluster(), Names(cluster()), noon);
  document["items"][0]["id"] = 1;
  EXPECT_NE(check("node_list", document).find("node_list.items[0].id"), std::string::npos);
  document = json_node_list(cluster(), Names(cluster()), noon);
  document.erase("source");
  EXPECT_EQ(check("node_list", document), "node_list: \"source\" is missing");
  document = json_version("0.1.0", noon);
  document["as_of"] = "yesterday";
  EXPECT_NE(check("version", document), "");
  EXPECT_NE(check("nothing", document), "");
  EXPECT_NE(schemas_.check("version", "{} {}"), "") << "one document for one command";
}

TEST_F(JsonSchema, AllowsADocumentToGrow) {
  Json document = json_version("0.1.0", noon);
  document["built_at"] = "2026-01-31T12:00:00.000Z";
  EXPECT_EQ(check("version", document), "");
}

}  // namespace
}  // namespace fastgpu::cli::test

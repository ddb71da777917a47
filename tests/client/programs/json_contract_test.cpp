// Every verb's document, as the programs print it, against docs/schema.

#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "tests/client/programs/kernels.hpp"
#include "tests/support/json_schema.hpp"

namespace fastgpu::testing {
namespace {

const JsonSchemas& schemas() {
  static const JsonSchemas all(FASTGPU_SOURCE_DIR "/docs/schema");
  return all;
}

TEST(JsonContract, HoldsForWhatEveryVerbPrints) {
  const ProcessCluster cluster({.nodes = 2});
  const Kernels kernels;
  const auto check = [&](const char* schema, const Words& words) {
    const Finished done = cluster.fastgpu(words + Words{"--json"});
    EXPECT_EQ(done.exit_code, 0) << schema << ": " << done.err;
    EXPECT_EQ(schemas().check(schema, done.out), "");
    return nlohmann::json::parse(done.out, nullptr, false);
  };
  const auto run = check("run", Words{"run"} + kernels.good());
  const std::string first = run.value("id", "");
  const std::string second = check("submit", Words{"submit"} + kernels.good()).value("id", "");
  check("run", Words{"run", "-d"} + kernels.good());
  check("wait", {"wait", first, second});
  check("ps", {"ps"});
  check("ps", {"ps", "-a"});
  check("show", {"show", first});
  check("why", {"why", first});
  EXPECT_EQ(check("why", {"why", first, second})["items"].size(), 2u);
  check("events", {"events", first, second});
  check("events", {"events"});
  check("retry", {"retry", first, "--all"});
  check("run", {"attach", first});
  check("doctor", {"doctor"});
  EXPECT_EQ(check("show", {"show", first, second})["items"].size(), 2u);
  check("cp", {"cp", first + ":" + kernels.folder().file("out"), kernels.folder().file("copy")});
  const std::string endless = id_in(cluster.fastgpu(Words{"submit", "-q"} + kernels.endless()));
  check("cancel", {"cancel", endless});
  EXPECT_EQ(check("status", {"status"})["source"], "n1");
  check("gpus", {"gpus"});
  const auto nodes = check("node_list", {"node", "list"});
  EXPECT_EQ(nodes["items"][0]["id"], "1");
  const std::string command =
      id_in(cluster.fastgpu({"submit", "-q", "--", "sh", "-c", "echo hello"}));
  check("wait", {"wait", command});
  check("show", {"show", command});
  const Finished printed = cluster.fastgpu({"logs", command, "--json"});
  EXPECT_EQ(schemas().check("logs", printed.out.substr(0, printed.out.find('\n'))), "");
  check("version", {"version"});
  check("help", {"help", "FG2101"});
  check("help", {"help"});
}

TEST(JsonContract, HoldsForAThrowAwayCluster) {
  Process up({program("fastgpu"), "up", "--json"});
  ASSERT_TRUE(up.await_line("{")) << up.err();
  up.signal(SIGINT);
  EXPECT_EQ(up.await_end(), 0);
  EXPECT_EQ(schemas().check("up", up.out()), "");
}

}  // namespace
}  // namespace fastgpu::testing

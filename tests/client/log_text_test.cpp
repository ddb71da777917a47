#include "node/cli/text/log_text.hpp"

#include <gtest/gtest.h>

#include "tests/client/render_samples.hpp"

namespace fastgpu::cli::test {
namespace {

base::LogRecord said(std::uint32_t task, const char* text,
                     base::LogStream stream = base::LogStream::output) {
  return {{7}, task, {{0}, {1}, {1}, 1}, stream, 0, base::Bytes::copy_of(std::string_view(text))};
}

TEST(LogText, OfOneTaskIsWhatItWrote) {
  const Names names{cluster()};
  LogLines lines(names, false, false);
  EXPECT_EQ(lines.show({1}, said(0, "half a li")).out, "half a li");
  EXPECT_EQ(lines.show({1}, said(0, "ne\n")).out, "ne\n");
  const LogText error = lines.show({1}, said(0, "oops\n", base::LogStream::error_output));
  EXPECT_EQ(error.err, "oops\n");
  EXPECT_EQ(error.out, "");
}

TEST(LogText, OfManyTasksIsWholeLinesWithTheirTaskInFront) {
  const Names names{cluster()};
  LogLines lines(names, true, false);
  EXPECT_EQ(lines.show({1}, said(3, "half a li")).out, "");
  EXPECT_EQ(lines.show({2}, said(4, "whole\n")).out, "[4 n2] whole\n");
  EXPECT_EQ(lines.show({1}, said(3, "ne\nnext")).out, "[3 n1] half a line\n");
  EXPECT_EQ(lines.rest().out, "[3 n1] next\n");
}

TEST(LogText, ShowsNoticesAndHidesMarks) {
  const Names names{cluster()};
  LogLines lines(names, false, false);
  EXPECT_EQ(lines.show({1}, said(0, "bubblewrap", base::LogStream::started)).out, "");
  EXPECT_EQ(lines.show({1}, said(0, "[log cut]", base::LogStream::notice)).err, "[log cut]\n");
}

}  // namespace
}  // namespace fastgpu::cli::test

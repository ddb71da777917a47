#include "tests/history/history_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/history/planted_histories.hpp"

namespace fastgpu::history {
namespace {

using ::testing::HasSubstr;

TEST(HistoryText, ReadsBackWhatItHasWritten) {
  for (const Entry& entry : testing::good_history()) {
    const auto read = parse_line(to_line(entry));
    ASSERT_TRUE(read.ok()) << to_line(entry) << ": " << read.error().message;
    EXPECT_EQ(read.value(), entry) << to_line(entry);
  }
}

TEST(HistoryText, KeepsBytesThatAreNoText) {
  const Execution odd{7, Moment::end, 1, 2, "1.1.1.1", "n1", "a \"quoted\"\nline\t\x01"};
  const std::string line = to_line(odd);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(parse_line(line).value(), Entry(odd));
}

TEST(HistoryText, NamesTheLineThatItCannotRead) {
  const std::string good = to_line(Mark{1, "healed", ""});
  for (
      const std::string bad :
      {"{", "[]", "7", R"({"at":1})", R"({"at":1,"what":"dance"})",
       R"({"at":"now","what":"mark","mark":"","text":""})",
       R"({"at":1,"what":"invoke","op":1,"client":"a","call":"dance"})",
       R"({"at":1,"what":"says","node":"n1","view":{"job":1,"key":"","tasks":1,"ended":[[1]]}})"}) {
    const auto read = parse(good + "\n\n" + bad + "\n" + good + "\n", "clients.jsonl");
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_THAT(read.error().message, HasSubstr("clients.jsonl, line 3")) << bad;
  }
}

TEST(HistoryText, AcceptsAFileWithoutALastEndOfLine) {
  const auto read =
      parse(to_line(Mark{1, "kill", "n1"}) + "\n" + to_line(Mark{2, "healed", ""}), "x");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().size(), 2u);
}

}  // namespace
}  // namespace fastgpu::history

#include "client/error_table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "client/failure_table.hpp"

namespace fastgpu::client {
namespace {

constexpr const char* page = FASTGPU_SOURCE_DIR "/docs/errors.md";
constexpr const char* begin_mark = "<!-- errors: made from client/error_table.cpp -->\n";
constexpr const char* end_mark = "<!-- errors end -->\n";
constexpr const char* failures_begin_mark =
    "<!-- failures: made from client/failure_table.cpp -->\n";
constexpr const char* failures_end_mark = "<!-- failures end -->\n";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What stands between two marks, replaced.
std::string with_table(const std::string& text, const std::string& begin_of,
                       const std::string& end_of, const std::string& table) {
  const std::size_t begin = text.find(begin_of);
  const std::size_t end = text.find(end_of);
  if (begin == std::string::npos || end == std::string::npos) {
    return "the marks of a table are missing";
  }
  return text.substr(0, begin) + begin_of + table + text.substr(end);
}

/// The page with its tables as they should be.
std::string renewed(const std::string& text) {
  return with_table(with_table(text, begin_mark, end_mark, error_page_table()), failures_begin_mark,
                    failures_end_mark, failure_page_table());
}

TEST(ErrorPage, HoldsTheTableAsItIsInTheProgram) {
  const std::string text = read(page);
  const std::string wanted = renewed(text);
  if (std::getenv("FASTGPU_REWRITE") != nullptr) {
    std::ofstream(page, std::ios::binary) << wanted;
    GTEST_SKIP() << "the page was written anew";
  }
  EXPECT_EQ(text, wanted) << "run this test once with FASTGPU_REWRITE=1, and look at the change";
}

TEST(ErrorTable, TellsOfEveryCodeWhatItMeansAndWhatToDo) {
  std::set<std::string> names;
  for (const ErrorRow& row : error_table()) {
    const std::string help = help_of(row);
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    for (const std::string& part : {code_text(row.code), std::string(row.name)}) {
      EXPECT_NE(help.find(part), std::string::npos) << help;
    }
    EXPECT_GT(std::string(row.meaning).size(), 5u);
    EXPECT_GT(std::string(row.remedy).size(), 5u);
  }
}

TEST(ErrorTable, FindsARowByItsNumberInAnyCase) {
  for (const char* text : {"FG2101", "fg2101", "2101"}) {
    const ErrorRow* row = find_error(text);
    ASSERT_NE(row, nullptr) << text;
    EXPECT_EQ(row->code, base::ErrorCode::infeasible);
  }
  for (const char* text : {"", "FG", "FG21", "FG21010", "FG0000", "FG2102", "run", "-101"}) {
    EXPECT_EQ(find_error(text), nullptr) << text;
  }
}

TEST(ErrorTable, AnchorsAreThoseOfThePage) {
  const std::string text = read(page);
  for (const ErrorRow& row : error_table()) {
    EXPECT_NE(text.find("<a id=\"" + anchor_of(row.code) + "\"></a>"), std::string::npos);
  }
}

TEST(FailureTable, HasOneRowForEachReason) {
  std::set<std::string> codes;
  for (int i = 1; i <= static_cast<int>(base::failure_reason_last); ++i) {
    const auto reason = static_cast<base::FailureReason>(i);
    ASSERT_NE(find_failure(reason), nullptr) << base::to_word(reason);
    codes.insert(code_text(reason));
  }
  EXPECT_EQ(codes.size(), failure_table().size());
  EXPECT_EQ(find_failure(base::FailureReason::none), nullptr);
  EXPECT_EQ(code_text(base::FailureReason::none), "");
}

TEST(FailureTable, FindsARowByItsNumberInAnyCase) {
  for (const char* text : {"FG6101", "fg6101", "6101"}) {
    ASSERT_NE(find_failure(text), nullptr) << text;
    EXPECT_STREQ(find_failure(text)->name, "exit_code");
  }
  for (const char* text : {"", "FG2101", "exit_code", "61011"}) {
    EXPECT_EQ(find_failure(text), nullptr) << text;
  }
}

}  // namespace
}  // namespace fastgpu::client

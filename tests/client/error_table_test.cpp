#include "client/error_table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace fastgpu::client {
namespace {

constexpr const char* page = FASTGPU_SOURCE_DIR "/docs/errors.md";
constexpr const char* begin_mark = "<!-- errors: made from client/error_table.cpp -->\n";
constexpr const char* end_mark = "<!-- errors end -->\n";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The page with the table as it should be.
std::string renewed(const std::string& text) {
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  if (begin == std::string::npos || end == std::string::npos) {
    return "the marks of the table are missing";
  }
  return text.substr(0, begin) + begin_mark + error_page_table() + text.substr(end);
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

}  // namespace
}  // namespace fastgpu::client

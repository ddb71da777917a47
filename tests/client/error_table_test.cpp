#include "client/error_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace fastgpu::client {
namespace {

TEST(ErrorTable, HasOneRowForEachNumberInOrder) {
  std::uint16_t last = 0;
  for (const ErrorRow& row : error_table()) {
    EXPECT_GT(row.number, last);
    last = row.number;
    EXPECT_FALSE(std::string(row.meaning).empty()) << row.number;
    EXPECT_FALSE(std::string(row.remedy).empty()) << row.number;
  }
}

TEST(ErrorTable, KnowsEveryFailureReason) {
  std::set<std::string> codes;
  for (int i = 1; i <= static_cast<int>(base::failure_reason_last); ++i) {
    const auto reason = static_cast<base::FailureReason>(i);
    ASSERT_NE(row_of(reason), nullptr) << base::to_word(reason);
    codes.insert(code_text(reason));
  }
  EXPECT_EQ(codes.size(), static_cast<std::size_t>(base::failure_reason_last));
  EXPECT_EQ(row_of(base::FailureReason::none), nullptr);
  EXPECT_EQ(code_text(base::FailureReason::none), "");
}

TEST(ErrorTable, IsFoundByCodesInAnyCase) {
  ASSERT_NE(find_error("FG2101"), nullptr);
  EXPECT_STREQ(find_error("fg2101")->name, "infeasible");
  EXPECT_STREQ(find_error("2101")->name, "infeasible");
  for (const char* text : {"", "FG", "FG0000", "infeasible", "FG2101x", "-1"}) {
    EXPECT_EQ(find_error(text), nullptr) << text;
  }
}

TEST(ErrorTable, IsWhatTheDocumentShows) {
  std::ifstream file(FASTGPU_SOURCE_DIR "/docs/errors.md");
  std::stringstream document;
  document << file.rdbuf();
  std::string rows;
  for (const ErrorRow& row : error_table()) {
    const std::string code = code_text(row.number);
    rows += "| <a id=\"" + code + "\"></a>" + code + " | `" + row.name + "` | " + row.meaning +
            " | " + row.remedy + " |\n";
  }
  EXPECT_THAT(document.str(), testing::EndsWith(rows)) << "docs/errors.md should end with\n"
                                                       << rows;
}

}  // namespace
}  // namespace fastgpu::client

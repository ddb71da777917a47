#pragma once

/// The penguins of data/penguins.csv as numbers, and cut into shards: what one task works on. A
/// value without threads or files once loaded; a file that cannot be used throws.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <fastgpu/client.hpp>

namespace csv {

/// The groups, by the number that stands for them in a row.
constexpr std::array<const char*, 3> species{"Adelie", "Chinstrap", "Gentoo"};
/// The measures as the file names them, in the order of a row.
constexpr std::array<const char*, 4> measures{"bill_length_mm", "bill_depth_mm",
                                              "flipper_length_mm", "body_mass_g"};
constexpr std::size_t columns = 6;  ///< species, the measures, and 1 for a male

struct Table {
  std::vector<double> values;  ///< row by row
  std::size_t incomplete{};    ///< rows left out, because a value is NA

  std::size_t rows() const { return values.size() / columns; }
};

Table load(const std::string& path);

struct Shards {
  std::size_t rows_each{};  ///< the last one may have fewer
  std::vector<fastgpu::Bytes> rows;
};

/// At most `count` shards, none of them empty.
Shards cut(const Table& table, std::size_t count);

}  // namespace csv

#include "examples/csv/table.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

#include "examples/support/session.hpp"

namespace csv {
namespace {

/// The fields of a line; this file quotes none.
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream rest(line);
  for (std::string field; std::getline(rest, field, ',');) {
    fields.push_back(field);
  }
  return fields;
}

double species_number(const std::string& name) {
  const auto* found = std::find(species.begin(), species.end(), name);
  if (found == species.end()) {
    throw std::runtime_error("no species is called '" + name + "'");
  }
  return static_cast<double>(found - species.begin());
}

}  // namespace

Table load(const std::string& path) {
  std::istringstream lines(examples::read_file(path));
  std::string line;
  std::getline(lines, line);
  const auto names = split(line);
  Table table;
  while (std::getline(lines, line)) {
    const auto fields = split(line);
    if (fields.size() != names.size()) {
      throw std::runtime_error(path + ": a line has another number of fields: " + line);
    }
    if (std::find(fields.begin(), fields.end(), "NA") != fields.end()) {
      ++table.incomplete;
      continue;
    }
    std::map<std::string, std::string> row;
    for (std::size_t at = 0; at < names.size(); ++at) {
      row[names[at]] = fields[at];
    }
    table.values.push_back(species_number(row["species"]));
    for (const char* measure : measures) {
      table.values.push_back(std::stod(row[measure]));
    }
    table.values.push_back(row["sex"] == "male" ? 1.0 : 0.0);
  }
  return table;
}

Shards cut(const Table& table, std::size_t count) {
  Shards shards;
  shards.rows_each = (table.rows() + count - 1) / count;
  for (std::size_t begin = 0; begin < table.rows(); begin += shards.rows_each) {
    const std::size_t end = std::min(begin + shards.rows_each, table.rows());
    const double* data = table.values.data();
    shards.rows.push_back(
        examples::bytes_of(std::vector<double>(data + begin * columns, data + end * columns)));
  }
  return shards;
}

}  // namespace csv

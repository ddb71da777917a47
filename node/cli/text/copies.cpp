#include "node/cli/text/copies.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "node/cli/text/render.hpp"
#include "runtime/base/relative_path.hpp"

namespace fastgpu::cli {
namespace {

namespace fs = std::filesystem;

/// Names that an error may list.
constexpr std::size_t names_told_max = 5;

struct Output {
  std::string name;
  const protocol::Data* data;
};

/// In the order of the tasks.
std::vector<Output> outputs_of(const protocol::JobDetail& detail) {
  std::vector<Output> all;
  for (const protocol::TaskReport& report : detail.reports) {
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      const std::vector<std::string> files = output_files(detail, task);
      for (std::size_t i = 0; i < files.size() && i < report.outcome.outputs.size(); ++i) {
        all.push_back({files[i], &report.outcome.outputs[i]});
      }
    }
  }
  return all;
}

std::string plain(const std::string& path) {
  std::string text = fs::path(path).lexically_normal().generic_string();
  if (text.size() > 1 && text.ends_with('/')) {
    text.pop_back();
  }
  return text == "." ? std::string() : text;
}

base::Error nothing_there(const protocol::JobDetail& detail, const std::string& path,
                          const std::vector<Output>& outputs) {
  std::string has;
  for (std::size_t i = 0; i < std::min(outputs.size(), names_told_max); ++i) {
    has += (has.empty() ? "" : ", ") + outputs[i].name;
  }
  if (outputs.size() > names_told_max) {
    has += " and " + std::to_string(outputs.size() - names_told_max) + " more";
  }
  return {
      base::ErrorKind::rejected, base::ErrorCode::not_found,
      "job " + base::to_string(detail.summary.job) + " has no output " + path + " that is finished",
      has.empty() ? "no task of it has left any output" : "its outputs: " + has};
}

base::Error in_several_tasks(const protocol::JobDetail& detail, const std::string& name) {
  const std::string id = base::to_string(detail.summary.job);
  return {base::ErrorKind::invalid, base::ErrorCode::usage,
          "several tasks of job " + id + " have an output " + name,
          "name the task: fastgpu cp " + id + ".3:" + name + " DEST"};
}

}  // namespace

base::Result<std::vector<Copy>> copies_of(const protocol::JobDetail& detail,
                                          const std::string& path) {
  const std::vector<Output> outputs = outputs_of(detail);
  const std::string wanted = plain(path);
  std::vector<Copy> copies;
  for (const Output& output : outputs) {
    if (output.name == path || plain(output.name) == wanted) {
      copies.push_back({output.data, output.name, ""});
    }
  }
  if (copies.size() > 1) {
    return in_several_tasks(detail, path);
  }
  if (!copies.empty()) {
    return copies;
  }
  std::set<std::string> taken;
  for (const Output& output : outputs) {
    const std::string name = plain(output.name);
    if (!wanted.empty() && !name.starts_with(wanted + "/")) {
      continue;
    }
    const std::string below = wanted.empty() ? name : name.substr(wanted.size() + 1);
    if (const base::Status inside = base::check_relative_path(below); !inside.ok()) {
      return inside.error();
    }
    if (!taken.insert(below).second) {
      return in_several_tasks(detail, output.name);
    }
    copies.push_back({output.data, output.name, below});
  }
  return copies.empty() ? base::Result<std::vector<Copy>>(nothing_there(detail, path, outputs))
                        : copies;
}

}  // namespace fastgpu::cli

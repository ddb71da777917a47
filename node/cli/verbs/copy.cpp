#include <algorithm>
#include <filesystem>

#include "client/results.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/text/copies.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours transfer_limit{1};

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, std::move(message), std::move(hint)};
}

base::Result<JobPath> source_of(const Invocation& invocation) {
  if (const auto from = parse_job_path(invocation.copy_from)) {
    return *from;
  }
  if (const auto to = parse_job_path(invocation.copy_to)) {
    return usage(
        "files cannot be copied into job " + to->job + ": it finds what it was submitted with",
        "submit a job that has the file: fastgpu run --in " + invocation.copy_from + " -- COMMAND");
  }
  return usage("'" + invocation.copy_from + "' names no job and file",
               "write fastgpu cp JOB:PATH DEST, such as 17:y.f32 ./y.f32, or of one task "
               "17.3:y.f32");
}

/// One file goes to DEST, or into it where it is a folder; files below a folder go below DEST.
std::string place_of(const Copy& copy, const std::string& destination) {
  fs::path to = destination;
  if (!copy.to.empty()) {
    to /= copy.to;
  } else if (fs::is_directory(to)) {
    to /= fs::path(copy.name).filename();
  }
  return to.string();
}

base::Result<std::uint64_t> bring(client::Connection& connection, const std::vector<Copy>& copies,
                                  const std::string& destination, client::Time deadline) {
  std::vector<protocol::Data> pieces;
  for (const Copy& copy : copies) {
    pieces.push_back(*copy.data);
  }
  std::uint64_t bytes = 0;
  const auto write = [&](std::size_t index, const base::Bytes& data) {
    const std::string to = place_of(copies[index], destination);
    std::error_code failed;  // told by write_file, which cannot write then
    if (!copies[index].to.empty()) {
      fs::create_directories(fs::path(to).parent_path(), failed);
    }
    bytes += data.size();
    return write_file(to, data.span());
  };
  const base::Status brought = client::fetch_each(connection, pieces, deadline, write);
  return brought.ok() ? base::Result(bytes) : brought.error();
}

}  // namespace

int verb_copy(Context& context, const Invocation& invocation) {
  const auto from = source_of(invocation);
  if (!from.ok()) {
    return context.fail(from.error());
  }
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto target = find_single(context, *connection.value(), {{from.value().job}, {}});
  if (!target.ok()) {
    return context.fail(target.error());
  }
  const client::Time deadline =
      context.limit().value().value_or(client::in(transfer_limit));  // connect() read it
  const auto detail = fetch_target(context, *connection.value(), target.value());
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  const auto copies = copies_of(detail.value(), from.value().path);
  if (!copies.ok()) {
    return context.fail(copies.error());
  }
  const auto bytes = bring(*connection.value(), copies.value(), invocation.copy_to, deadline);
  if (!bytes.ok()) {
    return context.fail(bytes.error());
  }
  if (context.wants_documents()) {
    const bool one = copies.value().size() == 1 && copies.value().front().to.empty();
    context.print(json_copied(
        {target.value().job, from.value().path,
         one ? place_of(copies.value().front(), invocation.copy_to) : invocation.copy_to,
         copies.value().size(), bytes.value()},
        context.names().of(detail.value().source), context.stamp()));
  }
  return 0;
}

}  // namespace fastgpu::cli

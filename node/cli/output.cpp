#include "node/cli/output.hpp"

#include <cstdio>

#include "client/logs.hpp"
#include "node/cli/text/log_text.hpp"

namespace fastgpu::cli {
namespace {

void write(std::FILE* to, const std::string& text) {
  if (!text.empty()) {
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);  // who follows wants to see it now
  }
}

void write(std::FILE* out, const LogText& text) {
  write(out, text.out);
  write(stderr, text.err);
}

}  // namespace

std::optional<session::FollowDone> show_output(Context& context, client::Connection& connection,
                                               const OutputOptions& options,
                                               Interrupts& interrupts) {
  session::LogFollowOptions follow{.job = options.job,
                                   .task = options.task,
                                   .follow = options.follow,
                                   .all_attempts = options.all_attempts};
  for (const protocol::NodeView& node : context.cluster().nodes) {
    follow.names[node.info.node] = node.info.name;
  }
  const bool documents = context.wants_documents() && !options.beside_document;
  std::FILE* const out = options.beside_document ? stderr : stdout;
  LogLines lines(context.names(), options.tasks > 1 && !options.task, options.times);
  client::LogSink sink;
  sink.record = [&](base::NodeId node, const base::LogRecord& record) {
    if (documents) {
      write(out, json_log_record(node, record, context.names())
                         .dump(-1, ' ', false, Json::error_handler_t::replace) +
                     "\n");
    } else {
      write(out, lines.show(node, record));
    }
  };
  sink.notice = [&](const std::string& notice) { context.tell(notice); };
  client::LogStop stop;
  const auto limit = context.limit();
  stop.deadline = limit.ok() ? limit.value() : std::nullopt;
  stop.go_on = [&] { return !interrupts.pressed(); };
  const auto done = client::follow_logs(connection, std::move(follow), sink, stop);
  if (interrupts.pressed()) {
    interrupts.park();
  }
  write(out, lines.rest());
  return done;
}

}  // namespace fastgpu::cli

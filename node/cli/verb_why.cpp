#include "client/results.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs.hpp"

namespace fastgpu::cli {

int verb_why(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  for (const std::string& text : invocation.selectors) {
    const auto selector = parse_selector(text);
    const auto jobs = find_jobs(context, *connection.value(), {text});
    if (!jobs.ok()) {
      return context.fail(jobs.error());
    }
    for (const base::JobId job : jobs.value()) {
      auto detail = client::fetch_detail(*connection.value(), job, context.deadline());
      if (!detail.ok()) {
        return context.fail(detail.error());
      }
      if (const auto task = selector.value().task) {
        if (const base::Status kept = keep_task(detail.value(), *task); !kept.ok()) {
          return context.fail(kept.error());
        }
      }
      if (context.format() == Format::json || context.format() == Format::jsonl) {
        context.print(json_why(detail.value(), context.names(), context.stamp()));
      } else {
        context.print(
            text_why(detail.value(), context.cluster(), context.names(), context.stamp()));
      }
    }
  }
  return 0;
}

}  // namespace fastgpu::cli

#include "node/cli/selector.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {

int verb_why(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto targets =
      find_targets(context, *connection.value(), {invocation.selectors, invocation.labels});
  if (!targets.ok()) {
    return context.fail(targets.error());
  }
  std::vector<protocol::JobDetail> details;
  for (const Target& target : targets.value()) {
    auto detail = fetch_target(context, *connection.value(), target);
    if (!detail.ok()) {
      return context.fail(detail.error());
    }
    if (context.wants_documents()) {
      details.push_back(std::move(detail).value());
    } else {
      context.print(text_why(detail.value(), context.cluster(), context.names(), context.stamp()));
    }
  }
  if (context.wants_documents()) {
    context.print(json_why(details, context.names(), context.stamp()));
  }
  return 0;
}

}  // namespace fastgpu::cli

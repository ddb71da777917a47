#include "node/cli/verbs.hpp"

namespace fastgpu::cli {

int verb_status(Context& context, const Invocation&) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto jobs =
      connection.value()->ask_for<protocol::JobList>(protocol::ListJobs{false}, context.deadline());
  if (!jobs.ok()) {
    return context.fail(jobs.error());
  }
  if (context.format() == Format::table) {
    context.print(table_cluster(context.cluster(), jobs.value(), context.names(), context.stamp()));
  } else if (context.format() == Format::id) {
    context.print(base::to_string(context.cluster().cluster) + "\n");
  } else {
    context.print(json_cluster(context.cluster(), jobs.value(), context.names(), context.stamp()));
  }
  return 0;
}

int verb_gpus(Context& context, const Invocation&) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  if (context.format() == Format::table) {
    context.print(table_devices(context.cluster(), context.names(), context.stamp()));
  } else if (context.format() == Format::id) {
    for (const protocol::NodeView& node : context.cluster().nodes) {
      for (const protocol::DeviceBooks& books : node.devices) {
        context.print(node.info.name + "/" + std::to_string(books.device.ordinal) + "\n");
      }
    }
  } else {
    context.print(json_device_list(context.cluster(), context.names(), context.stamp()));
  }
  return 0;
}

int verb_node_list(Context& context, const Invocation&) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  if (context.format() == Format::table) {
    context.print(table_nodes(context.cluster(), context.names(), context.stamp()));
  } else if (context.format() == Format::id) {
    for (const protocol::NodeView& node : context.cluster().nodes) {
      context.print(node.info.name + "\n");
    }
  } else {
    context.print(json_node_list(context.cluster(), context.names(), context.stamp()));
  }
  return 0;
}

}  // namespace fastgpu::cli

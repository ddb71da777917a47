// What the user asked for. The values themselves are judged by the gateway, which can say what is
// wrong with them; here only what could not be held or told apart is refused.

#include <memory>

#include "runtime/codec/job_parts.hpp"

namespace fastgpu::schema {

namespace limits = base::limits;
using codec::as_data;
using codec::as_text;
using codec::list_size;
using codec::Reading;

/// Texts of a spec are bounded as the whole spec is.
static std::string spec_text(capnp::Text::Reader from, Reading& reading) {
  return reading.text(from, limits::task_spec_bytes_max, "text of a job spec");
}

static void write(Define::Builder to, const std::pair<std::string, std::string>& from) {
  to.setName(as_text(from.first));
  to.setValue(as_text(from.second));
}

static std::pair<std::string, std::string> read(Define::Reader from, Reading& reading) {
  auto name = spec_text(from.getName(), reading);
  return {std::move(name), spec_text(from.getValue(), reading)};
}

protocol::Labels read_labels(capnp::List<Define>::Reader from, Reading& reading) {
  return codec::read_list(from, reading, "labels", limits::labels_max);
}

void write_labels(capnp::List<Define>::Builder to, const protocol::Labels& from) {
  codec::write_list(to, from);
}

static void write(Dimensions::Builder to, const std::array<std::uint32_t, 3>& from) {
  to.setX(from[0]);
  to.setY(from[1]);
  to.setZ(from[2]);
}

static std::array<std::uint32_t, 3> read(Dimensions::Reader from, Reading&) {
  return {from.getX(), from.getY(), from.getZ()};
}

static void write_argument(Argument::Builder to, const protocol::ScalarArgument& from) {
  auto scalar = to.initScalar();
  scalar.setType(codec::write_enum<ScalarType>(from.type));
  scalar.setText(as_text(from.text));
}

static void write_argument(Argument::Builder to, const protocol::BufferArgument& from) {
  auto buffer = to.initBuffer();
  buffer.setUse(codec::write_enum<BufferUse>(from.use));
  buffer.setName(as_text(from.name));
  buffer.setSizeBytes(from.size_bytes);
  codec::write_list(buffer.initData(list_size(from.data.size())), from.data);
}

static void write(Argument::Builder to, const protocol::Argument& from) {
  std::visit([&](const auto& argument) { write_argument(to, argument); }, from);
}

static protocol::Argument read_scalar(ScalarArgument::Reader from, Reading& reading) {
  const auto type =
      codec::read_enum(from.getType(), protocol::ScalarType::f64, "type of a scalar argument");
  return protocol::ScalarArgument{type, spec_text(from.getText(), reading)};
}

static protocol::Argument read_buffer(BufferArgument::Reader from, Reading& reading) {
  return protocol::BufferArgument{
      codec::read_enum(from.getUse(), protocol::BufferUse::scratch, "use of a buffer"),
      spec_text(from.getName(), reading),
      from.getSizeBytes(),
      codec::read_list(from.getData(), reading, "data of a buffer"),
  };
}

static protocol::Argument read(Argument::Reader from, Reading& reading) {
  switch (from.which()) {
    case Argument::UNSET:
      break;
    case Argument::SCALAR:
      return read_scalar(from.getScalar(), reading);
    case Argument::BUFFER:
      return read_buffer(from.getBuffer(), reading);
  }
  codec::refuse("argument", "of no known kind");
}

static void write(KernelSpec::Builder to, const protocol::KernelSpec& from) {
  to.setSource(as_data(from.source.span()));
  to.setName(as_text(from.name));
  write(to.initGrid(), from.grid);
  write(to.initBlock(), from.block);
  to.setSharedBytes(from.shared_bytes);
  codec::write_list(to.initDefines(list_size(from.defines.size())), from.defines);
  to.setStandard(as_text(from.standard));
  codec::write_list(to.initArguments(list_size(from.arguments.size())), from.arguments);
  to.setPrecise(from.precise);
}

static protocol::KernelSpec read(KernelSpec::Reader from, Reading& reading) {
  return {
      reading.bytes(from.getSource(), limits::task_spec_bytes_max, "kernel source"),
      spec_text(from.getName(), reading),
      read(from.getGrid(), reading),
      read(from.getBlock(), reading),
      from.getSharedBytes(),
      codec::read_list(from.getDefines(), reading, "defines"),
      spec_text(from.getStandard(), reading),
      codec::read_list(from.getArguments(), reading, "arguments", limits::kernel_arguments_max),
      from.getPrecise(),
  };
}

static void write(InputFile::Builder to, const protocol::InputFile& from) {
  to.setPath(as_text(from.path));
  to.setExecutable(from.executable);
  codec::write_list(to.initData(list_size(from.data.size())), from.data);
}

static protocol::InputFile read(InputFile::Reader from, Reading& reading) {
  auto path = reading.text(from.getPath(), limits::path_bytes_max, "path of an input");
  return {std::move(path), from.getExecutable(),
          codec::read_list(from.getData(), reading, "data of an input")};
}

static void write(CommandSpec::Builder to, const protocol::CommandSpec& from) {
  codec::write_texts(to.initArgv(list_size(from.argv.size())), from.argv);
  codec::write_list(to.initEnvironment(list_size(from.environment.size())), from.environment);
  to.setCwd(as_text(from.cwd));
  codec::write_list(to.initInputs(list_size(from.inputs.size())), from.inputs);
  codec::write_texts(to.initOutputs(list_size(from.outputs.size())), from.outputs);
  to.setHostMemoryBytes(from.host_memory_bytes);
  to.setFolderBytesMax(from.folder_bytes_max);
  to.setNetwork(from.network);
}

static protocol::CommandSpec read(CommandSpec::Reader from, Reading& reading) {
  protocol::CommandSpec command{
      codec::read_texts(from.getArgv(), reading, "argv", limits::command_arguments_max,
                        limits::task_spec_bytes_max),
      codec::read_list(from.getEnvironment(), reading, "environment",
                       limits::command_arguments_max),
      reading.text(from.getCwd(), limits::path_bytes_max, "cwd"),
      codec::read_list(from.getInputs(), reading, "inputs", limits::command_files_max),
      codec::read_texts(from.getOutputs(), reading, "outputs", limits::command_files_max,
                        limits::path_bytes_max),
      from.getHostMemoryBytes(),
      from.getFolderBytesMax(),
      from.getNetwork(),
  };
  if (command.argv.empty())
    codec::refuse("command", "without a program");
  return command;
}

void write(Dependency::Builder to, const protocol::Dependency& from) {
  to.setJob(from.job.value);
  to.setKind(codec::write_enum<DependencyKind>(from.kind));
}

protocol::Dependency read(Dependency::Reader from, Reading&) {
  return {{from.getJob()},
          codec::read_enum(from.getKind(), protocol::DependencyKind::fail, "dependency")};
}

static void write(ResourceRequest::Builder to, const protocol::ResourceRequest& from) {
  to.setKind(codec::write_enum<DeviceKind>(from.kind));
  to.setMemoryBytes(from.memory_bytes);
}

static protocol::ResourceRequest read(ResourceRequest::Reader from, Reading&) {
  return {codec::read_enum(from.getKind(), protocol::DeviceKind::null, "device kind"),
          from.getMemoryBytes()};
}

static void write(TaskItems::Builder to, const protocol::TaskItems& from) {
  to.setJob(from.job.value);
  codec::write_list(to.initRanges(list_size(from.ranges.size())), from.ranges);
  to.setCount(from.count);
}

static protocol::TaskItems read(TaskItems::Reader from, Reading& reading) {
  return {{from.getJob()},
          codec::read_list(from.getRanges(), reading, "items", limits::task_item_ranges_max),
          from.getCount()};
}

void write(JobSpec::Builder to, const protocol::JobSpec& from) {
  to.setName(as_text(from.name));
  write(to.initKernel(), from.kernel);
  to.setTasks(from.tasks);
  write(to.initRequest(), from.request);
  to.setTimeLimitNs(from.time_limit_ns);
  to.setRetries(from.retries);
  to.setCrashLimit(from.crash_limit);
  to.setWaitIfInfeasible(from.wait_if_infeasible);
  if (from.is_command())
    write(to.initCommand(), from.command);
  to.setLeaseNs(from.lease_ns);
  if (!from.after.empty())
    codec::write_list(to.initAfter(list_size(from.after.size())), from.after);
  if (!from.labels.empty())
    write_labels(to.initLabels(list_size(from.labels.size())), from.labels);
  if (from.items != protocol::TaskItems{})
    write(to.initItems(), from.items);
}

protocol::JobSpec read(JobSpec::Reader from, Reading& reading) {
  return {
      spec_text(from.getName(), reading),
      read(from.getKernel(), reading),
      from.getTasks(),
      read(from.getRequest(), reading),
      codec::read_duration_ns(from.getTimeLimitNs(), "time limit"),
      from.getRetries(),
      from.getCrashLimit(),
      from.getWaitIfInfeasible(),
      from.hasCommand() ? read(from.getCommand(), reading) : protocol::CommandSpec{},
      codec::read_duration_ns(from.getLeaseNs(), "lease"),
      codec::read_list(from.getAfter(), reading, "dependencies", limits::dependencies_max),
      read_labels(from.getLabels(), reading),
      from.hasItems() ? read(from.getItems(), reading) : protocol::TaskItems{},
  };
}

protocol::SharedSpec read_shared(JobSpec::Reader from, Reading& reading) {
  return {std::make_shared<const protocol::JobSpec>(read(from, reading))};
}

}  // namespace fastgpu::schema

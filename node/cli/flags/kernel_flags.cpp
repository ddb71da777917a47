#include "node/cli/flags/kernel_flags.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <utility>

#include "node/cli/text/quantities.hpp"
#include "runtime/protocol/arguments.hpp"

namespace fastgpu::cli {
namespace {

using base::Result;
using protocol::BufferUse;

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, std::move(message), std::move(hint)};
}

base::Error bad_argument(const std::string& text, const std::string& why) {
  return usage("--arg " + text + ": " + why,
               "forms: i32:42 (u32 i64 u64 f32 f64), in:FILE, out:FILE=SIZE, "
               "inout:FILE[=OUTFILE], scratch:SIZE");
}

std::optional<protocol::ScalarType> scalar_type(const std::string& word) {
  for (const auto type :
       {protocol::ScalarType::i32, protocol::ScalarType::u32, protocol::ScalarType::i64,
        protocol::ScalarType::u64, protocol::ScalarType::f32, protocol::ScalarType::f64}) {
    if (word == protocol::to_word(type)) {
      return type;
    }
  }
  return std::nullopt;
}

/// Splits at the last '=': file names may hold others.
std::pair<std::string, std::string> split_last(const std::string& text) {
  const std::size_t at = text.rfind('=');
  return at == std::string::npos ? std::pair(text, std::string())
                                 : std::pair(text.substr(0, at), text.substr(at + 1));
}

Result<ArgumentFlag> parse_buffer(const std::string& whole, const std::string& form,
                                  const std::string& rest) {
  BufferFlag flag;
  if (form == "in" || form == "inout") {
    flag.use = form == "in" ? BufferUse::in : BufferUse::inout;
    flag.input = rest;
    if (form == "inout") {
      std::tie(flag.input, flag.output) = split_last(rest);
      flag.output = flag.output.empty() ? flag.input : flag.output;
    }
    return flag.input.empty() ? Result<ArgumentFlag>(bad_argument(whole, "it names no file"))
                              : Result<ArgumentFlag>(flag);
  }
  std::string size_text = rest;
  if (form == "out") {
    flag.use = BufferUse::out;
    std::tie(flag.output, size_text) = split_last(rest);
    if (flag.output.empty() || size_text.empty()) {
      return bad_argument(whole, "it needs a file and a size");
    }
  } else {
    flag.use = BufferUse::scratch;
  }
  const Result<std::uint64_t> size = parse_size(size_text);
  if (!size.ok()) {
    return bad_argument(whole, size.error().message);
  }
  flag.size_bytes = size.value();
  return ArgumentFlag(flag);
}

bool differs_by_task(const std::string& name) {
  return name.find("{}") != std::string::npos;
}

/// Reads the files of a buffer and adds it to the job.
base::Status add_filled(v1::JobSpec& spec, const BufferFlag& flag, std::uint32_t tasks,
                        const ReadFile& read) {
  std::vector<v1::Bytes> data;
  const std::uint32_t files = differs_by_task(flag.input) ? tasks : 1;
  for (std::uint32_t task = 0; task < files; ++task) {
    auto bytes = read(protocol::fill_in(flag.input, task, tasks));
    if (!bytes.ok()) {
      return bytes.error();
    }
    data.push_back(std::move(bytes).value());
  }
  if (flag.use == BufferUse::in) {
    spec.in_each(std::move(data), flag.input);
  } else {
    spec.inout_each(std::move(data), flag.output);
  }
  return {};
}

base::Status add_argument(v1::JobSpec& spec, const ArgumentFlag& argument, std::uint32_t tasks,
                          const ReadFile& read) {
  if (const auto* scalar = std::get_if<ScalarFlag>(&argument)) {
    spec.arg_text(static_cast<v1::Scalar>(scalar->type), scalar->text);
    return {};
  }
  const auto& buffer = std::get<BufferFlag>(argument);
  if (tasks > 1 && !buffer.output.empty() && !differs_by_task(buffer.output)) {
    return usage("all " + std::to_string(tasks) + " tasks would write the file " + buffer.output,
                 "put {} into its name: it becomes the task's index");
  }
  switch (buffer.use) {
    case BufferUse::in:
    case BufferUse::inout:
      return add_filled(spec, buffer, tasks, read);
    case BufferUse::out:
      spec.out(buffer.size_bytes, buffer.output);
      return {};
    case BufferUse::scratch:
      spec.scratch(buffer.size_bytes);
      return {};
  }
  return {};
}

base::Status add_launch(v1::JobSpec& spec, const KernelFlags& flags) {
  const auto grid = parse_dimensions(flags.grid);
  const auto block = parse_dimensions(flags.block);
  const auto shared = parse_size(flags.shared);
  if (!grid.ok() || !block.ok()) {
    return grid.ok() ? block.error() : grid.error();
  }
  if (!shared.ok()) {
    return shared.error();
  }
  if (shared.value() > UINT32_MAX) {
    return usage("--shared " + flags.shared + " is more than any block can have",
                 "give at most 227KiB");
  }
  spec.grid(grid.value()[0], grid.value()[1], grid.value()[2]);
  spec.block(block.value()[0], block.value()[1], block.value()[2]);
  spec.shared(static_cast<std::uint32_t>(shared.value()));
  for (const std::string& define : flags.defines) {
    const std::size_t at = define.find('=');
    spec.define(define.substr(0, at), at == std::string::npos ? "1" : define.substr(at + 1));
  }
  spec.standard(flags.standard);
  return {};
}

}  // namespace

Result<ArgumentFlag> parse_argument(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) {
    return bad_argument(text, "it has no type");
  }
  const std::string form = text.substr(0, colon);
  const std::string rest = text.substr(colon + 1);
  if (const auto type = scalar_type(form)) {
    return rest.empty() ? Result<ArgumentFlag>(bad_argument(text, "it has no value"))
                        : Result<ArgumentFlag>(ScalarFlag{*type, rest});
  }
  if (form == "in" || form == "out" || form == "inout" || form == "scratch") {
    return parse_buffer(text, form, rest);
  }
  return bad_argument(text, "'" + form + "' is no type");
}

base::Status add_kernel(v1::JobSpec& spec, const KernelFlags& flags, std::uint32_t tasks,
                        const ReadFile& read) {
  if (flags.kernel.empty() || flags.source.empty()) {
    return usage("a kernel job needs the name of a kernel and its source",
                 "fastgpu run --kernel 'saxpy<float>' --source saxpy.cu --grid 4 --block 256 ...");
  }
  auto source = read(flags.source);
  if (!source.ok()) {
    return source.error();
  }
  spec.kernel(flags.kernel).source(std::string(source.value().begin(), source.value().end()));
  spec.precise(flags.precise);
  if (const base::Status status = add_launch(spec, flags); !status.ok()) {
    return status;
  }
  for (const std::string& text : flags.arguments) {
    const Result<ArgumentFlag> argument = parse_argument(text);
    if (!argument.ok()) {
      return argument.error();
    }
    const base::Status status = add_argument(spec, argument.value(), tasks, read);
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

Result<std::vector<std::uint8_t>> read_file(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) {
      return base::Error{base::ErrorKind::invalid, base::ErrorCode::file_not_found,
                         path + " cannot be read: " + std::strerror(errno),
                         "give a path from the current folder, or an absolute one"};
    }
  }
  std::istream& from = path == "-" ? std::cin : file;
  return std::vector<std::uint8_t>{std::istreambuf_iterator<char>(from), {}};
}

base::Status write_file(const std::string& path, std::span<const std::uint8_t> data) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
  file.close();
  if (!file) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::file_not_found,
                       path + " cannot be written: " + std::strerror(errno),
                       "is the folder there, and is there room?"};
  }
  return {};
}

}  // namespace fastgpu::cli

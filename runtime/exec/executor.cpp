#include "runtime/exec/executor.hpp"

namespace fastgpu::exec {

const char* to_word(ScalarType type) {
  switch (type) {
    case ScalarType::i32:
      return "i32";
    case ScalarType::u32:
      return "u32";
    case ScalarType::i64:
      return "i64";
    case ScalarType::u64:
      return "u64";
    case ScalarType::f32:
      return "f32";
    case ScalarType::f64:
      return "f64";
  }
  return "unknown";
}

std::size_t size_of(ScalarType type) {
  return type == ScalarType::i32 || type == ScalarType::u32 || type == ScalarType::f32 ? 4 : 8;
}

ExecutorArgument ExecutorArgument::in(base::Bytes data) {
  ExecutorArgument argument;
  argument.kind = ArgumentKind::in;
  argument.data = std::move(data);
  return argument;
}

ExecutorArgument ExecutorArgument::inout(base::Bytes data) {
  ExecutorArgument argument = in(std::move(data));
  argument.kind = ArgumentKind::inout;
  return argument;
}

ExecutorArgument ExecutorArgument::out(std::uint64_t size_bytes) {
  ExecutorArgument argument;
  argument.kind = ArgumentKind::out;
  argument.size_bytes = size_bytes;
  return argument;
}

ExecutorArgument ExecutorArgument::scratch(std::uint64_t size_bytes) {
  ExecutorArgument argument = out(size_bytes);
  argument.kind = ArgumentKind::scratch;
  return argument;
}

std::uint64_t ExecutorArgument::buffer_bytes() const {
  switch (kind) {
    case ArgumentKind::scalar:
      return 0;
    case ArgumentKind::in:
    case ArgumentKind::inout:
      return data.size();
    case ArgumentKind::out:
    case ArgumentKind::scratch:
      return size_bytes;
  }
  return 0;
}

}  // namespace fastgpu::exec

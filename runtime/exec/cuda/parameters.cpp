#include "runtime/exec/cuda/parameters.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "runtime/exec/cpu/cpu_device.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::string_view integers[] = {
    "bool",    "char",         "signed char", "unsigned char", "short",     "unsigned short",
    "int",     "unsigned int", "long",        "unsigned long", "long long", "unsigned long long",
    "wchar_t", "char16_t",     "char32_t"};

struct Demangled {
  std::string name;
  std::string parameters;  ///< between the outer parentheses
};

/// Nothing in it for a name that is not mangled.
Demangled demangle(const std::string& mangled) {
  if (!mangled.starts_with("_Z"))
    return {};
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      ::abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  if (status != 0 || !text)
    return {};
  const std::string whole = text.get();
  const auto close = whole.rfind(')');
  if (close == std::string::npos)
    return {whole, ""};
  int depth = 0;
  std::size_t open = close + 1;
  while (open > 0) {
    --open;
    depth += whole[open] == ')' ? 1 : whole[open] == '(' ? -1 : 0;
    if (depth == 0)
      break;
  }
  return {whole.substr(0, open), whole.substr(open + 1, close - open - 1)};
}

/// At commas outside of all brackets.
std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  int depth = 0;
  std::string part;
  for (const char c : list) {
    depth += c == '<' || c == '(' || c == '[' ? 1 : c == '>' || c == ')' || c == ']' ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.push_back(std::move(part));
      part.clear();
    } else if (c != ' ' || !part.empty()) {
      part += c;
    }
  }
  if (!part.empty())
    parts.push_back(std::move(part));
  return parts;
}

unsigned char kind_of_type(std::string_view type) {
  if (type.ends_with("const"))
    type.remove_suffix(5);
  while (type.ends_with(' '))
    type.remove_suffix(1);
  if (type.ends_with('*') || type.ends_with('&') || type.ends_with("__restrict__"))
    return abi::fastgpu_pointer;
  if (type == "float" || type == "double")
    return abi::fastgpu_floating;
  for (const std::string_view integer : integers)
    if (type == integer)
      return abi::fastgpu_integer;
  return abi::fastgpu_other;
}

/// A kind for what the name does not tell, so that a size that fits is enough.
unsigned char lenient_kind(const TaskView::Argument& argument, unsigned bytes) {
  if (argument.kind != ArgumentKind::scalar)
    return bytes == sizeof(void*) ? abi::fastgpu_pointer : abi::fastgpu_other;
  const bool integer =
      argument.scalar_type != ScalarType::f32 && argument.scalar_type != ScalarType::f64;
  return integer && bytes < 4 ? abi::fastgpu_integer : abi::fastgpu_other;
}

}  // namespace

std::vector<unsigned char> kinds_in_name(const std::string& mangled) {
  const Demangled name = demangle(mangled);
  std::vector<unsigned char> kinds;
  if (name.parameters == "void")
    return kinds;
  for (const std::string& type : split(name.parameters))
    kinds.push_back(kind_of_type(type));
  return kinds;
}

std::optional<std::size_t> count_in_name(const std::string& mangled) {
  if (demangle(mangled).name.empty())
    return std::nullopt;
  return kinds_in_name(mangled).size();
}

std::string plain_name(const std::string& mangled) {
  const Demangled demangled = demangle(mangled);
  if (demangled.name.empty())
    return mangled;
  // A template's instance has its return type in front.
  int depth = 0;
  for (std::size_t i = 0; i < demangled.name.size(); ++i) {
    const char c = demangled.name[i];
    depth += c == '<' ? 1 : c == '>' ? -1 : 0;
    if (c == ' ' && depth == 0)
      return demangled.name.substr(i + 1);
  }
  return demangled.name;
}

std::string check_gpu_arguments(const TaskView& task, const KernelParameters& parameters) {
  std::vector<unsigned char> kinds = parameters.kinds;
  kinds.resize(parameters.bytes.size(), abi::fastgpu_other);
  for (std::size_t i = 0; i < kinds.size() && i < task.arguments.size(); ++i)
    if (kinds[i] == abi::fastgpu_other)
      kinds[i] = lenient_kind(task.arguments[i], parameters.bytes[i]);
  abi::FastgpuKernel kernel{};
  kernel.parameter_count = static_cast<unsigned>(parameters.bytes.size());
  kernel.parameter_bytes = parameters.bytes.data();
  kernel.parameter_kinds = kinds.data();
  return check_arguments(task, kernel);
}

}  // namespace fastgpu::exec

#include "runtime/exec/kernel_maker.hpp"

#include "runtime/base/sha256.hpp"

namespace fastgpu::exec {

base::ObjectHash kernel_key(std::string_view maker, const KernelRequest& request,
                            std::string_view mode) {
  base::Sha256 hash;
  const auto field = [&hash](std::string_view text) {
    hash.update(std::to_string(text.size()) + ":");
    hash.update(text);
  };
  field(maker);
  field(request.source);
  field(request.expression);
  for (const auto& define : request.defines)
    field(define);
  field(request.standard == Standard::cpp20 ? "c++20" : "c++17");
  field(mode);
  return hash.finish();
}

std::string options_text(const KernelRequest& request) {
  std::string text = request.standard == Standard::cpp20 ? "C++20" : "C++17";
  for (const auto& define : request.defines)
    text += ", -D" + define;
  return text;
}

}  // namespace fastgpu::exec

#include "runtime/exec/cpu/module.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace fastgpu::exec {
namespace {

struct Segments {
  ElfW(Addr) base;
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> writable;
  std::uintptr_t protected_begin{0};
  std::uintptr_t protected_end{0};
};

int collect(dl_phdr_info* info, std::size_t, void* data) {
  auto& segments = *static_cast<Segments*>(data);
  if (info->dlpi_addr != segments.base)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && (header.p_flags & PF_W) != 0)
      segments.writable.emplace_back(begin, begin + header.p_memsz);
    if (header.p_type == PT_GNU_RELRO) {
      segments.protected_begin = begin;
      segments.protected_end = begin + header.p_memsz;
    }
  }
  return 1;
}

}  // namespace

base::Result<std::shared_ptr<Module>> Module::load(const std::string& path) {
  const auto trouble = [](std::string what) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::internal, std::move(what), ""};
  };
  std::shared_ptr<Module> module(new Module);
  module->handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module->handle_ == nullptr) {
    std::string text = dlerror();
    const auto symbol = text.find("undefined symbol");
    return trouble(symbol == std::string::npos ? text : text.substr(symbol));
  }
  module->kernel_ =
      static_cast<const abi::FastgpuKernel*>(dlsym(module->handle_, "fastgpu_kernel"));
  if (module->kernel_ == nullptr || module->kernel_->version != FASTGPU_ABI_VERSION)
    return trouble("a compiled kernel of another version");
  module->remember_globals();
  return module;
}

Module::~Module() {
  if (handle_ != nullptr)
    dlclose(handle_);
}

void Module::remember_globals() {
  link_map* map = nullptr;
  if (dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0)
    return;
  Segments segments{map->l_addr, {}, 0, 0};
  dl_iterate_phdr(collect, &segments);
  for (auto [begin, end] : segments.writable) {
    // What relocation has made read-only stands at the segment's front.
    if (segments.protected_begin >= begin && segments.protected_begin < end)
      begin = std::min(end, segments.protected_end);
    if (begin >= end)
      continue;
    char* first = reinterpret_cast<char*>(begin);
    globals_.push_back({first, std::vector<char>(first, first + (end - begin))});
    global_bytes_ += end - begin;
  }
}

void Module::reset_globals() const {
  for (const auto& range : globals_)
    std::memcpy(range.begin, range.first_content.data(), range.first_content.size());
}

}  // namespace fastgpu::exec

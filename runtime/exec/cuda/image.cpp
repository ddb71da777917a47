#include "runtime/exec/cuda/image.hpp"

#include <elf.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace fastgpu::exec {
namespace {

constexpr std::uint16_t machine_cuda = 190;
constexpr unsigned char abi_with_shifted_arch = 8;
constexpr std::string_view fatbin_magic{"\x50\xed\x55\xba", 4};

struct ImageHead {
  char magic[8];
  std::uint64_t kernel_bytes;
  std::uint64_t image_bytes;
};
constexpr char image_magic[8] = {'f', 'g', 'c', 'u', 'd', 'a', '0', '1'};

template <class T>
bool read_at(std::string_view bytes, std::uint64_t offset, T& value) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof value)
    return false;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return true;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Behind white space and comments.
std::string_view skip_comments(std::string_view text) {
  for (;;) {
    while (!text.empty() && is_space(text.front()))
      text.remove_prefix(1);
    const bool line = text.starts_with("//");
    if (!line && !text.starts_with("/*"))
      return text;
    const auto end = text.find(line ? "\n" : "*/", 2);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + (line ? 1 : 2));
  }
}

/// The next word of a line, without it.
std::string_view take_word(std::string_view& line) {
  while (!line.empty() && is_space(line.front()))
    line.remove_prefix(1);
  std::size_t length = 0;
  while (length < line.size() && !is_space(line[length]))
    ++length;
  const std::string_view word = line.substr(0, length);
  line.remove_prefix(length);
  return word;
}

unsigned number(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      break;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

bool declares_global(std::string_view line) {
  for (std::string_view word = take_word(line); word.starts_with('.'); word = take_word(line)) {
    if (word == ".global")
      return true;
    if (word != ".visible" && word != ".extern" && word != ".weak" && word != ".common")
      return false;
  }
  return false;
}

std::string_view name_at(std::string_view names, std::uint32_t offset) {
  if (offset >= names.size())
    return {};
  return names.substr(offset, strnlen(names.data() + offset, names.size() - offset));
}

}  // namespace

const char* to_word(SourceKind kind) {
  switch (kind) {
    case SourceKind::cuda:
      return "CUDA C++";
    case SourceKind::ptx:
      return "PTX";
    case SourceKind::cubin:
      return "a cubin";
    case SourceKind::fatbin:
      return "a fat binary";
  }
  return "unknown";
}

SourceKind kind_of_source(std::string_view bytes) {
  if (bytes.starts_with(std::string_view(ELFMAG, SELFMAG)))
    return SourceKind::cubin;
  if (bytes.starts_with(fatbin_magic))
    return SourceKind::fatbin;
  std::string_view text = skip_comments(bytes);
  return take_word(text) == ".version" ? SourceKind::ptx : SourceKind::cuda;
}

std::optional<CubinFacts> read_cubin(std::string_view bytes) {
  Elf64_Ehdr head;
  if (!read_at(bytes, 0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != machine_cuda ||
      head.e_shentsize != sizeof(Elf64_Shdr))
    return std::nullopt;
  CubinFacts facts;
  facts.arch =
      (head.e_ident[EI_ABIVERSION] >= abi_with_shifted_arch ? head.e_flags >> 8 : head.e_flags) &
      0xff;
  Elf64_Shdr names_section;
  if (!read_at(bytes, head.e_shoff + std::uint64_t{head.e_shstrndx} * sizeof(Elf64_Shdr),
               names_section) ||
      names_section.sh_offset > bytes.size())
    return std::nullopt;
  const std::string_view names = bytes.substr(names_section.sh_offset, names_section.sh_size);
  for (std::uint64_t i = 0; i < head.e_shnum; ++i) {
    Elf64_Shdr section;
    if (!read_at(bytes, head.e_shoff + i * sizeof section, section))
      return std::nullopt;
    facts.has_globals |= name_at(names, section.sh_name).starts_with(".nv.global");
  }
  return facts;
}

std::optional<PtxFacts> read_ptx(std::string_view text) {
  if (kind_of_source(text) != SourceKind::ptx)
    return std::nullopt;
  PtxFacts facts;
  text = skip_comments(text);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    facts.has_globals |= declares_global(line);
    const std::string_view word = take_word(line);
    const std::string_view value = take_word(line);
    if (word == ".version" && facts.version == 0) {
      const auto dot = value.find('.');
      facts.version = static_cast<int>(
          number(value) * 1000 +
          (dot == std::string_view::npos ? 0 : number(value.substr(dot + 1)) * 10));
    } else if (word == ".target" && value.starts_with("sm_")) {
      facts.arch = number(value.substr(3));
    }
  }
  return facts;
}

int driver_for_ptx(int version) {
  // PTX 8.0 came with CUDA 12.0, and from then on both counted in step, up to 12.9 with its 8.8;
  // 9.0 came with 13.0.
  if (version <= 8000)
    return 12000;
  if (version < 8060)
    return version + 4000;
  if (version < 9000)
    return version == 8060 ? 12070 : version == 8070 ? 12080 : 12090;
  return version < 10000 ? version + 4000 : 0;
}

std::string image_file(std::string_view kernel, std::string_view image) {
  ImageHead head{};
  std::memcpy(head.magic, image_magic, sizeof head.magic);
  head.kernel_bytes = kernel.size();
  head.image_bytes = image.size();
  std::string file(reinterpret_cast<const char*>(&head), sizeof head);
  file += kernel;
  file += image;
  return file;
}

base::Result<std::shared_ptr<const CudaImage>> read_image_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  ImageHead head;
  const bool sound = read_at(bytes, 0, head) &&
                     std::memcmp(head.magic, image_magic, sizeof head.magic) == 0 &&
                     head.kernel_bytes <= bytes.size() - sizeof head &&
                     head.image_bytes <= bytes.size() - sizeof head - head.kernel_bytes;
  if (!sound)
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::corrupt,
                       "not the file of a compiled kernel: " + path, ""};
  auto image = std::make_shared<CudaImage>();
  image->kernel = bytes.substr(sizeof head, head.kernel_bytes);
  image->bytes = bytes.substr(sizeof head + head.kernel_bytes, head.image_bytes);
  if (const auto cubin = read_cubin(image->bytes))
    image->has_globals = cubin->has_globals;
  else if (const auto ptx = read_ptx(image->bytes))
    image->has_globals = ptx->has_globals;
  return std::shared_ptr<const CudaImage>(std::move(image));
}

}  // namespace fastgpu::exec
